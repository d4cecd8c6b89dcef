"""The Red Hat family's road, on its stand-in (lab/standin.py): dnf, yum and rpm for real, names and paths as on EL 9.

Red Hat's own packages, SELinux and firewalld's rules on such a host were not run: docs/red-hat-checklist.md.
"""

import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from lab import Host
from tests.live.support import ROOT, WHOLE, applied, fingerprint, pyinfra

INSTALLS = [f"deploys.chapters.{chapter}.install" for chapter in ("postfix", "postgresql", "dovecot")]


@pytest.fixture
def el9(lab_host: Callable[..., Host]) -> Host:
    return lab_host("el9")


def test_a_step_without_its_chapter_is_refused(el9: Host) -> None:
    before = fingerprint(el9)
    run = pyinfra("deploys.chapters.dovecot.tls")
    assert run.code == 1 and "deploys.chapters.dovecot.install" in run.output
    assert fingerprint(el9) == before


def test_the_chapters_that_are_not_built_for_it_are_refused(el9: Host) -> None:
    before = fingerprint(el9)
    steps = [f"deploys.chapters.{one}" for one in ("amavis.install", "sieve.install", "believed.signing")]
    for deploy in ("deploys/mailserver.py", *steps):
        run = pyinfra(deploy)
        assert run.code == 1 and "has not been built for AlmaLinux 9" in run.output, run.output
    assert fingerprint(el9) == before


def test_twice_is_once_and_all_checks_pass(el9: Host) -> None:
    """From a bare host to mail that arrives; then a second run, which changes nothing."""
    assert el9.run("command -v dpkg apt-get dpkg-query || echo none").stdout == "none\n"
    first = applied(WHOLE)
    assert first.changes and first.changes > 40
    installed = el9.run("rpm -q postfix postfix-pgsql postgresql-server dovecot dovecot-pgsql").stdout
    assert len(re.findall(r"\.el9\.", installed)) == 5
    second = applied(WHOLE)
    assert (second.changes, second.operations) == (0, first.operations), second.changed
    checked = subprocess.run([sys.executable, "-m", "checks"], cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert checked.returncode == 0 and " 0 failed" in checked.stdout, checked.stdout[-4000:] + checked.stderr


def test_it_is_built_as_the_family_does(el9: Host) -> None:
    applied(WHOLE)
    hba = el9.run("grep -v '^#' /var/lib/pgsql/data/pg_hba.conf | grep .").stdout.splitlines()
    assert hba[0].startswith("host mail mailreader") and any("ident" in line for line in hba[2:])
    assert el9.run("postconf -h inet_interfaces").stdout == "all\n"
    assert el9.run("postconf -M submissions/inet").stdout.split()[4] == "n"
    assert el9.run("getent services submissions").stdout.split()[1] == "465/tcp"
    stored = el9.run("cd /; runuser -u postgres -- psql -XAtq -d mail -c 'SELECT password FROM users'").stdout
    assert stored.count("{SHA512-CRYPT}$6$") == 2


def test_a_stopped_service_comes_back(el9: Host) -> None:
    applied(WHOLE)
    el9.run("systemctl stop postgresql")
    run = applied(WHOLE)
    assert run.changes == 1 and el9.run("systemctl is-active postgresql").stdout == "active\n"


def test_yum_where_that_is_all_there_is(lab_host: Callable[..., Host]) -> None:
    """The article's own command: the three installing steps, with no dnf on the host."""
    host = lab_host("el9-yum")
    assert host.run("command -v dnf || echo none").stdout == "none\n"
    for step in INSTALLS:
        run = applied(step)
        assert run.changes and "dnf" not in run.output, run.output
        assert applied(step).changes == 0
    assert host.run("rpm -q dovecot dovecot-pgsql postfix postgresql-server >/dev/null && echo all").stdout == "all\n"
    assert host.run("systemctl is-active postgresql").stdout == "active\n"
