"""What is judged at the door: forged, forwarded, changed by a list, sealed; where each letter ends, and what our line says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from checks.engine.target import Target
from lab import Host
from tests.live.passports import hops, told
from tests.live.sealing import LISTS, TRUSTED, Made, published
from tests.live.stranger import VICTIM, bring, mark, raw
from tests.live.support import MAILSERVER, applied
from tests.live.traffic import INBOX, delivered, folder, read

FOO, BAR = "foo@example.test", "bar@example.test"
BOSS, ALICE = "boss@example.net", "alice@example.net"  # example.net asks to refuse what nothing proves
LINE = r"(?m)^Authentication-Results: (.*(?:\n[ \t].*)*)"
SIGNED = "sign('example.net')\n"
LISTED = (
    f"{SIGNED}change('Subject: A letter', 'Subject: [list] A letter')\n"  # as a list does, and no signature survives
)
SEEN = "dkim=pass header.d=example.net; dmarc=pass (p=reject) header.from=example.net"
LETTERS = {
    "forged": Made(BOSS, "Junk", "dmarc=fail (p=reject) header.from=example.net"),
    "forged, in capitals": Made(BOSS.upper(), "Junk", "dmarc=fail (p=reject) header.from=example.net"),
    "forged below the domain": Made("boss@news.example.net", "Junk", "dmarc=fail (p=reject)"),
    "forged as the second author": Made(f"dave@example.com, {BOSS}", "Junk", "dmarc=fail (p=reject)"),
    "forged in our name": Made(FOO, "Junk", "dmarc=fail (p=quarantine) header.from=example.test"),
    # a list that signs was let through, as long as nobody asked for more
    "in our name by a list that signs": Made(
        FOO, "Junk", "dmarc=fail (p=quarantine)", "sign(LISTS)", "List-Id: <lists.example.com>\n"
    ),
    "quarantine": Made("carol@example.org", "Junk", "dmarc=fail (p=quarantine)"),
    "sp=none": Made("carol@sub.example.org", INBOX, "dmarc=fail (p=none)"),
    "none, and SPF fails": Made("dave@example.com", INBOX, "spf=fail smtp.mailfrom=example.com"),
    "np, for a name that is not there": Made("dave@ghost.example.com", "Junk", "dmarc=fail (p=reject)"),
    "t=y": Made("dave@trying.example.com", INBOX, "dmarc=fail (p=quarantine, taken as none)"),
    "pct=0": Made("dave@share.example.com", INBOX, "dmarc=fail (p=quarantine, taken as none)"),
    "no policy": Made("dave@homes.example", INBOX, "dmarc=none header.from=homes.example"),
    "SPF with eleven questions": Made("dave@example.com", INBOX, "spf=permerror", sender="x@many.example.org"),
    "a bounce": Made("MAILER-DAEMON@example.net", INBOX, "spf=pass smtp.helo=world.example.net", sender="", at=""),
    "SPF of the author": Made(ALICE, INBOX, "dmarc=pass (p=reject)", sender=ALICE, at=""),
    "a forward with its signature": Made(ALICE, INBOX, "dmarc=pass (p=reject)", SIGNED),
    "a forward of a changed letter": Made(
        ALICE, "Junk", "dkim=fail (body has been altered)", f"{SIGNED}change('A letter.', 'A lie.')"
    ),
    "with a second From": Made(
        ALICE, "Junk", "dkim=policy (not all From signed)", f"{SIGNED}letter = b'From: {BOSS}\\r\\n' + letter"
    ),
    "a signature with l=": Made(
        ALICE, "Junk", "dkim=policy (l= leaves text unsigned)", "sign('example.net', length=True)"
    ),
    "a short key": Made(ALICE, "Junk", "dkim=policy (768 bit key)", "sign('example.net', SHORT, 'short')"),
    "a key on trial": Made(ALICE, INBOX, "dmarc=pass", "sign('example.net', selector='testing')"),
    "strict": Made("dave@strict.example.com", INBOX, "dmarc=pass (p=reject)", "sign('strict.example.com')"),
    "strict, by a sister domain": Made("dave@strict.example.com", "Junk", "dmarc=fail (p=reject)", "sign(LISTS)"),
    "a list that writes as itself": Made(
        f'"Alice via Lists" <list@{LISTS}>', INBOX, "dmarc=pass", "sign(LISTS)", f"Reply-To: {ALICE}\n"
    ),
    "a list that changes": Made(ALICE, "Junk", "dmarc=fail (p=reject)", LISTED),
    "sealed": Made(
        ALICE, INBOX, f"dmarc=fail (p=reject, but {LISTS} has seen it proved)", f"{LISTED}seal(LISTS, {SEEN!r})"
    ),
    "sealed by another": Made(ALICE, "Junk", "arc=pass", f"{LISTED}seal(OTHER, {SEEN!r})"),
    "sealed, and then by another": Made(
        ALICE, "Junk", "arc=pass", f"{LISTED}seal(LISTS, {SEEN!r})\nchange('[list]', '[lie]')\nseal(OTHER, 'arc=pass')"
    ),
    "sealed, and changed": Made(
        ALICE, "Junk", "arc=fail", f"{LISTED}seal(LISTS, {SEEN!r})\nchange('A letter.', 'A lie.')"
    ),
    "sealed, with another word": Made(
        ALICE,
        "Junk",
        "arc=fail",
        f"{LISTED}seal(LISTS, 'dmarc=fail')\nchange('dmarc=fail', 'dmarc=pass header.from=example.net')",
    ),
    "sealed as not proved": Made(
        ALICE,
        "Junk",
        "arc=pass",
        f"{LISTED}seal(LISTS, 'dkim=fail header.d=example.net; dmarc=fail header.from=example.net')",
    ),
    "sealed with a number that is none": Made(
        ALICE,
        "Junk",
        "arc=fail",
        f"{LISTED}seal(LISTS, {SEEN!r})\nletter = letter.replace(b'ARC-Seal: i=1;', b'ARC-Seal: i=-9;')",
    ),
    "sealed for somebody else": Made(
        BOSS, "Junk", "arc=pass", "seal(LISTS, 'dkim=pass header.d=example.com; dmarc=pass header.from=example.com')"
    ),
}


@pytest.fixture
def door(mailserver: Host, world: Host) -> Iterator[Host]:
    """The same server, with one list that is trusted, and the world's DNS with all policies and keys."""
    applied(MAILSERVER, *TRUSTED)
    with published(world):
        yield mailserver
    applied(MAILSERVER)
    assert applied(MAILSERVER).changes == 0


