"""A server that lives: it is brought back, it is not broken, and its accounts follow the data."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from lab import Host
from lab.state import path
from tests.live.support import WHOLE, applied, hashes, login, pyinfra


def test_stopped_services_come_back(server: Host) -> None:
    units = "dovecot postfix postgresql"
    server.run(f"systemctl stop {units}")
    run = applied(WHOLE)
    assert run.changes == 3, run.changed
    assert server.run(f"systemctl is-active {units}").stdout.split() == ["active"] * 3
    assert applied(WHOLE).changes == 0


def test_a_run_that_died_before_the_restart(server: Host) -> None:
    """Files that are newer than the daemon: as after a run that was cut off between the two."""
    server.run("touch /etc/dovecot/dovecot.conf")
    run = applied(WHOLE)
    assert [name for name in run.changed if "Dovecot runs" in name] == run.changed != []


def test_a_broken_file_does_not_stop_a_running_daemon(server: Host) -> None:
    """Somebody has broken dovecot.conf by hand: the run says so, and Dovecot goes on with what it read at its start."""
    started = "systemctl show -p ExecMainPID --value dovecot"
    before = server.run(started).stdout
    server.run("cp -p /etc/dovecot/dovecot.conf /root/good.conf; echo 'service {' >> /etc/dovecot/dovecot.conf")
    try:
        run = pyinfra(WHOLE)
        assert run.code == 1 and "would not start with its files" in run.output, run.output
        assert server.run(started).stdout == before
    finally:
        server.run("mv /root/good.conf /etc/dovecot/dovecot.conf")
    applied(WHOLE)
    assert applied(WHOLE).changes == 0


def test_what_the_programs_refuse_never_goes_live(server: Host) -> None:
    """A value that Postfix and Dovecot cannot read is refused on a copy; the live files keep their bytes."""
    sums = "sha256sum /etc/postfix/main.cf /etc/postfix/master.cf /etc/dovecot/dovecot.conf"
    before = server.run(sums).stdout
    for name, said in (("postfix_value", "does not understand this"), ("dovecot_block", r"doveconf: .*line \d+")):
        run = pyinfra(f"tests.live.refused.{name}")
        assert run.code == 1 and re.search(said, run.output), run.output
    assert server.run(sums).stdout == before
    assert server.run("ls -A /etc/postfix /etc/dovecot | grep -c mailroom || true").stdout == "0\n"


def test_a_changed_password_changes_its_row_only(server: Host, accounts: Callable[..., None]) -> None:
    before = hashes(server)
    assert all(stored.startswith("{ARGON2ID}$argon2id$") for stored in before.values())
    accounts(foo="a changed password")
    run = applied(WHOLE)
    assert run.changes == 1 and "Hashed passwords" in run.changed[0]
    after = hashes(server)
    assert {email for email in after if after[email] != before[email]} == {"foo@example.test"}
    assert login(server, "foo", "a changed password") == "OK"
    assert "AUTHENTICATIONFAILED" in login(server, "foo", "not this one")
    accounts(foo="a changed password")
    assert applied(WHOLE).changes == 0


def test_another_scheme_rewrites_the_hashes_and_logins_work(server: Host, accounts: Callable[..., None]) -> None:
    run = applied(WHOLE, "--data", "password_scheme=SHA512-CRYPT")
    assert run.changes and any("Hashed passwords" in name for name in run.changed)
    assert all(stored.startswith("{SHA512-CRYPT}$6$") for stored in hashes(server).values())
    assert login(server, "foo", json.loads(path("accounts.json").read_text())["foo@example.test"]) == "OK"
    assert applied(WHOLE, "--data", "password_scheme=SHA512-CRYPT").changes == 0


def test_accounts_come_and_go(server: Host, accounts: Callable[..., None]) -> None:
    """A new account works; one that left the data is reported and kept, until asked; its mail stays on the disk."""
    accounts(baz="the password of baz")
    users = json.dumps([{"email": f"{name}@example.test", "name": name.title()} for name in ("foo", "bar", "baz")])
    applied(WHOLE, "--data", f"mail_users={users}")
    assert login(server, "baz", "the password of baz") == "OK"
    kept = applied(WHOLE)
    assert "not in the data any more, kept in the table users: baz@example.test" in kept.output
    assert "baz@example.test" in hashes(server)
    applied(WHOLE, "--data", "prune_accounts=true")
    assert "baz@example.test" not in hashes(server)
    assert Path(server.run("ls -d /home/mail/example.test/baz").stdout.strip()).name == "baz"
