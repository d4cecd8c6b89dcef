"""Guessers and idle connections cost the owner little: he logs in at once from elsewhere, and within a bound from their address."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import pytest

from checks.clients.mail import imap, imap_bare, smtp
from checks.engine.target import Target
from lab import Host

AT_ONCE = 2.0  # seconds to log in, beyond what it takes when nobody disturbs
IDLE = 130
FAMILY = 50


def careless() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@contextmanager
def idle(host: Host, port: int, number: int) -> Iterator[list[socket.socket]]:
    """So many connections from this machine's address, which is not the owner's, that say nothing once they are there."""
    with ExitStack() as stack:

        def connect(_: int) -> socket.socket | None:
            with suppress(OSError):
                made = socket.create_connection(("127.0.0.1", host.record["ports"][str(port)]), timeout=15)
                return careless().wrap_socket(made) if port in (465, 993) else made
            return None

        with ThreadPoolExecutor(20) as pool:
            held = [stack.enter_context(one) for one in pool.map(connect, range(number)) if one]
        yield held


def seconds(action: Callable[[], None]) -> float:
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def logs_in(target: Target) -> None:
    with imap(target, 0, port=993) as client:
        client.select_folder("INBOX", readonly=True)


def sends(target: Target) -> None:
    with smtp(target, 587) as session:
        session.login(*target.account(0))


def greets(target: Target) -> None:
    with smtp(target, 25) as session:
        session.noop()


def manages(target: Target) -> None:
    from checks.clients.managesieve import session

    with session(target, 0) as client:
        client.listscripts()


OWNERS = {25: greets, 587: sends, 465: sends, 143: logs_in, 993: logs_in, 4190: manages}


@pytest.mark.parametrize("port", (993, 143, 4190, 25, 587))
def test_idle_connections_do_not_keep_the_owner_waiting(
    port: int, mailserver: Host, target: Target, count: Callable[..., None]
) -> None:
    usual = seconds(lambda: OWNERS[port](target))
    with idle(mailserver, port, IDLE) as held:
        waited = max(seconds(lambda: OWNERS[port](target)) for _ in range(3))
    late = waited > AT_ONCE + usual
    count(
        "attacks",
        f"{IDLE} idle at {port}",
        mailserver.suite,
        tried=len(held),
        refused=len(held) * (not late),
        got_in=late,
    )
    assert not late, f"{waited:.1f} s beside {len(held)} idle connections, {usual:.1f} s without"


def test_a_family_behind_one_address_has_fifty_sessions(mailserver: Host, target: Target) -> None:
    user, password = target.account(0)
    target.read(target.certificate)
    with ExitStack() as stack:
        for _ in range(FAMILY):
            client = stack.enter_context(imap_bare(target, 993))
            client.login(user, password)
            client.select_folder("INBOX", readonly=True)
        client.noop()


def guess(host: Host, number: int) -> str:
    """One AUTH PLAIN with a wrong password, on a connection of its own; what the server said."""
    import base64
    import smtplib

    words = base64.b64encode(f"\0foo@example.test\0guess number {number}".encode()).decode()
    try:
        with smtplib.SMTP("127.0.0.1", host.record["ports"]["587"], "guesser.example.net", timeout=40) as session:
            session.starttls(context=careless())
            session.ehlo()
            code, text = session.docmd("AUTH", f"PLAIN {words}")
            return f"{code} {text.decode(errors='replace')}"
    except (OSError, smtplib.SMTPException) as error:
        return type(error).__name__


def test_a_guesser_gets_few_guesses_and_the_owner_does_not_wait(
    mailserver: Host, target: Target, long: bool, count: Callable[..., None]
) -> None:
    number = 120 if long else 45
    begun = time.monotonic()
    with ThreadPoolExecutor(15) as pool:
        answers = list(pool.map(lambda n: guess(mailserver, n), range(number)))
    minutes = (time.monotonic() - begun) / 60
    owner = seconds(lambda: logs_in(target))
    asked = sum(one.startswith("535") for one in answers)  # the others never reached a password
    got_in = sum(one.startswith("235") for one in answers)
    count("attacks", "guessed passwords at 587", mailserver.suite, tried=number, refused=number - got_in, got_in=got_in)
    assert got_in == 0
    assert asked <= 60 * (int(minutes) + 1), f"{asked} guesses were weighed in {minutes:.1f} minutes; {answers[-1]}"
    assert owner < 5, f"the owner waits {owner:.1f} s, from an address of his own"
