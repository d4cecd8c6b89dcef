"""Whose name stands on a letter: on the envelope, in the header, at every door."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import formatdate

import pytest

from checks.engine.target import Target
from lab import Host
from tests.faults.attacking import (
    BAR,
    FOO,
    OUTSIDE,
    STRANGER,
    Family,
    arrived,
    batched,
    hand_over,
    letter,
    log_in,
    wire,
)
from tests.live import traffic

Count = Callable[..., None]
pytestmark = pytest.mark.usefixtures("no_mail")

# What a user may not write: the field, or two of them. The names of the forms are the names in a failure.
FORGED: dict[str, list[tuple[str, str]]] = {
    "another mailbox": [("From", BAR)],
    "an alias of another": [("From", "his@example.test")],
    "nobody's address": [("From", "ceo@example.test")],
    "elsewhere": [("From", "ceo@example.org")],
    "upper case": [("From", "BAR@EXAMPLE.TEST")],
    "an extension of another": [("From", "bar+foo@example.test")],
    "the host's own name": [("From", "root@mx1.example.test")],
    "a subdomain": [("From", "foo@sub.example.test")],
    "a trailing dot": [("From", "bar@example.test.")],
    "a name before it": [("From", f'"Foo" <{BAR}>')],
    "our name before another address": [("From", f'"{FOO}" <{BAR}>')],
    "another address as the name": [("From", f'"{BAR}" <{FOO}>')],
    "another address as a bare name": [("From", f"{BAR} <{FOO}>")],
    "another address as an encoded name": [("From", f"=?utf-8?B?YmFyQGV4YW1wbGUudGVzdA==?= <{FOO}>")],
    "another address in two encoded words": [("From", f"=?utf-8?Q?bar=40exam?= =?utf-8?Q?ple.test?= <{FOO}>")],
    "another address in quoted encoded words": [("From", f'"=?utf-8?Q?bar=40example.test?=" <{FOO}>')],
    "another address with a wide @": [("From", f'"bar＠example.test" <{FOO}>')],
    "another address as a comment": [("From", f"{FOO} ({BAR})")],
    "two addresses": [("From", f"{FOO}, {BAR}")],
    "two addresses the other way": [("From", f"{BAR}, {FOO}")],
    "two in brackets": [("From", f"<{FOO}> <{BAR}>")],
    "two From": [("From", FOO), ("From", BAR)],
    "two From the other way": [("From", BAR), ("From", FOO)],
    "two From, one with a blank": [("From", FOO), ("From ", BAR)],
    "two From, one in capitals": [("FROM", BAR), ("From", FOO)],
    "a group": [("From", f"people: {BAR};")],
    "an empty group": [("From", "people:;")],
    "a source route": [("From", f"<@example.test:{BAR}>")],
    "a comment inside": [("From", "bar(x)@example.test")],
    "a quoted local part": [("From", '"bar"@example.test')],
    "blanks around the @": [("From", "bar @ example.test")],
    "folded": [("From", "bar\r\n @example.test")],
    "nothing": [("From", "")],
    "empty brackets": [("From", "<>")],
    "a bare name": [("From", "bar")],
    "a percent hack": [("From", "bar%example.test@example.test")],
    "a bang path": [("From", "example.test!bar")],
    "an unclosed quote": [("From", f'"foo <{BAR}>')],
    "an unclosed comment": [("From", f"({FOO} <{BAR}>")],
    "a Sender of another": [("Sender", BAR)],
    "From of another with our Sender": [("From", BAR), ("Sender", FOO)],
    "Resent-From of another": [("Resent-From", BAR)],
    "From of another with our Resent-From": [("From", BAR), ("Resent-From", FOO)],
    "Resent-Sender of another": [("Resent-Sender", BAR)],
}

# What a user writes in earnest.
HONEST: dict[str, list[tuple[str, str]]] = {
    "plain": [("From", FOO)],
    "with a name": [("From", f"Foo Lastname <{FOO}>")],
    "with a comma in the name": [("From", f'"Lastname, Foo" <{FOO}>')],
    "upper case": [("From", "Foo@Example.Test")],
    "the address as its own name": [("From", f'"{FOO}" <{FOO}>')],
    "an encoded name": [("From", f"=?utf-8?Q?J=C3=BCrgen?= <{FOO}>")],
    "a name in eight bits": [("From", f"Jürgen <{FOO}>")],
    "a comment": [("From", f"{FOO} (Foo at home)")],
    "an extension": [("From", "foo+lists@example.test")],
    "his alias": [("From", "mine@example.test")],
    "an alias of two": [("From", "sales@example.test")],
    "two of his own": [("From", f"{FOO}, mine@example.test"), ("Sender", FOO)],
    "alias and Sender": [("From", "sales@example.test"), ("Sender", FOO)],
    "an answer to somebody else": [("Reply-To", OUTSIDE)],
    "folded": [("From", f"Foo\r\n Lastname\r\n <{FOO}>")],
    "resent": [("Resent-From", FOO), ("Resent-To", BAR)],
}


@pytest.fixture
def aliases(mailserver: Host) -> object:
    """mine@ leads to foo, his@ to bar, sales@ to both."""
    sql = "cd /; runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 -d mail"
    rows = "('mine@example.test', 'foo@example.test'), ('his@example.test', 'bar@example.test')"
    rows += ", ('sales@example.test', 'foo@example.test,bar@example.test')"
    mailserver.run(sql, stdin=f"INSERT INTO aliases VALUES {rows};")
    yield
    mailserver.run(
        sql, stdin="DELETE FROM aliases WHERE alias IN ('mine@example.test', 'his@example.test', 'sales@example.test');"
    )


@pytest.mark.usefixtures("aliases")
def test_nobody_writes_in_anothers_name_in_the_header(
    mailserver: Host, world: Host, target: Target, count: Count, long: bool
) -> None:
    """Logged in as foo, with foo's envelope: the From that people read is foo's too, or the sender himself is told no."""
    family, sent = Family(), {}
    for port in (587, 465) if long else (587,):
        for some in batched(FORGED.items(), 3):  # after some errors Postfix answers slowly
            with wire(target, port) as session:
                log_in(session, target)
                for name, fields in some:
                    mark, content = letter(*fields)
                    sent[mark] = f"{port}, {name}", hand_over(session, FOO, BAR, content)
    found = arrived(mailserver, world, sent)
    for mark, (name, reply) in sent.items():
        family.judge(name, bool(found[mark]) or not reply.startswith("5"), f"{reply} {found[mark]}")
    family.count(count, "header From of another, logged in", mailserver.suite)


@pytest.mark.usefixtures("aliases")
def test_everybody_writes_in_his_own_name(mailserver: Host, world: Host, target: Target) -> None:
    sent = {}
    with wire(target, 587) as session:
        log_in(session, target)
        for name, fields in HONEST.items():
            mark, content = letter(*fields)
            sent[mark] = name, hand_over(session, FOO, BAR, content)
    found = arrived(mailserver, world, sent)
    wrong = [f"{name}: {reply} {found[mark]}" for mark, (name, reply) in sent.items() if len(found[mark]) != 1]
    assert not wrong, "\n".join(wrong)


# What a stranger writes to look like one of us: the fields.
POSING: dict[str, list[tuple[str, str]]] = {
    "foo": [("From", FOO)],
    "foo with a name": [("From", f"Foo Lastname <{FOO}>")],
    "upper case": [("From", "FOO@EXAMPLE.TEST")],
    "an extension": [("From", "foo+x@example.test")],
    "nobody's address": [("From", "ceo@example.test")],
    "a trailing dot": [("From", "<foo@example.test.>")],
    "a bare name": [("From", "foo")],
    "a bare name in brackets": [("From", "The boss <foo>")],
    "a bare Sender": [("From", STRANGER), ("Sender", "foo")],
    "our address as his name": [("From", f'"{FOO}" <{STRANGER}>')],
    "our address as a bare name": [("From", f"{FOO} <{STRANGER}>")],
    "our address as an encoded name": [("From", f"=?utf-8?B?Zm9vQGV4YW1wbGUudGVzdA==?= <{STRANGER}>")],
    "our address in quoted encoded words": [("From", f'"=?utf-8?Q?foo=40example.test?=" <{STRANGER}>')],
    "our address with a wide @": [("From", f'"foo＠example.test" <{STRANGER}>')],
    "our address as a comment": [("From", f"{STRANGER} ({FOO})")],
    "two addresses": [("From", f"{STRANGER}, {FOO}")],
    "two addresses the other way": [("From", f"{FOO}, {STRANGER}")],
    "two From": [("From", STRANGER), ("From", FOO)],
    "two From the other way": [("From", FOO), ("From", STRANGER)],
    "From with a blank": [("From ", FOO)],
    "a group": [("From", f"us: {FOO};")],
    "a quoted local part": [("From", '"foo"@example.test')],
    "blanks around the @": [("From", "foo @ example.test")],
    "folded": [("From", "foo\r\n @example.test")],
    "Sender": [("From", STRANGER), ("Sender", FOO)],
    "with a list's header that nobody has signed": [("From", FOO), ("List-Id", "<list.example.net>")],
    "with a verdict of his own": [("From", FOO), ("X-Spam-Flag", "NO"), ("X-Spam-Status", "No, score=-99")],
    "with our seal of his own": [
        ("From", FOO),
        ("Authentication-Results", "mx1.example.test; dkim=pass header.d=example.test"),
        ("DKIM-Signature", "v=1; a=rsa-sha256; d=example.test; s=x; h=from; bh=YQ==; b=YQ=="),
    ],
    "with our stamps of his own": [
        (
            "Received",
            f"from foo (foo [127.0.0.1]) by mx1.example.test (Postfix) with ESMTPSA id 1; {formatdate()}",
        ),
        ("From", FOO),
    ],
}


def test_a_stranger_who_poses_as_one_of_us_is_filed(
    mailserver: Host, world: Host, target: Target, count: Count
) -> None:
    """Not refused, as a forwarder would bring the same: into Junk, and never completed to an address of ours."""
    family, sent = Family(), {}
    for some in batched(POSING.items(), 6):
        with wire(target, 25) as session:
            session.ask("EHLO client.example.net")
            for name, fields in some:
                mark, content = letter(*fields)
                sent[mark] = name, hand_over(session, STRANGER, BAR, content)
    found = arrived(mailserver, world, sent, 90)
    for mark, (name, reply) in sent.items():
        inbox = [path for path in found[mark] if traffic.folder(path) != "Junk"]
        lost = reply.startswith("2") and not found[mark]
        shown = [traffic.read(mailserver, path).partition("\n\n")[0] for path in inbox]
        ours = [
            head for head in shown if "bare" not in name or re.search(r"^(From|Sender):.*@example\.test", head, re.M)
        ]
        family.judge(name, bool(ours) or lost, f"{reply} {found[mark]}")
    family.count(count, "header From of ours, from outside", mailserver.suite)


def test_what_is_no_forgery_is_not_filed(mailserver: Host, world: Host, target: Target) -> None:
    """A list that writes as itself brings foo's letter; a name like ours is other people's; this host's own mail. A subdomain of
    ours is ours to DMARC (tests/live/test_door.py), as is a list that leaves foo in From: our record asks to file what nothing proves."""
    sent = {}
    fields: dict[str, list[tuple[str, str]]] = {
        "a list that writes as itself": [
            ("From", "Foo via list <list@example.net>"),
            ("List-Id", "<list.example.net>"),
            ("Reply-To", FOO),
        ],
        "a name that ends like ours": [("From", "foo@notexample.test")],
        "a name that begins like ours": [("From", "foo@example.test.example.net")],
        "our address in the subject": [("From", STRANGER), ("Subject", f"for {FOO}")],
        "in Reply-To": [("From", STRANGER), ("Reply-To", FOO)],
    }
    for name, some in fields.items():
        mark, content = letter(*some, sender=traffic.ALICE)
        traffic.send(world, content.decode().replace("\r\n", "\n"), BAR, sender="list-bounces@example.net")
        sent[mark] = name
    mark, content = letter(("From", FOO))
    mailserver.run(["sendmail", "-f", "root@mx1.example.test", BAR], stdin=content.decode().replace("\r\n", "\n"))
    sent[mark] = "this host's own"
    mark, content = letter(("From", f'"{FOO}" <{FOO}>'))
    with wire(target, 587) as session:
        log_in(session, target)
        hand_over(session, FOO, BAR, content)
    sent[mark] = "a user's own"
    found = arrived(mailserver, world, sent, 90)
    wrong = [
        f"{name}: {found[mark]}" for mark, name in sent.items() if [traffic.folder(p) for p in found[mark]] != ["INBOX"]
    ]
    assert not wrong, "\n".join(wrong)
