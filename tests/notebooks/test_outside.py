"""The runbook's parts for chapters 3 and 5 that need no host: where a letter is, and what an own server skips."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from checks.clients import mail
from notebooks.workbench.experiment import errata, scanners, temporarily
from notebooks.workbench.host import memory, remote, where
from notebooks.workbench.host.remote import Done
from notebooks.workbench.message import learning, letters, world
from notebooks.workbench.message import passport as letter_passport
from notebooks.workbench.message.letters import Letter
from notebooks.workbench.show.errors import NotAllowed, NotExpected, Trouble
from notebooks.workbench.show.html import Note
from tests.mail_logs import passport as logged

LETTER = Letter("alice@example.net", "foo@example.test", "Hello", 25, "<1@example.net>")
LAB = {"hosts": {"mx1": {"name": "mx1", "role": "mail"}, "world": {"name": "world", "role": "world"}}}
DATA = {"mail_hostname": "mx1.example.test", "mail_domains": ["example.test"], "mail_home": "/home/mail"}
MAILDIR = "/home/mail/example.test/foo"


def place(lab: dict[str, Any]) -> where.Place:
    return where.Place("mx1", DATA, lab)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """On a server of one's own: whatever reaches the host or another one is noted here."""
    commands: list[str] = []

    def execute(command: str, **_: object) -> Done:
        commands.append(command)
        return Done(0, "", "")

    monkeypatch.setattr(where, "_now", [place({})])
    monkeypatch.setattr(remote, "execute", execute)
    return commands


def test_on_an_own_server_the_world_is_skipped_with_a_sentence(asked: list[str]) -> None:
    letter = world.from_world("alice", "foo", "Hello")
    assert "skipped" in str(letter) and "skipped" in str(world.world_mailbox("carol"))
    assert "No world here" in str(world.world())
    with temporarily.temporarily("$final_virus_destiny = D_REJECT;", stopped="clamav-daemon"):
        pass
    for after in (
        letter_passport.where_is(letter, expect="INBOX"),
        letter_passport.headers(letter),
        letter_passport.take_out(letter),
    ):
        assert after is letter
    assert learning.move(letter, "Junk") is letter and asked == []


def test_nothing_is_taken_out_of_an_own_server(asked: list[str]) -> None:
    with pytest.raises(NotAllowed):
        letter_passport.take_out(LETTER)
    assert asked == []


VIRUS, SPAM = "<eicar3.mx1@example.net>", "<gtube2.mx1@example.net>"
HELD = "/var/lib/amavis/virusmails/virus-a"


@pytest.mark.parametrize(
    ("message", "without", "path", "place_name", "decider"),
    [
        (SPAM, "", f"{MAILDIR}/.Junk/new/1.mx1", "Junk", "Sieve: fileinto Junk"),
        (SPAM, "", f"{MAILDIR}/cur/1.mx1", "INBOX", "Sieve: fileinto Junk"),  # its reader has moved it since
        (SPAM, "", "", "nowhere", "Sieve: fileinto Junk"),  # and deleted it
        (SPAM, "9156241E068", "", "queue", "Amavis: deferred"),
        (VIRUS, "408D941E006", HELD, "quarantine", "Amavis: Blocked INFECTED"),
        (VIRUS, "", f"{MAILDIR}/new/1", "INBOX", ""),  # released
    ],
)
def test_where_a_letter_is_follows_from_its_passport(
    message: str, without: str, path: str, place_name: str, decider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = logged(13, message, without=without)
    if place_name == "queue":  # as the log was before the second attempt
        told.hops = told.hops[:4]
    monkeypatch.setattr(where, "_now", [place(LAB)])
    monkeypatch.setattr(remote, "execute", lambda *_, **__: Done(0, f"{path}\n", ""))
    monkeypatch.setattr(letter_passport, "followed", lambda *_: told)
    found = letter_passport.where_is(LETTER, expect=place_name)
    assert isinstance(found, letter_passport.Whereabouts)
    assert found.places == [place_name] and decider in str(found)
    monkeypatch.setattr(letter_passport, "PATIENCE", 0.0)
    with pytest.raises(NotExpected, match="not in: Belts"):
        letter_passport.where_is(LETTER, expect="Belts")


def test_a_letter_that_was_refused_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise Trouble("No line names it.")

    monkeypatch.setattr(letter_passport, "followed", unknown)
    refused = replace(LETTER, answer="553 5.7.1 not yours")
    assert str(letter_passport.where_is(refused)) == "“Hello” is in: nowhere\n  553 5.7.1 not yours"


class Session:
    """An SMTP session that takes everything, and keeps it."""

    def __init__(self) -> None:
        self.sent = b""

    def mail(self, _: str) -> None: ...

    def rcpt(self, _: str) -> tuple[int, bytes]:
        return 250, b"2.1.5 Ok"

    def data(self, message: bytes) -> tuple[int, bytes]:
        self.sent = message
        return 250, b"2.0.0 Ok"


def test_a_letter_goes_out_with_the_line_ends_of_smtp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Postfix refuses a bare LF from strangers: https://www.postfix.org/smtp-smuggling.html"""
    session = Session()
    monkeypatch.setattr(where, "_now", [place(LAB)])
    monkeypatch.setattr(where.Place, "target", lambda *_: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(mail, "smtp", lambda *_: nullcontext(session))
    letter = letters.send("stranger@example.net", "foo", port=25, text="one\ntwo\n")
    assert not letter.refused and b"\n" not in session.sent.replace(b"\r\n", b"") and b"one\r\ntwo" in session.sent


def test_the_memory_of_a_part_is_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "amavis.service 2048\namavis.service 1024\n- 512"
    monkeypatch.setattr(remote, "execute", lambda *_, **__: Done(0, told, ""))
    assert memory.memory().rows == [["Amavis, with SpamAssassin in it", "2", "3"]]


def test_a_judgement_is_read_from_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    report = (
        "Content analysis details:   (1000.0 points, 5.0 required)\n 1000 GTUBE  BODY: Test\n-0.0 NO_RELAYS  Info\n"
    )
    monkeypatch.setattr(remote, "execute", lambda *_, **__: Done(0, report * 2, ""))
    shown = scanners.judge("x")
    assert shown.rows == [["1000", "GTUBE", "BODY: Test"]] and "1000.0 points" in shown.title


def test_the_compilers_words_are_the_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "sievec(root): script: line 2: error: unexpected tag\n"
    monkeypatch.setattr(remote, "execute", lambda *_, **__: Done(1, said, ""))
    assert errata.compiled(":days 1") == ("script: line 2: error: unexpected tag", False)


def test_bayes_counts_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "0.000          0          3          0  non-token data: nspam\n0.000   0  14   0  non-token data: nham\n"
    monkeypatch.setattr(remote, "execute", lambda *_, **__: Done(0, told, ""))
    assert learning.learned() == {"nspam": 3, "nham": 14, "ntokens": 0}
    assert isinstance(learning.move(Note("skipped"), "Junk"), Note)
