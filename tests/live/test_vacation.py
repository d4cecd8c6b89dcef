"""Whom the vacation responder answers, and from which address; and whom it must never answer (RFC 5230, 4.6; RFC 3834)."""

import re
import shlex
from collections.abc import Iterator

import pytest

from checks.clients.managesieve import NAME, session
from checks.engine.target import Target
from lab import Host
from tests.live import traffic
from tests.live.traffic import delivered, message, send, settled, until

FOO = "foo@example.test"
pytestmark = pytest.mark.usefixtures("no_mail")


@pytest.fixture
def away(target: Target) -> Iterator[Target]:
    """foo is on vacation, with the example that the chapter hands out."""
    script = target.shell("cat /etc/dovecot/sieve/examples/vacation.sieve")
    with session(target, 0) as client:
        assert client.putscript(NAME, script) and client.setactive(NAME), client.words()
        yield target
    target.shell("rm -f /home/mail/.home/example.test/foo/.dovecot.lda-dupes")


def answers(world: Host) -> list[str]:
    """What came to alice and carol, headers only."""
    paths = traffic.mail_out_there(world)
    return [world.run(["sed", "/^$/q", path]).stdout for path in paths]


def field(text: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*(?:\n\s.*)*)", text, re.M)
    return found[1] if found else ""


ROBOTS = {
    "a list": (("List-Id", "<people.example.org>"),),
    "an announcement": (("Precedence", "bulk"),),
    "a list of the old kind": (("Precedence", "list"),),
    "a robot": (("Auto-Submitted", "auto-generated"),),
    "another's vacation": (("Auto-Submitted", "auto-replied"),),
}


def test_vacation_answers_a_person_once_and_nobody_else(away: Target, mailserver: Host, world: Host) -> None:
    """First all that must not be answered; then a person, twice. One answer is all that comes."""
    silent = [message(FOO, *headers) for headers in ROBOTS.values()]
    for _, text in silent:
        send(world, text, FOO)
    bounce, blind, junk = message(FOO), message("people@example.org"), traffic.spam(FOO)
    send(world, bounce[1], FOO, sender="")
    send(world, blind[1], FOO)  # foo stands neither in To nor in Cc
    send(world, junk[1], FOO)
    for mark, _ in [*silent, bounce, blind, junk]:
        delivered(mailserver, mark)
    letters = [message(FOO), message(FOO)]
    for _, text in letters:
        send(world, text, FOO)
    for mark, _ in letters:
        delivered(mailserver, mark)
    until(lambda: traffic.mail_out_there(world), "an answer")
    settled(mailserver, world)
    heard = answers(world)
    assert len(heard) == 1, [field(text, "In-Reply-To") for text in heard]
    assert field(heard[0], "In-Reply-To").strip("<>").partition("@")[0] in [mark for mark, _ in letters]
    assert FOO in field(heard[0], "From") and field(heard[0], "Auto-Submitted").startswith("auto-replied")
    assert field(heard[0], "Return-Path") == "<>"


def test_vacation_answers_from_the_address_that_was_written_to(away: Target, mailserver: Host, world: Host) -> None:
    """An alias of foo's: who wrote to it hears from it, and not what is behind it."""
    alias = "postmaster@example.test"
    mark, text = message(alias, sender="carol@example.net")
    send(world, text, alias, sender="carol@example.net")
    delivered(mailserver, mark)
    until(lambda: traffic.mail_out_there(world), "an answer")
    settled(mailserver, world)
    heard = answers(world)
    assert len(heard) == 1 and alias in field(heard[0], "From"), heard
    assert shlex.split(field(heard[0], "To"))[0].strip("<>") == "carol@example.net"
