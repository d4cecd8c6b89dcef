"""The runbook's parts for chapters 3 and 5 that need no host: a letter's fate, its stations, and what an own server skips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from notebooks.workbench.experiment import errata, scanners, temporarily
from notebooks.workbench.host import memory, remote, where
from notebooks.workbench.host.remote import Done
from notebooks.workbench.message import belt, fate, learning, world
from notebooks.workbench.message.letters import Letter
from notebooks.workbench.show.errors import NotAllowed, NotExpected
from notebooks.workbench.show.html import Note

LETTER = Letter("alice@example.net", "foo@example.test", "Hello", 25, "<1@example.net>", 0.0)
LAB = {"hosts": {"mx1": {"name": "mx1", "role": "mail"}, "world": {"name": "world", "role": "world"}}}
DATA = {"mail_hostname": "mx1.example.test", "mail_domains": ["example.test"], "mail_home": "/home/mail"}
MAILDIR = "/home/mail/example.test/foo"


def place(lab: dict[str, Any]) -> where.Place:
    return where.Place("mx1", DATA, [], ["mx1"], lab, Path("none"))


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
    for after in (fate.where_is(letter, expect="INBOX"), fate.headers(letter), fate.take_out(letter)):
        assert after is letter
    assert learning.move(letter, "Junk") is letter and asked == []


def test_nothing_is_taken_out_of_an_own_server(asked: list[str]) -> None:
    with pytest.raises(NotAllowed):
        fate.take_out(LETTER)
    assert asked == []


@pytest.mark.parametrize(
    ("said", "place_name", "rests"),
    [
        (f"mailbox {MAILDIR}/new/1.mx1", "INBOX", True),
        (f"mailbox {MAILDIR}/.Junk/cur/1.mx1", "Junk", True),
        ("quarantine /var/lib/amavis/virusmails/virus-a", "quarantine", True),
        (f"quarantine /var/lib/amavis/virusmails/virus-a\nmailbox {MAILDIR}/new/1", "INBOX", True),
        ("queue ABC123 (451 4.5.0 not now)", "queue", True),
        ("queue ABC123 foo@example.test", "queue", False),
        ("", "nowhere", False),
    ],
)
def test_a_letters_fate(said: str, place_name: str, rests: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, "_now", [place(LAB)])
    monkeypatch.setattr(remote, "execute", lambda *_, **__: Done(0, said, ""))
    found = fate.look(LETTER)
    assert found.place == place_name
    assert fate.settle(LETTER, patience=0) == found
    assert found.rests is rests
    monkeypatch.setattr(fate, "PATIENCE", 0.0)
    with pytest.raises(NotExpected, match="not in: Belts"):
        fate.where_is(LETTER, expect="Belts")


def lines(relay: str, status: str) -> list[str]:
    return [
        "09:00 postfix/qmgr[1]: AB12CD34: from=<carol@example.net>, size=9, nrcpt=1 (queue active)",
        f"09:00 postfix/amavis/smtp[2]: AB12CD34: to=<foo@example.test>, relay={relay}, delay=1, {status}",
        "09:00 postfix/bounce[3]: AB12CD34: sender non-delivery notification: EF56",
    ]


@pytest.mark.parametrize(
    ("relay", "status", "name"),
    [
        ("127.0.0.1[127.0.0.1]:10024", "status=sent (250 2.0.0 from MTA: 250 2.0.0 Ok: queued as EF56)", "looked at"),
        (
            "127.0.0.1[127.0.0.1]:10026",
            "status=sent (250 2.7.0 Ok, discarded, id=1 - INFECTED: x)",
            "held by the workers",
        ),
        ("127.0.0.1[127.0.0.1]:10024", "status=deferred (451 4.5.0 not now)", "deferred"),
        ("mx1[private/dovecot-lmtp]", "status=sent (250 2.0.0 <foo@example.test> Saved)", "delivered"),
    ],
)
def test_a_letters_stations_at_the_workers(relay: str, status: str, name: str) -> None:
    stations = belt.stations(lines(relay, status), "AB12CD34", 25)
    assert stations[1].name == name
    assert stations[2].name == "a letter back" and "carol@example.net" in stations[2].what


def test_the_memory_of_a_part_is_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "2048 /usr/sbin/amavisd (master)\n1024 /usr/sbin/amavisd (ch1-avail)\n512 bash\ntotal 2000"
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
