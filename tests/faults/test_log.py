"""The journal after ordinary traffic: nothing complains that is not known and explained. The other suites ask it of their faults."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from checks.clients.mail import imap
from checks.clients.samples import EICAR
from checks.engine.target import Target
from lab import Host
from tests.faults import journal, mailboxes
from tests.faults.journal import Line, unexplained
from tests.faults.letters import write
from tests.faults.sender import deliver
from tests.live import traffic
from tests.live.traffic import message, send


def test_ordinary_traffic(mailserver: Host, world: Host, target: Target, count: Callable[..., None]) -> None:
    """Strangers' letters, one's own, spam, a virus, an unknown recipient, people who read, and a wrong password."""
    foo, bar = target.account(0)[0], target.account(1)[0]
    traffic.settled(mailserver, world)
    cursor = journal.here(mailserver)
    for number, letter in enumerate([write(foo), write(bar), write(bar, 2, 0, foo), write("nobody@example.test")]):
        assert deliver(target, letter, 30) == (number < 3)
    for _, text in (traffic.spam(foo), message(foo, attached=EICAR), message(foo)):
        send(world, text, foo)
    traffic.settled(world)
    assert mailboxes.drained(mailserver, 60)
    mailboxes.read(target)
    with imap(target, 0) as client:
        client.select_folder("INBOX")
        client.move(client.search(), "Trash")
    lines = journal.since(mailserver, cursor)
    found = unexplained(lines, journal.ALWAYS)
    count("log", "ordinary traffic", mailserver.suite, lines=len(lines), unexplained=len(found))
    traffic.empty(mailserver, world)
    assert len(lines) > 50, "what was read is no journal of all that"
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        Line(3, -1, "postgres[1]: FATAL:  the database system is in recovery mode"),
        Line(6, 2, "dovecot[1]: imap(foo): Error: open(/home/mail) failed: Permission denied"),
        Line(6, 2, "amavis[1]: (!)mail_via_smtp: error during QUIT"),
        Line(4, 3, "anything[1]: of the priority of a warning"),
    ],
)
def test_a_complaint_that_nothing_explains_is_found(line: Line) -> None:
    assert unexplained([line], journal.ALWAYS) == [line.text]


def test_what_is_explained_or_harmless_is_not() -> None:
    lines = [
        Line(3, 3, "systemd-update-utmp[9]: Failed to connect to audit log, ignoring: Invalid argument"),
        Line(
            6, 2, "postfix/smtpd[1]: disconnect from localhost[127.0.0.1] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5"
        ),
        Line(6, 10, "sshd[1]: error: a word in a facility that is not mail's, of no weight"),
    ]
    assert unexplained(lines, journal.ALWAYS) == []


def test_a_kind_is_named_once() -> None:
    lines = [Line(4, 2, f"postfix/smtpd[{n}]: warning: 0A1B2C3D{n}: a fault") for n in range(5)]
    assert len(unexplained(lines, journal.ALWAYS)) == 1
