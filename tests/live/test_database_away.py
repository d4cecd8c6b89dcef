"""PostgreSQL is away for a while: no right password is called wrong, and nobody is let in who should not be."""

import json
import shlex
import time
from collections.abc import Callable, Iterator

import pytest

from checks import lab_target
from checks.clients.mail import imap, log_in, smtp
from checks.engine.target import Target
from lab import Host
from lab.state import path
from tests.live.support import WHOLE, applied, asked, login
from tests.live.traffic import until

FOO, BAR = "foo@example.test", "bar@example.test"
NOT_NOW, TRY_AGAIN = "UNAVAILABLE", 454
Accounts = Callable[..., None]
ON_23 = pytest.mark.parametrize("mx", ["bookworm"], indirect=True)  # the Dovecot that remembers


def declared(who: str = FOO) -> str:
    return str(json.loads(path("accounts.json").read_text())[who])


def submits(target: Target, who: str, password: str) -> int:
    """What port 587 answers to this login."""
    with smtp(target, 587) as session:
        return log_in(session, who, password)[0]


def reads(server: Host, who: str, password: str) -> str:
    """What an IMAP login brings; 2.3 may wait a minute for PostgreSQL before it answers."""
    try:
        return login(server, who, password)
    except TimeoutError:
        return NOT_NOW


def hashed(server: Host, password: str) -> str:
    return server.run(shlex.join(["doveadm", "pw", "-s", "SHA512-CRYPT", "-p", password])).stdout.strip()


def remembers(server: Host) -> bool:
    """Whether this Dovecot (2.3) answers for those whom it knows; 2.4 lets them wait."""
    return server.run("doveconf -h auth_cache_size").stdout.strip() != "0"


def stop(server: Host) -> None:
    server.run("systemctl stop 'postgresql*'")


def start(server: Host) -> None:
    server.run("systemctl start postgresql")


@pytest.fixture
def target(server: Host) -> Iterator[Target]:
    """The host, with nobody in Dovecot's memory; PostgreSQL runs again at the end, and Dovecot has found it."""
    server.run("doveadm auth cache flush")
    yield lab_target(server.name)
    start(server)
    until(lambda: login(server, "bar", declared(BAR)) == "OK", "bar logs in again", 60)


def test_nobody_hears_that_his_right_password_is_wrong(server: Host, target: Target) -> None:
    """A 535 makes a client ask for another password, and a sending program gives the letter up."""
    assert submits(target, FOO, declared()) == 235
    stop(server)
    for _ in range(3):
        assert submits(target, FOO, declared()) in (235, TRY_AGAIN)
    assert submits(target, FOO, "not the password") in (535, TRY_AGAIN)
    assert reads(server, "foo", "not the password") != "OK"
    told = reads(server, "bar", declared(BAR))
    assert NOT_NOW in told and "AUTHENTICATIONFAILED" not in told, "of bar it knows nothing, and has to say so"
    if remembers(server):
        assert submits(target, FOO, declared()) == 235 and login(server, "foo", declared()) == "OK"
    else:
        assert submits(target, BAR, declared(BAR)) == TRY_AGAIN


def test_everybody_is_back_at_once(server: Host, target: Target) -> None:
    """However long PostgreSQL was away and however often it was asked; who reads his mail meanwhile is not disturbed."""
    with imap(target, 0) as reading:
        reading.select_folder("INBOX")
        stop(server)
        end = time.monotonic() + 35
        while time.monotonic() < end:
            assert NOT_NOW in reads(server, "bar", declared(BAR))
        start(server)
        until(lambda: login(server, "bar", declared(BAR)) == "OK", "bar reads", 5)
        until(lambda: submits(target, BAR, declared(BAR)) == 235, "bar sends", 5)
        reading.noop()


@ON_23
def test_while_postgresql_runs_it_is_asked(server: Host, target: Target) -> None:
    """A password that was changed in the database by hand counts, both ways; so does an account that is gone."""
    assert login(server, "foo", declared()) == "OK"
    asked(server, f"UPDATE users SET password = '{hashed(server, 'changed by hand')}' WHERE email = '{FOO}'")
    until(lambda: login(server, "foo", declared()) != "OK", "the old password is refused", 5)
    assert "AUTHENTICATIONFAILED" in login(server, "foo", declared())
    assert login(server, "foo", "changed by hand") == "OK"
    stop(server)
    assert submits(target, FOO, declared()) in (535, TRY_AGAIN)
    assert submits(target, FOO, "changed by hand") in (235, TRY_AGAIN)
    start(server)
    asked(server, f"DELETE FROM users WHERE email = '{FOO}'")
    try:
        until(lambda: login(server, "foo", "changed by hand") != "OK", "who is gone is refused", 20)
        stop(server)
        assert submits(target, FOO, "changed by hand") in (535, TRY_AGAIN)
    finally:
        start(server)
        assert (applied(WHOLE).changes or 0) > 0
    assert login(server, "foo", declared()) == "OK"


@ON_23
def test_what_a_run_has_changed_is_not_remembered(server: Host, target: Target, accounts: Accounts) -> None:
    """The old password is of no use from the run's end on, although nobody has logged in since."""
    old = declared()
    assert login(server, "foo", old) == "OK"
    accounts(foo="declared anew")
    assert applied(WHOLE).changes == 1
    stop(server)
    assert submits(target, FOO, old) in (535, TRY_AGAIN) and reads(server, "foo", old) != "OK"