def line(host: Host, path: str) -> str:
    """Our line about a letter: the only one of ours, and above every Received that is not of this host."""
    head = read(host, path).partition("\n\n")[0]
    ours = [one for one in re.findall(LINE, head) if re.match(r"(?i)[\s(]*mx1[.]example[.]test", one)]
    assert len(ours) == 1, head
    return re.sub(r"\s+", " ", ours[0])


@pytest.mark.usefixtures("no_mail")
def test_each_letter_ends_where_it_should(door: Host, world: Host) -> None:
    second = applied(MAILSERVER, *TRUSTED, "--debug")
    assert (second.changes, second.commands) == (0, 2), second.changed
    sent = {name: made.brought(world, BAR) for name, made in LETTERS.items()}
    wrong = []
    for name, made in LETTERS.items():
        path = delivered(door, sent[name], 120)
        said, ends = line(door, path), folder(path)
        status = re.search(r"(?m)^X-Spam-Status: .*(?:\n\s.*)*", read(door, path))
        why = re.sub(r"\s+", " ", status[0] if status else "")
        if ends != made.ends or made.said not in said or ("MAILROOM_DMARC=" in why) != (ends == "Junk"):
            wrong.append(f"{name}: {ends}, not {made.ends}: {said} {why}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.usefixtures("no_mail")
def test_a_verdict_that_a_stranger_brings_along_goes_and_others_stay(mailserver: Host, world: Host) -> None:
    forged = ("mx1.example.test", "MX1.Example.Test/1", "(x) mx1.example.test (y)", '"mx1.example.test"')
    head = "".join(f"Authentication-Results: {name};\n\tdmarc=pass header.from=bank.example\n" for name in forged)
    head += "Authentication-Results: mx.example.org; dkim=pass header.d=example.org\n"
    path = delivered(mailserver, Made("dave@example.com", INBOX, head=head).brought(world, BAR))
    assert "bank.example" not in read(mailserver, path) and "mx.example.org; dkim=pass" in read(mailserver, path)
    assert line(mailserver, path).startswith("mx1.example.test; spf=fail ")


@pytest.mark.usefixtures("no_mail")
def test_nothing_is_filed_or_lost_where_the_dns_does_not_answer(mailserver: Host, world: Host) -> None:
    """The host cannot reach its resolver, and the letter comes from elsewhere."""
    mailserver.run(f"ip route add blackhole {world.address}")
    try:
        which = mark()
        assert bring(
            mailserver, raw(which, to=BAR).replace(VICTIM.encode(), BOSS.encode()), f"<{BAR}>", sender=BOSS
        ).startswith("250")
        path = delivered(mailserver, which, 120)
        said = line(mailserver, path)
    finally:
        mailserver.run(f"ip route del blackhole {world.address}")
    assert folder(path) == INBOX and "spf=temperror" in said and "dmarc=temperror header.from=example.net" in said


@pytest.mark.usefixtures("no_mail")
def test_dmarc_alone_never_refuses_and_without_the_network_nothing_is_judged(mailserver: Host, world: Host) -> None:
    """Also where what is filed and what is refused begin at the same score."""
    try:
        applied(MAILSERVER, "--data", "spam_refuse_score=5")
        path = delivered(mailserver, LETTERS["forged"].brought(world, BAR))
        assert folder(path) == "Junk" and "amavis, port 10028" in read(mailserver, path)
        applied(MAILSERVER, "--data", "spam_network_tests=no")
        path = delivered(mailserver, Made(BOSS, INBOX, done=SIGNED).brought(world, BAR))
        assert folder(path) == INBOX and line(mailserver, path) == "mx1.example.test; none"
    finally:
        applied(MAILSERVER)
    assert applied(MAILSERVER).changes == 0


@pytest.mark.usefixtures("no_mail")
def test_the_passport_says_who_asked_for_it(target: Target, world: Host) -> None:
    which = LETTERS["forged"].brought(world, BAR)
    (hop,) = hops(told(target, f"<{which}@example.net>"), "Amavis")
    assert "filed for example.net" in hop.what and hop.setting == "dmarc=fail (p=reject) header.from=example.net"
    assert (hop.chapter, hop.step) == (6, "door")
