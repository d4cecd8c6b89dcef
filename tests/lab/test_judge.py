"""The world's judge on letters that have really come in: honest, forged, signed, altered, from an address without a name."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from lab import Host, names

FOO, ALICE, ZOE = "foo@example.test", "alice@example.net", "zoe@big.example"
SIGN = "dkimsign world example.net /etc/dkimkeys/world.private"  # what is on standard input, with the world's own key


@pytest.fixture
def nameless(world: Host, world_mx: Host, world_client: Host) -> Iterator[str]:
    """An address of the world's without a PTR record, until the end of the test."""
    net, _, _ = world.address.rpartition(".")
    taken = {int(host.address.rpartition(".")[2]) for host in (world_mx, world_client)}
    address = f"{net}.{names.octet('nameless', taken)}"
    card = "$(ip -o -4 address show scope global | awk '{print $2; exit}')"
    world.run(f"ip address replace {address}/24 dev {card}")
    yield address
    world.run(f"ip address del {address}/24 dev {card}")


def written(author: str, message_id: str) -> str:
    return f"From: {author}\nTo: {ALICE}\nSubject: A letter\nMessage-ID: {message_id}\n\nHello.\n"


def bring(
    world: Host, address: str, sender: str, letter: str, helo: str = "", tls: bool = True, to: str = ALICE
) -> str:
    """Hand a letter to the world's mail server, from one of the addresses that the world has: its last word on it."""
    way = f"swaks --server {world.address} --local-interface {address} --helo {helo or world.fqdn} {'--tls' if tls else ''}"
    said = world.run(f"{way} --from '{sender}' --to {to} --data -", stdin=letter, check=to == ALICE).stdout
    replies = re.findall(r"^<(?:~ |~\*|\*\*|- ) +(\d\d\d .*)$", said, re.MULTILINE)
    return next((one for one in replies if one[0] in "45"), replies[-2] if len(replies) > 1 else said)


