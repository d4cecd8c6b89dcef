"""A virus in every hiding place, and letters that are only too much: each ends held or refused, none in a mailbox, and the
workers are quick afterwards. Readers are told of what nobody could look into; honest letters arrive as they were sent."""

import base64
import smtplib
import time
from collections.abc import Callable
from uuid import uuid4

import pytest

from checks.clients.samples import EICAR
from lab import Host
from tests.faults.hiding import packed
from tests.faults.places import HONEST, LONG, SHORT, TRICKS, attached, file, letter
from tests.faults.programs import PROGRAMS, from_programs
from tests.live import traffic

FOO = "foo@example.test"
HOME = "elm.homes.example.net"
PROGRAMS_SHORT = {"7z", "zip, sealed", "lz4"}
TOLD = {"zip, sealed", "in 25 zips", "among 12,000 files", "behind 120 MB of zeros"}


def hand_over(host: Host, raw: bytes) -> str:
    """The last answer of port 25 to a letter from alice."""
    with smtplib.SMTP("127.0.0.1", host.record["ports"]["25"], timeout=120) as client:
        client.ehlo(HOME)
        try:
            client.sendmail(traffic.ALICE, [FOO], raw)
        except smtplib.SMTPResponseException as error:
            return f"{error.smtp_code} {error.smtp_error!r}"
    return "250"


def own(host: Host, mark: str, found: list[str]) -> list[str]:
    """Of these files, the letter itself: a notice to its reader quotes its Message-ID."""
    return [
        path for path in found if f"\nMessage-ID: <{mark}@example.net>" in traffic.read(host, path).partition("\n\n")[0]
    ]


@pytest.mark.usefixtures("no_mail")
def test_bombs_and_hiding_places(mailserver: Host, world: Host, long: bool, count: Callable[..., None]) -> None:
    letters = {name: letter(uuid4().hex, FOO, *parts()) for name, parts in {**SHORT, **(LONG if long else {})}.items()}
    for name, made in from_programs(mailserver, set(PROGRAMS) if long else PROGRAMS_SHORT):
        assert made, name
        letters[name] = letter(uuid4().hex, FOO, attached(f"a.{name.split(',')[0]}", made))
    for name in TRICKS if long else ("two boundaries",):
        letters[name] = TRICKS[name](letter(uuid4().hex, FOO, *file("a.zip", lambda: packed({"e.txt": EICAR}))()))
    marks = {name: raw.partition(b"Message-ID: <")[2][:32].decode() for name, raw in letters.items()}
    refused = {name for name, raw in letters.items() if not hand_over(mailserver, raw).startswith("250")}
    traffic.settled(mailserver, patience=600 if long else 180)
    found = traffic.places(mailserver, marks.values())
    reached = {name for name, mark in marks.items() if own(mailserver, mark, found[mark])}
    held = {name for name, mark in marks.items() if traffic.held(mailserver, mark)}
    count("attacks", "bombs", mailserver.suite, tried=len(letters), refused=len(held | refused), got_in=len(reached))
    assert not reached and held | refused == set(letters), set(letters) - held - refused
    told = {name for name in TOLD if found[marks[name]]}
    assert told == TOLD, TOLD - told
    begin = time.monotonic()
    mark, raw = traffic.message(FOO)
    assert hand_over(mailserver, raw.replace("\n", "\r\n").encode()) == "250"
    traffic.delivered(mailserver, mark, 30)
    assert time.monotonic() - begin < 15
    assert mailserver.run("find /var/lib/amavis/tmp -mindepth 3 -type f").stdout.split("\n")[:-1] == []
    traffic.settled(world)
    assert traffic.mail_out_there(world) == []


@pytest.mark.usefixtures("no_mail")
def test_honest_letters_arrive_as_they_were_sent(mailserver: Host, count: Callable[..., None]) -> None:
    """Sealed, forwarded, packed: nothing of ours below our own lines, and no mark in the subject."""
    sent = {name: letter(uuid4().hex, FOO, *parts(), head=head) for name, (head, parts) in HONEST.items()}
    marks = {name: raw.partition(b"Message-ID: <")[2][:32].decode() for name, raw in sent.items()}
    for raw in sent.values():
        assert hand_over(mailserver, raw) == "250"
    traffic.settled(mailserver)
    got = {}
    for name, mark in marks.items():
        for path in traffic.places(mailserver, [mark])[mark]:
            got[name] = base64.b64decode(mailserver.run(["base64", path]).stdout)
    same = {name for name in got if got[name].endswith(sent[name].replace(b"\r\n", b"\n"))}
    count(
        "odd mail",
        "sealed, packed, forwarded",
        mailserver.suite,
        tried=len(sent),
        identical=len(same),
        refused=0,
        altered=len(sent) - len(same),
    )
    assert same == set(sent), set(sent) - same
