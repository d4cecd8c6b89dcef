"""Letters that a stranger wants carried elsewhere, by every form of an address that some mail server once fell for."""

from __future__ import annotations

from collections.abc import Callable

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
    wire,
)

Count = Callable[..., None]
pytestmark = pytest.mark.usefixtures("no_mail")

# RCPT TO, as it stands between the brackets; user@example.org would end in the world's sink.
RECIPIENTS = (
    *(OUTSIDE, "somebody@EXAMPLE.ORG", "somebody@example.org.", '"somebody"@example.org', r"some\body@example.org"),
    *("somebody%example.org@example.test", "somebody%example.org@mx1.example.test", "somebody%example.org"),
    *("somebody%example.org@localhost", "somebody%example.org@[127.0.0.1]", "somebody%example.org%mx1.example.test"),
    *('"somebody%example.org"@example.test', "foo%example.org@example.test", "foo+x%example.org@example.test"),
    *("somebody@example.org@example.test", "foo@example.test@example.org", '"somebody@example.org"@example.test'),
    *('"somebody@example.org"', '"somebody@example.org"@mx1.example.test', '"somebody@example.org"@localhost'),
    *("@example.test:somebody@example.org", "@mx1.example.test,@example.org:somebody@example.org"),
    *("@[127.0.0.1]:somebody@example.org", "@example.org:foo@example.test"),
    *("example.org!somebody", "example.org!somebody@example.test", '"example.org!somebody"@example.test'),
    *("mx1.example.test!example.org!somebody", "example.org!foo@mx1.example.test"),
    *("somebody@[{world}]", "somebody@[127.0.0.1]", "somebody@[IPv6:::1]", "somebody@{world}", "somebody@[{mx}]"),
    *("somebody@", "@example.org", "somebody@.example.org", "somebody@example..org", "somebody"),
    *("sömebody@example.org", "somebody@exämple.org", "=?utf-8?q?somebody=40example.org?=@example.test"),
    *("foo@example.test,somebody@example.org", "foo@example.test somebody@example.org", "somebody@example.org\tx"),
    *(
        "|cat@example.test",
        '"|/bin/cat"@mx1.example.test',
        "/tmp/x@mx1.example.test",
        ":include:/etc/passwd@mx1.example.test",
    ),
    *("somebody@example.net@mx1.example.test", "-f@example.org", "somebody@lists.example.test"),
)
# MAIL FROM, for a letter to OUTSIDE: names that a server might take for its own people's.
SENDERS = (
    *(
        "<>",
        FOO,
        "FOO@EXAMPLE.TEST",
        "foo+x@example.test",
        "root@mx1.example.test",
        "postmaster",
        "root",
        "postmaster@localhost",
    ),
    *('"foo"@example.test', "<@example.test:foo@example.test>", "foo@[127.0.0.1]", "foo@[{mx}]", "foo@example.test."),
    *("<foo@example.test> AUTH=<foo@example.test>", "<stranger@example.net> AUTH=<foo@example.test>", "@example.test"),
    *("foo%example.test@example.net", "foo@lists.example.test"),
)


def relay(target: Target, host: Host, world: Host, long: bool = True) -> Family:
    """Every form, at port 25; without a login at the others; judged by what arrives out there, a bounce included."""
    family, sent = Family(), {}
    known = {"{world}": world.record["address"], "{mx}": host.record["address"]}
    envelopes = [(STRANGER, to) for to in RECIPIENTS] + [(sender, OUTSIDE) for sender in SENDERS]
    tries = [(25, "", one) for one in envelopes] + [(25, "starttls", one) for one in envelopes[:: 1 if long else 9]]
    for port, tls in ((587, "starttls"), (587, ""), (465, "wrapped")):
        tries += [(port, tls, one) for one in envelopes[:: 4 if long else 25]]
    for some in batched(tries, 6):
        for port, tls in dict.fromkeys((port, tls) for port, tls, _ in some):
            with wire(target, port, tls) as session:
                session.ask("EHLO client.example.net")
                for sender, to in [one for *door, one in some if door == [port, tls]]:
                    for name, address in known.items():
                        sender, to = sender.replace(name, address), to.replace(name, address)
                    mark, content = letter(sender=STRANGER, to=to)
                    sent[mark] = f"{port} {tls}: {sender} to {to}", hand_over(session, sender, to, content)
    found = arrived(host, world, sent)
    for mark, (name, reply) in sent.items():
        out = [path for path in found[mark] if path.startswith("world:")]
        family.judge(name, bool(out) or not reply, f"{reply} {out}")
    return family


