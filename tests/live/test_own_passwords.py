"""A password that a user has changed on the host is his, until the data says something else."""

import json
import shlex
from collections.abc import Callable

import pytest

from deploys.secrets import KEY_FILE
from lab import Host
from lab.state import path
from tests.live.support import WHOLE, applied, asked, hashes, login

OWN, FOO = "what foo has chosen", "foo@example.test"
Accounts = Callable[..., None]


def change_own(server: Host) -> None:
    """As a user's own tool would: a fresh hash, straight into the row."""
    made = server.run(shlex.join(["doveadm", "pw", "-s", "SHA512-CRYPT", "-p", OWN])).stdout.strip()
    asked(server, f"UPDATE users SET password = '{made}' WHERE email = '{FOO}'")
    assert login(server, "foo", OWN) == "OK"


def declared() -> str:
    return str(json.loads(path("accounts.json").read_text())[FOO])


def unchanged() -> None:
    """A run that changes nothing, in two remote commands."""
    run = applied(WHOLE, "--debug")
    assert (run.changes, run.commands) == (0, 2), run.changed


def test_it_survives_a_run_until_the_declared_one_changes(server: Host, accounts: Accounts) -> None:
    change_own(server)
    unchanged()
    assert login(server, "foo", OWN) == "OK" and "AUTHENTICATIONFAILED" in login(server, "foo", declared())
    accounts(foo="declared anew")
    run = applied(WHOLE)
    assert run.changes == 1 and "Hashed passwords" in run.changed[0]
    assert login(server, "foo", "declared anew") == "OK" and "AUTHENTICATIONFAILED" in login(server, "foo", OWN)
    unchanged()


def test_another_scheme_leaves_it(server: Host, accounts: Accounts) -> None:
    change_own(server)
    before = hashes(server)
    applied(WHOLE, "--data", "password_scheme=SHA512-CRYPT")
    after = hashes(server)
    assert after[FOO] == before[FOO] and after["bar@example.test"].startswith("{SHA512-CRYPT}$6$rounds=100000$")
    accounts(foo="declared anew")


@pytest.mark.parametrize(
    "useless", ["{PLAIN}in the clear", "{CRYPT}*", "{MD5-CRYPT}$1$Fo6vG6H6$wX5YsJY18fA5vFS1tztZm1"]
)
def test_a_weak_hash_and_none_are_replaced(server: Host, useless: str) -> None:
    applied(WHOLE)
    asked(server, f"UPDATE users SET password = '{useless}' WHERE email = '{FOO}'")
    assert applied(WHOLE).changes == 1
    assert login(server, "foo", declared()) == "OK"
    unchanged()


def test_a_host_from_before_the_fingerprints(server: Host) -> None:
    """Each hash is verified once, stays, and has its fingerprint then."""
    applied(WHOLE)
    asked(server, "DROP TABLE password_fingerprints")
    before = hashes(server)
    run = applied(WHOLE)
    assert run.changes == 1 and "Hashed passwords" in run.changed[0]
    assert hashes(server) == before
    assert asked(server, "SELECT count(*) FROM password_fingerprints JOIN users USING (email)") == f"{len(before)}\n"
    unchanged()


def test_a_lost_key(server: Host, accounts: Accounts) -> None:
    """A new one is made. No password changes by that; a changed declared one is still seen."""
    change_own(server)
    before, key = hashes(server), path(KEY_FILE).read_text()
    path(KEY_FILE).unlink()
    accounts(bar="declared anew")
    assert applied(WHOLE).changes == 1
    assert path(KEY_FILE).stat().st_mode & 0o777 == 0o600 and path(KEY_FILE).read_text() != key
    after = hashes(server)
    assert {email for email in after if after[email] != before[email]} == {"bar@example.test"}
    assert login(server, "foo", OWN) == "OK" and login(server, "bar", "declared anew") == "OK"
    unchanged()
    accounts(foo="declared anew")
    applied(WHOLE)


def test_who_removes_an_account_removes_its_fingerprint(server: Host) -> None:
    applied(WHOLE)
    asked(server, f"DELETE FROM users WHERE email = '{FOO}'")
    assert FOO not in asked(server, "SELECT email FROM password_fingerprints")
    applied(WHOLE)
    assert login(server, "foo", declared()) == "OK"


def test_the_reading_role_reads_no_fingerprint(server: Host) -> None:
    applied(WHOLE)
    sql = "SET ROLE mailreader; SELECT count(*) FROM users; SELECT count(*) FROM password_fingerprints"
    done = server.run("cd /; runuser -u postgres -- psql -XAtq -d mail 2>&1", stdin=sql, check=False).stdout
    assert done.splitlines()[0].isdigit() and "permission denied for table password_fingerprints" in done
