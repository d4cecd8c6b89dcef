"""Bad data, an unsupported system, a taken port, a dead host: one clear sentence, exit code 1, an unchanged host."""

import json
import os
from pathlib import Path

import pytest

from lab import Host, inventory_data, names
from tests.live.support import WHOLE, LabHost, applied, fingerprint, pyinfra

BAD_USERS = '[{"email": "foo@@example.test", "name": "Foo"}]'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (f"mail_users={BAD_USERS}", "'foo@@example.test' is not an address"),
        ('mail_domains=["example.test", "example.test"]', "'example.test' is listed twice"),
        ('mail_aliases={"sales@example.test": ["ghost@example.test"]}', "leads to ghost@example.test"),
        ("mail_uid=7", "mail_uid = 7 is reserved"),
        ("mail_hostname=mx1", "'mx1' is not a full host name"),
        ("mail_hostname=nowhere.example.test", "nowhere.example.test does not resolve on this host"),
        ("password_scheme=SHA512", "'SHA512' has to be one of"),
        ("prune_accounts=nein", "prune_accounts = 'nein' has to be True or False"),
        ("prune_acounts=true", "did you mean prune_accounts?"),
        ("mail_owner=dovenull", "an account of the system or of a package"),
        ("mail_home=//", "has to be an absolute path"),
        ("time_sources=[null]", "None is neither a host name, like ntp.example.org, nor an IP address"),
        ("message_size_limit=1e12", "has to be a number of bytes from"),
    ],
)
def test_bad_data(lab_host: LabHost, data: str, said: str) -> None:
    host = lab_host(names.DEFAULT_SUITE)
    before = fingerprint(host)
    run = pyinfra(WHOLE, "--data", data)
    assert run.code == 1 and said in run.output and "Traceback" not in run.output, run.output
    assert "nothing was changed" in run.output
    assert fingerprint(host) == before


def test_an_empty_password(lab_host: LabHost, tmp_path: Path) -> None:
    host = lab_host(names.DEFAULT_SUITE)
    before = fingerprint(host)
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps({"foo@example.test": "", "bar@example.test": "long enough"}))
    accounts.chmod(0o600)
    run = pyinfra(WHOLE, MAILROOM_ACCOUNTS_FILE=str(accounts))
    assert run.code == 1 and "the password of foo@example.test is empty" in run.output
    assert fingerprint(host) == before


def test_no_room_for_the_queue(lab_host: LabHost) -> None:
    """Postfix would answer 452 to every letter; said with the numbers, before the first change."""
    host = lab_host(names.DEFAULT_SUITE)
    host.run("mkdir -p /var/spool/postfix && mount -t tmpfs -o size=30m tmpfs /var/spool/postfix")
    try:
        before = fingerprint(host)
        run = pyinfra(WHOLE)
        assert run.code == 1 and "message_size_limit = 26214400 needs 75 MB free" in run.output, run.output
        assert "30 MB are" in run.output and "nothing was changed" in run.output and fingerprint(host) == before
    finally:
        host.run("umount -l /var/spool/postfix; rmdir --ignore-fail-on-non-empty /var/spool/postfix")


def test_an_owner_who_is_a_person(lab_host: LabHost) -> None:
    host = lab_host(names.DEFAULT_SUITE)
    host.run("groupadd -g 5555 carla && useradd -u 5555 -g 5555 -M -d /home/carla -s /bin/bash carla")
    try:
        before = fingerprint(host)
        person = ("--data", "mail_owner=carla", "--data", "mail_uid=5555", "--data", "mail_gid=5555")
        run = pyinfra(WHOLE, *person)
        assert run.code == 1 and "a person's account" in run.output, run.output
        assert "not in mail_home = '/home/mail'" in run.output and fingerprint(host) == before
    finally:
        host.run("userdel carla")


def test_a_hash_that_never_verifies(lab_host: LabHost, tmp_path: Path) -> None:
    host = lab_host(names.DEFAULT_SUITE)
    before = fingerprint(host)
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps({"foo@example.test": "{MD5-CRYPT}$1$Fo6vG6H6$x", "bar@example.test": "x" * 5000}))
    accounts.chmod(0o600)
    run = pyinfra(WHOLE, MAILROOM_ACCOUNTS_FILE=str(accounts))
    assert run.code == 1 and "the password of foo@example.test begins with {MD5-CRYPT}" in run.output, run.output
    assert "the password of bar@example.test has 5000 characters" in run.output and "Fo6vG6H6" not in run.output
    assert "Traceback" not in run.output and fingerprint(host) == before


def os_release(**values: str) -> str:
    lines = "\\n".join(f'{key}="{value}"' for key, value in values.items())
    return f"printf '{lines}\\n' > /etc/os-release"


