"""Debian 12 to 13 under a living server: nothing of anybody's is lost, by accident or as planned, and wherever it was cut off.

The judges are what people's programs see before and after (rehearsal/life.py), letters that arrive meanwhile, and all checks. The
first test stands for what most people come with. The others are whole upgrades of a loaded server: MAILROOM_UPGRADE=long, or
`make rehearse-upgrade`, has them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

import checks
from lab import Host, snapshots
from rehearsal import life, upgrade
from rehearsal.report import page
from tests.conftest import LabHost
from tests.live import loaded
from tests.live.support import MAILSERVER, ROOT, WHOLE, applied, pyinfra
from tests.live.traffic import password, until

LONG = os.environ.get("MAILROOM_UPGRADE") == "long"
APT = "DEBIAN_FRONTEND=noninteractive apt-get -y -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef"
ACCIDENT = f"sed -i s/bookworm/trixie/ /etc/apt/sources.list; {APT} -qq update; {APT} full-upgrade"
OURS, THEIRS = "/etc/dovecot/dovecot.conf", "mail_max_userip_connections = 17"
UPGRADE = "deploys/upgrade.py"
FULL = "full of mail"  # the snapshot of a loaded server
pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(3600)]
on_12 = pytest.mark.parametrize("mx", ["bookworm"], indirect=True)
on_12_with_world = pytest.mark.parametrize("world_mx", ["bookworm"], indirect=True)
long = pytest.mark.skipif(not LONG, reason="MAILROOM_UPGRADE=long, or make rehearse-upgrade")
_life: dict[str, life.Life] = {}


@pytest.fixture
def bare_again(lab_host: LabHost) -> Iterator[None]:
    """The host is a bare Debian 12 afterwards, whatever it has become."""
    yield
    snapshots.rewind("mx1", snapshots.BARE)


@pytest.fixture
def full(mailserver: Host, world: Host, lab_host: LabHost) -> Iterator[Host]:
    """The whole series with ten people's 2,000 letters and all that is beside them, as it was when this is asked for again."""
    if FULL not in _life:
        loaded.with_people(mailserver, 8)
        loaded.with_mail(mailserver, 250)
        loaded.with_the_rest(mailserver, world)
        _life[FULL] = life.recorded(mailserver)
        snapshots.take(mailserver.name, FULL)
    else:
        snapshots.rewind(mailserver.name, FULL)
        until(lambda: not mailserver.run("doveadm who", check=False).returncode, "the host has started")
    yield mailserver


@pytest.fixture(scope="module", autouse=True)
def nothing_kept() -> Iterator[None]:
    yield
    _life.clear()


def whole(host: Host) -> None:
    """A server of the new release, as if it had never been of another: nothing that fails, and what was before is kept."""
    assert "trixie" in host.run("cat /etc/os-release").stdout
    wrong = [f"{one.id}: {one.evidence}" for one in checks.run(checks.lab_target()) if one.verdict == "fail"]
    assert not wrong, "\n".join(wrong)
    kept = host.run("stat -c %a /var/backups/mailroom; pg_lsclusters -h").stdout.split()
    assert kept[0] == "700" and [kept[1], kept[2], kept[4]] == ["15", "main", "down"] and "17" in kept


def same(host: Host, before: life.Life) -> None:
    """All is as it was, logins included, and what waited in the queue arrives once."""
    assert not (wrong := life.differences(before, life.recorded(host))), "\n".join(wrong)
    loaded.logs_in(host)
    loaded.queue_goes(host, before)


@on_12
@pytest.mark.usefixtures("bare_again")
def test_a_host_that_somebody_has_upgraded_is_brought_to_life_by_the_ordinary_run(server: Host) -> None:
    loaded.with_mail(server, 40)
    loaded.with_a_queue(server)
    before = life.recorded(server)
    server.run(f"echo {THEIRS} >>{OURS}")
    assert server.run(ACCIDENT, check=False, timeout=1500).returncode, "the accident did not happen"
    assert "half-configured" in server.run("dpkg-query -W -f '${db:Status-Status}' dovecot-core").stdout
    assert server.run("systemctl is-active dovecot", check=False).stdout.strip() != "active"
    run = applied(WHOLE)
    assert run.changes and "mail_max_userip_connections" in run.output, "what is not taken over is not named"
    assert THEIRS in server.run("cat /var/backups/mailroom/dovecot-2.3/dovecot.conf").stdout
    kept = server.run("cat /var/backups/mailroom/dovecot-2.3/dovecot-sql.conf*").stdout
    assert "\nconnect = " in f"\n{kept}", "the database's file is kept as it was, too"
    assert applied(WHOLE).changes == 0
    same(server, before)
    whole(server)