def judged(world: Host, message_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while (done := world.run(["judge", message_id], check=False)).returncode == 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not done.returncode, done.stderr
    return dict(json.loads(done.stdout))


def ask(world: Host, address: str, sender: str = ALICE, author: str = ALICE, **way: Any) -> dict[str, Any]:
    message_id = f"<{uuid4()}@example.net>"
    bring(world, address, sender, written(author, message_id), **way)
    return judged(world, message_id)


def reason(told: dict[str, Any], place: str, many: str) -> str:
    assert (told["verdict"]["few"]["place"], told["verdict"]["many"]["place"]) == (place, many), told
    return str(told["verdict"]["few"]["reason"])


def test_an_honest_letter_passes_spf_and_has_no_signature(world: Host) -> None:
    told = ask(world, world.address)
    assert (told["spf"]["result"], told["spf"]["domain"], told["dkim"]) == ("pass", "example.net", [])
    assert told["dmarc"]["aligned"] == {"spf": True, "dkim": False} and told["dmarc"]["policy"] == "reject"
    assert told["client"] == {"address": world.address, "family": "IPv4", "helo": world.fqdn}
    assert told["tls"]["version"] == "TLSv1.3" and told["ptr"]["leads_back"] == [world.fqdn]
    assert "SPF has passed" in reason(told, "inbox", "refused")


def test_a_forged_envelope_fails_and_so_does_a_forged_author(world: Host) -> None:
    home = world.record["clients"]["ash.homes.example.net"]
    told = ask(world, home, FOO, FOO)
    assert (told["spf"]["result"], told["spf"]["domain"]) == ("fail", "example.test")
    assert told["dmarc"]["result"] == "fail" and told["ptr"]["leads_back"] == ["ash.homes.example.net"]
    assert "neither SPF nor DKIM" in reason(told, "refused", "refused")
    # honest on the envelope, forged in From: a top level that no list has is not one organization
    told = ask(world, world.address, ALICE, FOO)
    assert (told["spf"]["result"], told["dmarc"]["result"], told["dmarc"]["policy"]) == ("pass", "fail", "quarantine")
    assert "asks to file such letters as spam" in reason(told, "spam", "spam")


def test_a_bounce_is_judged_by_the_name_of_its_greeting(world: Host) -> None:
    told = ask(world, world.address, "<>", f"MAILER-DAEMON@{world.fqdn}")
    assert (told["spf"]["result"], told["spf"]["domain"], told["spf"]["identity"]) == ("pass", world.fqdn, "helo")
    # the host's name has no record of its own: that of the domain above it counts
    assert told["dmarc"]["result"] == "pass" and told["dmarc"]["policy"] == "reject"


@pytest.mark.parametrize(
    ("before", "after", "result", "why"),
    [
        ("", "", "pass", ""),
        ("Hello.", "Hullo.", "fail", "body hash mismatch"),
        ("Subject: A letter", "Subject: Another one", "fail", "signed is another one"),
        ("s=world", "s=nobody", "permerror", "no key at nobody._domainkey.example.net"),
    ],
)
def test_a_signature_holds_until_the_letter_is_altered(
    world: Host, before: str, after: str, result: str, why: str
) -> None:
    """opendkim, asked about the letter as it was delivered, says the same."""
    message_id = f"<{uuid4()}@example.net>"
    signed = world.run(SIGN, stdin=written(ALICE, message_id)).stdout
    assert before in signed
    bring(world, world.address, ALICE, signed.replace(before, after, 1) if before else signed)
    told = judged(world, message_id)
    (signature,) = told["dkim"]
    assert signature["domain"] == "example.net" and (signature["result"], why in signature["why"]) == (result, True)
    assert told["dmarc"]["aligned"] == {"spf": True, "dkim": result == "pass"}
    reason(told, "inbox", "inbox" if result == "pass" else "refused")
    opendkim = world.run(f"opendkim-testmsg <{told['path']}", check=False)
    assert (opendkim.returncode == 0) == (result == "pass"), opendkim.stderr


def test_an_address_without_a_name_and_a_letter_without_tls_are_told(world: Host, nameless: str) -> None:
    message_id = f"<{uuid4()}@example.net>"
    bring(world, nameless, ALICE, world.run(SIGN, stdin=written(ALICE, message_id)).stdout)
    told = judged(world, message_id)
    assert told["ptr"] == {"names": [], "leads_back": [], "why": ""} and told["spf"]["result"] == "fail"
    assert f"The address {nameless} has no name" in reason(told, "refused", "refused")
    told = ask(world, world.address, tls=False)
    assert told["tls"] == {"version": None, "cipher": None} and "without TLS" in reason(told, "refused", "refused")


def test_domains_agree_below_what_somebody_can_register(world: Host) -> None:
    pairs = {
        ("mx1.example.test", "example.test"): True,
        ("example.test", "other.test"): False,  # "test" is in no list of public suffixes
        ("my-shop.example", "your-shop.example"): False,
        ("a.shop.co.uk", "shop.co.uk"): True,
        ("shop.co.uk", "other.co.uk"): False,
    }
    ask = f"from judge.findings import agree; print([agree(*pair, 'r') for pair in {list(pairs)}], agree('a.b.net', 'b.net', 's'))"
    told = world.run(["env", "PYTHONPATH=/usr/local/lib", "python3", "-B", "-c", ask]).stdout
    assert told == f"{list(pairs.values())} False\n"


ODD = {
    "author: an encoded address": ("From: =?utf-8?q?foo=40example.test=2C?= <eve@example.org>", "none", "example.org"),
    "author: UTF-8": ("From: Bär <foo@bär.example>", "none", "xn--br-via.example"),
    "author: none": ("X-Nothing: here", "permerror", ""),
    "author: two": ("From: alice@example.net\nFrom: foo@example.test", "permerror", ""),
    "author: no name": ("From: foo@b..example", "permerror", "b..example"),
    "author: too long": (f"From: foo@{'x' * 80}.example", "permerror", f"{'x' * 80}.example"),
    "signature: none in it": (f"From: {ALICE}\nDKIM-Signature:\nDKIM-Signature: nothing", "pass", "example.net"),
    "signature: empty": (
        f"From: {ALICE}\nDKIM-Signature: v=1; a=rsa-sha256; d=; s=; b=; bh=; h=",
        "pass",
        "example.net",
    ),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_letter_is_judged_like_any_other(world: Host, odd: str) -> None:
    field, result, domain = ODD[odd]
    ours = f"Received: from {world.fqdn} (x [{world.address}])\n\tby {world.fqdn} (Postfix) with ESMTP id 1; now"
    letter = f"Return-Path: <{ALICE}>\n{ours}\n{field}\n\nHello.\n"
    told = json.loads(world.run("cat >/run/odd && judge /run/odd; rm /run/odd", stdin=letter).stdout)
    assert (told["dmarc"]["result"], told["dmarc"]["domain"]) == (result, domain) and told["spf"]["result"] == "pass"
    assert len(told["dkim"]) == field.count("DKIM") and "pass" not in {one["result"] for one in told["dkim"]}


def test_what_has_not_come_from_outside_is_not_judged(world: Host) -> None:
    never = world.run(["judge", "<never@example.net>"], check=False)
    assert never.returncode == 3 and "has arrived" in never.stderr and never.stdout == ""
    message_id = f"<{uuid4()}@example.net>"
    world.run(["sendmail", "-f", ALICE, ALICE], stdin=written(ALICE, message_id))
    deadline = time.monotonic() + 20
    while "was not brought" not in (done := world.run(["judge", message_id], check=False)).stderr:
        assert done.returncode == 3 and time.monotonic() < deadline
        time.sleep(0.2)


def test_nobody_is_asked_but_the_worlds_own_dns(world: Host) -> None:
    before = world.run("unbound-control stats_noreset | grep -E '^total.num.(queries|recursivereplies)='").stdout
    ask(world, world.address)
    after = world.run("unbound-control stats_noreset | grep -E '^total.num.(queries|recursivereplies)='").stdout
    asked, recursive = ([int(line.split("=")[1]) for line in text.split()] for text in (before, after))
    assert recursive[0] > asked[0] and recursive[1] == asked[1] == 0


# Who brings what: from the world itself or from elsewhere, in whose names, signed for example.net or not, and what becomes of it.
HONEST, NAMELESS = "world", "nameless"
BROUGHT = {
    "SPF alone": (HONEST, ALICE, ALICE, False, True, "inbox"),
    "DKIM alone, as a forwarder brings it": ("home", FOO, ALICE, True, True, "inbox"),
    "neither": ("home", ALICE, ALICE, False, True, "550 5.7.26"),
    "who asks to refuse": (HONEST, "x@example.org", ALICE, False, True, "550 5.7.26"),
    "who asks to file": (HONEST, ALICE, FOO, False, True, "spam"),
    "two authors": (HONEST, ALICE, f"{ALICE}, {FOO}", False, True, "550 5.7.1"),
    "no name": (NAMELESS, ALICE, ALICE, True, True, "550 5.7.25"),
    "no TLS": (HONEST, ALICE, ALICE, True, False, "550 5.7.29"),
    "a bounce": (HONEST, "<>", ALICE, False, True, "inbox"),
}


@pytest.mark.parametrize("brought", BROUGHT)
def test_the_big_receiver_refuses_files_or_takes(world: Host, nameless: str, brought: str) -> None:
    who, sender, author, signed, tls, becomes = BROUGHT[brought]
    address = {HONEST: world.address, NAMELESS: nameless}.get(who) or world.record["clients"]["ash.homes.example.net"]
    message_id = f"<{uuid4()}@example.net>"
    letter = written(author, message_id).replace("Hello.", "Hello.\n\n.dots\n  and blanks  \n\tend")
    letter = world.run(SIGN, stdin=letter).stdout if signed else letter
    said = bring(world, address, sender, letter, tls=tls, to=f"Zoe@BIG.example,{ALICE}" if who == HONEST else ZOE)
    found = f"grep -rlF '{message_id}' /var/mail/big"
    if becomes[0] == "5":
        assert said.startswith(becomes), said
        assert world.run(found, check=False).stdout == ""
        return
    assert said.startswith("250 2.0.0 Ok: queued"), said
    # delivered, and the judge that reads what was delivered says the same
    told = judged(world, message_id)
    path = world.run(found).stdout.strip()
    assert ("/.Junk/" in path) == (becomes == "spam")
    assert f"X-Verdict: {becomes}; {told['verdict']['few']['reason']}" in world.run(["cat", path]).stdout


def test_what_cannot_be_looked_up_may_be_brought_again_and_nobody_else_waits_for_it(world: Host) -> None:
    letter, home = written(ALICE, f"<{uuid4()}@example.net>"), world.record["clients"]["ash.homes.example.net"]
    world.run("systemctl stop unbound")
    try:
        assert bring(world, home, ALICE, letter, to=ZOE)[0] == "4"
    finally:
        world.run("systemctl start unbound")
    world.run("systemctl stop mailroom-judge")
    try:
        assert bring(world, home, ALICE, letter).startswith("250 ")
    finally:
        world.run("systemctl start mailroom-judge")