ALMA = "use AlmaLinux 9 or Rocky Linux 9"


@pytest.mark.parametrize(
    ("make", "said", "instead"),
    [
        (os_release(ID="centos", VERSION_ID="7", PRETTY_NAME="CentOS Linux 7"), "CentOS Linux 7", ALMA),
        (
            "echo 'CentOS release 6.10 (Final)' > /etc/redhat-release",
            "CentOS release 6.10 (Final)",
            ALMA,
        ),
        (
            os_release(ID="fedora", VERSION_ID="43", PRETTY_NAME="Fedora Linux 43"),
            "Fedora Linux 43",
            "use AlmaLinux 10 or Rocky Linux 10",
        ),
        (
            os_release(ID="rhel", VERSION_ID="8.10", PRETTY_NAME="Red Hat Enterprise Linux 8.10"),
            "Red Hat Enterprise Linux 8.10",
            "use a host with Debian 13 or 12",
        ),
        (
            os_release(ID="alpine", VERSION_ID="3.22", ID_LIKE="debian", PRETTY_NAME="Alpine"),
            "Alpine",
            "use Debian 13",
        ),
    ],
)
def test_unsupported_systems(lab_host: LabHost, make: str, said: str, instead: str) -> None:
    host = lab_host(names.DEFAULT_SUITE)
    host.run("mv /etc/os-release /root/os-release")  # a link: what it leads to stays as it is
    host.run(make)
    try:
        before = fingerprint(host)
        run = pyinfra(WHOLE)
        assert run.code == 1 and f"{said} is not supported" in run.output and instead in run.output, run.output
        assert "Traceback" not in run.output
        assert fingerprint(host) == before
    finally:
        host.run("rm -f /etc/redhat-release /etc/os-release; mv /root/os-release /etc/os-release")


def test_a_dovecot_of_another_language(lab_host: LabHost) -> None:
    """Somebody has installed a Dovecot that mailroom does not speak."""
    host = lab_host(names.DEFAULT_SUITE)
    host.run("[ ! -e /usr/sbin/dovecot ] || mv /usr/sbin/dovecot /root/dovecot")
    host.run("printf '#!/bin/sh\\necho 2.5.0\\n' > /usr/sbin/dovecot; chmod 755 /usr/sbin/dovecot")
    try:
        before = fingerprint(host)
        run = pyinfra(WHOLE)
        assert run.code == 1 and "Dovecot 2.5.0 is neither 2.3 nor 2.4" in run.output, run.output
        assert "install the distribution's own" in run.output and fingerprint(host) == before
    finally:
        host.run("rm /usr/sbin/dovecot; [ ! -e /root/dovecot ] || mv /root/dovecot /usr/sbin/dovecot")


def test_tables_that_cannot_be_read(server: Host) -> None:
    """PostgreSQL is down: an empty answer is not taken for empty tables, and no row is written a second time."""
    server.run("systemctl stop 'postgresql@*'")
    try:
        run = pyinfra("deploys.chapters.postgresql.accounts")
        assert run.code == 1 and "is PostgreSQL running" in run.output and "chapter 2" in run.output, run.output
        assert "Traceback" not in run.output
    finally:
        server.run("systemctl start postgresql 'postgresql@*'")
    assert applied(WHOLE).changes == 0


def test_a_port_of_somebody_else(lab_host: LabHost) -> None:
    """A mail server that is not ours keeps its port; here it is played by sshd."""
    client = lab_host(names.DEFAULT_SUITE, "client")
    client.run("/usr/sbin/sshd -p 25 -o PidFile=/run/sshd-25.pid")
    try:
        record = client.record
        inventory = Path(os.environ["MAILROOM_LAB_DIR"]) / "other.py"
        inventory.write_text(f"mail = [('client', {inventory_data(record)!r})]\n")
        run = pyinfra(WHOLE, MAILROOM_INVENTORY=str(inventory.resolve()))
        assert run.code == 1 and "port 25 is taken by" in run.output, run.output
    finally:
        client.run("kill $(cat /run/sshd-25.pid)")


def test_a_dead_host(tmp_path: Path) -> None:
    inventory = tmp_path / "dead.py"
    inventory.write_text("mail = [('dead', {'ssh_hostname': '127.0.0.1', 'ssh_port': 1, 'ssh_user': 'root'})]\n")
    run = pyinfra(WHOLE, MAILROOM_INVENTORY=str(inventory))
    assert run.code == 1 and "Could not connect" in run.output and "Traceback" not in run.output


def test_no_lab(tmp_path: Path) -> None:
    run = pyinfra(WHOLE, MAILROOM_LAB_DIR=str(tmp_path / "none"))
    assert run.code == 1 and "make up" in run.output and "Traceback" not in run.output