REFUSALS = {
    "held back: postfix": ("apt-mark hold postfix", "apt-mark unhold postfix"),
    "name stable": (
        "sed -i.kept s/bookworm-updates/stable-updates/ /etc/apt/sources.list",
        "mv /etc/apt/sources.list.kept /etc/apt/sources.list",
    ),
}


@long
@on_12
@pytest.mark.parametrize("words", REFUSALS)
def test_what_it_could_not_carry_through_is_refused_before_the_first_change(words: str, server: Host) -> None:
    spoil, mend = REFUSALS[words]
    server.run(spoil)
    try:
        run = pyinfra(UPGRADE)
    finally:
        server.run(mend)
    assert run.code and words in run.output and "nothing was changed on this host" in run.output
    assert server.run("ls /var/backups/mailroom", check=False).stdout == ""


@long
@on_12_with_world
def test_an_upgrade_while_letters_arrive_loses_none(full: Host, world: Host) -> None:
    account = ("foo@example.test", password("foo@example.test"))
    report = upgrade.rehearsed(full, world, checks.lab_target(), account, MAILSERVER, print)
    print(page(report, "The upgrade of a loaded server"))
    assert len(report.before.mailboxes) == 10 and report.before.letters >= 2000
    assert len(report.traffic.sent) > 60 and report.before.held and report.before.scripts and report.before.queue
    assert not report.problems, "\n".join(report.problems)
    assert not report.twice, report.twice
    assert report.parts[upgrade.ARRIVED] < 60, (
        "what waited for Dovecot was tried again, and not left to its five minutes"
    )
    loaded.logs_in(full)
    loaded.queue_goes(full, report.before)
    whole(full)


def killed_at(host: Host, sign: str, patience: float = 1200) -> None:
    """The upgrade, killed on both sides as soon as the host shows a sign; it is gone when this returns."""
    words = [sys.executable, "-m", "pyinfra", "inventory.py", UPGRADE, "-y"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        end = time.monotonic() + patience
        while host.run(sign, check=False).returncode:
            assert run.poll() is None and time.monotonic() < end, f"it ended before: {sign}"
            time.sleep(0.5)
        run.kill()
        host.run("pkill -9 -x apt-get; pkill -9 -x dpkg; pkill -9 pg_upgradeclus; true")
    until(lambda: host.run("pgrep -x apt-get || pgrep -x dpkg", check=False).returncode, "nobody installs any more")


STAGES = {
    "the sources name the next release": "grep -q trixie /etc/apt/sources.list",
    "dpkg is at work": "grep -qs 'status unpacked dovecot-core:amd64 .*2\\.4' /var/log/dpkg.log",
    "it says it is Debian 13": "grep -q trixie /etc/os-release && dpkg-query -W -f '${Version}' postgresql | grep -q '^15'",
    "the cluster moves": "pgrep -f pg_upgradecluster",
}


@long
@on_12_with_world
@pytest.mark.parametrize("stage", STAGES)
def test_an_upgrade_goes_on_wherever_it_was_cut_off(stage: str, full: Host) -> None:
    before = life.recorded(full)
    killed_at(full, STAGES[stage])
    applied(UPGRADE)
    applied(MAILSERVER)
    assert applied(MAILSERVER).changes == 0
    same(full, before)
    whole(full)


@long
@on_12_with_world
def test_back_by_the_snapshot_it_is_the_server_of_before(full: Host) -> None:
    """The way back that is promised: a snapshot of the whole machine (docs/upgrade.md)."""
    assert "bookworm" in full.run("cat /etc/os-release").stdout
    # Postfix names letters by their inodes, and names them anew in the lab's copy of the files
    before = replace(_life[FULL], queue=life.queued(full))
    assert len(before.queue) == len(_life[FULL].queue)
    same(full, before)
    assert applied(MAILSERVER).changes == 0