def test_nothing_is_carried_for_a_stranger(
    mailserver: Host, world: Host, target: Target, count: Count, long: bool
) -> None:
    relay(target, mailserver, world, long).count(count, "relay", mailserver.suite)


# MAIL FROM of ours, in every spelling that leads to somebody here; a subdomain is another server's name.
OURS = (
    *(
        FOO,
        BAR,
        "FOO@EXAMPLE.TEST",
        "Foo@Example.Test",
        "foo+x@example.test",
        "nobody-here@example.test",
        "@example.test",
        "root@mx1.example.test",
        "root@localhost",
        "root@localhost.example.test",
        "root",
        "foo@[127.0.0.1]",
    ),
    *(
        '"foo"@example.test',
        r"\foo@example.test",
        r'"f\oo"@example.test',
        "foo@example.test.",
        "foo@example.test@example.test",
    ),
    *("<@example.net:foo@example.test>", "<@example.net,@example.org:foo@example.test>", "foo%x@example.test"),
    *("<foo@example.test> AUTH=<>", "<foo@example.test> SIZE=1", "< foo@example.test >", "postmaster@example.test"),
)
SUBDOMAIN = "news@lists.example.test"


def envelopes(target: Target, host: Host, world: Host) -> Family:
    """A stranger says on the envelope that he is one of us. Judged by what arrives at bar, and in whose name."""
    family, sent = Family(), {}
    for tls in ("", "starttls"):
        for some in batched(OURS, 6):
            with wire(target, 25, tls) as session:
                session.ask("EHLO client.example.net")
                for sender in some:
                    mark, content = letter(sender=STRANGER)
                    sent[mark] = f"{tls} {sender}".strip(), hand_over(session, sender, BAR, content)
    found = arrived(host, world, sent)
    for mark, (name, reply) in sent.items():
        family.judge(name, bool(found[mark]) or not reply.startswith("5"), f"{reply} {found[mark]}")
    return family


def test_a_stranger_is_nobody_of_ours_on_the_envelope(
    mailserver: Host, world: Host, target: Target, count: Count
) -> None:
    envelopes(target, mailserver, world).count(count, "MAIL FROM of ours, from outside", mailserver.suite)


def test_a_subdomain_is_not_ours(mailserver: Host, world: Host, target: Target) -> None:
    mark, content = letter(sender=SUBDOMAIN)
    with wire(target, 25) as session:
        session.ask("EHLO client.example.net")
        assert hand_over(session, SUBDOMAIN, BAR, content).startswith("250")
    assert len(arrived(mailserver, world, [mark])[mark]) == 1


CLOSED = (24, 79, 110, 111, 995, 2000, 3310, 5432, 10024, 10025, 10026, 10027, 10028, 12345, 24245, 783, 9998)


def test_what_is_inside_is_not_reached_from_outside(mailserver: Host, target: Target, count: Count) -> None:
    """Amavis, the way back, clamd, PostgreSQL, LMTP, doveadm, POP3 and others."""
    family = Family()
    for port in CLOSED:
        family.judge(str(port), not target.vantage.probe(target.address, port, timeout=3), "answers")
    family.count(count, "inner ports from outside", mailserver.suite)
