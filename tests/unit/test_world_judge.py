"""The judge of the lab's world, without a world: which lines of a letter it believes, and its verdict for each set of findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from judge import letter, rules

HOST = "world.example.net"
TLS = """
\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
\t key-exchange x25519 server-signature ECDSA (prime256v1) server-digest SHA256)
\t(No client certificate requested)"""
# as Postfix 3.10 has written it, and below it what the sender wants to be believed
DELIVERED = """\
Return-Path: <{sender}>
X-Original-To: alice@example.net
Delivered-To: alice@example.net
Received: from {helo} ({name} [{address}]){tls}
\tby world.example.net (Postfix) with ESMTP id 08AC321C929
\tfor <alice@example.net>; Sun, 29 Nov 2026 22:06:30 +0000 (UTC)
Received: from bank.example (bank.example [192.0.2.1]) by world.example.net (Postfix) with ESMTPS id 1
Return-Path: <president@bank.example>
From: =?utf-8?q?B=C3=A4r?= <foo@example.test>
Message-ID: <1@example.test>

Hello.
"""


def delivered(folder: Path, **words: str) -> Path:
    told = {"sender": "foo@example.test", "helo": "mx1.example.test", "name": "mx1.example.test", "tls": TLS}
    file = folder / "new" / "1.world"
    file.parent.mkdir(exist_ok=True)
    file.write_text(DELIVERED.format(**{**told, "address": "198.18.3.10", **words}))
    return file


def test_only_the_worlds_own_lines_are_believed(tmp_path: Path) -> None:
    read = letter.read(delivered(tmp_path), HOST)
    assert (read.address, read.helo, read.sender) == ("198.18.3.10", "mx1.example.test", "foo@example.test")
    assert read.tls == ("TLSv1.3", "TLS_AES_256_GCM_SHA384") and read.authors == ("foo@example.test",)
    # what was signed is what came over the connection
    assert read.message.startswith(b"Received: from bank.example") and read.message.endswith(b"\r\n\r\nHello.\r\n")
    assert b"\n" not in read.message.replace(b"\r\n", b"")


def test_a_letter_without_tls_a_bounce_and_one_over_ipv6(tmp_path: Path) -> None:
    read = letter.read(delivered(tmp_path, sender="", tls="", name="unknown", address="IPv6:2001:db8::1"), HOST)
    assert (read.tls, read.sender, read.address) == (None, "", "2001:db8::1")


def test_a_letter_is_found_by_its_message_id(tmp_path: Path) -> None:
    file = delivered(tmp_path)
    for asked in ("<1@example.test>", "1@example.test"):
        assert letter.find(asked, tmp_path) == file
    with pytest.raises(letter.NotJudged, match="has arrived"):
        letter.find("<2@example.test>", tmp_path)


@pytest.mark.parametrize(
    "received", ["by world.example.net (Postfix, from userid 0) id 1", "from a (a [192.0.2.1]) by b"]
)
def test_what_no_other_host_has_brought_here_is_not_judged(tmp_path: Path, received: str) -> None:
    file = tmp_path / "1"
    file.write_text(f"Return-Path: <a@b>\nReceived: {received}\nFrom: a@b\n\nHello.\n")
    with pytest.raises(letter.NotJudged, match="was not brought"):
        letter.read(file, HOST)
    with pytest.raises(letter.NotJudged, match="cannot be read: No such file"):
        letter.read(tmp_path / "2", HOST)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        (["foo@example.test"], ("foo@example.test",)),
        (['"foo@example.test" <eve@example.org>'], ("eve@example.org",)),
        (["foo@example.test, eve@example.org"], ("foo@example.test", "eve@example.org")),
        (["foo@example.test", "eve@example.org"], ("foo@example.test", "eve@example.org")),
        (["=?utf-8?q?foo=40example.test=2C?= <eve@example.org>"], ("eve@example.org",)),
        (["=?no-such-charset?q?=E4?=\n <eve@example.org>"], ("eve@example.org",)),
        (["nobody"], ()),
    ],
)
def test_every_author_is_seen(fields: list[str], found: tuple[str, ...]) -> None:
    assert letter.authors(fields) == found


def test_a_domain_is_as_the_dns_has_it() -> None:
    assert [letter.domain(one) for one in ("a@My-Shop.Example.", "x@bär.example", "mx1.example.test")] == [
        "my-shop.example",
        "xn--br-via.example",
        "mx1.example.test",
    ]


def found(**other: Any) -> dict[str, Any]:
    """The findings of a letter of which nothing is wrong, with these instead."""
    good: dict[str, Any] = {
        "client": {"address": "198.18.3.10"},
        "spf": {"result": "pass"},
        "dkim": [{"result": "pass"}],
        "dmarc": {"result": "pass", "domain": "example.test", "policy": "quarantine", "why": ""},
        "tls": {"version": "TLSv1.3"},
        "ptr": {"names": ["mx1.example.test"], "leads_back": ["mx1.example.test"], "why": ""},
    }
    return good | other


def dmarc(result: str, policy: str = "") -> dict[str, str]:
    return {"result": result, "policy": policy, "domain": "example.test", "why": "From names 2"}


FAILED = {"result": "fail"}


@pytest.mark.parametrize(
    ("other", "few", "many", "reason"),
    [
        ({}, "inbox", "inbox", "SPF, DKIM and DMARC have passed"),
        ({"dkim": []}, "inbox", "refused", "needs a DKIM signature"),
        ({"dkim": [FAILED]}, "inbox", "refused", "needs a DKIM signature"),
        ({"dkim": [FAILED, {"result": "pass"}]}, "inbox", "inbox", "SPF, DKIM and DMARC have passed"),
        ({"spf": FAILED}, "inbox", "refused", "needs SPF"),
        ({"spf": FAILED, "dkim": []}, "refused", "refused", "neither SPF nor DKIM"),
        ({"spf": {"result": "softfail"}, "dkim": [FAILED]}, "refused", "refused", "neither SPF nor DKIM"),
        ({"dmarc": dmarc("none")}, "inbox", "refused", "needs a DMARC record"),
        ({"dmarc": dmarc("fail", "none")}, "inbox", "refused", "for the very domain in From"),
        ({"dmarc": dmarc("fail", "quarantine")}, "spam", "spam", "asks to file such letters as spam"),
        ({"dmarc": dmarc("fail", "reject")}, "refused", "refused", "asks to refuse such letters"),
        ({"dmarc": dmarc("permerror") | {"domain": ""}}, "refused", "refused", "cannot be judged: From names 2"),
        ({"dmarc": dmarc("permerror")}, "inbox", "refused", "needs a DMARC record"),  # a broken record is as none
        ({"ptr": {"names": [], "leads_back": [], "why": ""}}, "refused", "refused", "no PTR record"),
        ({"ptr": {"names": ["a.b"], "leads_back": [], "why": ""}}, "refused", "refused", "does not lead back"),
        ({"ptr": {"names": [], "leads_back": [], "why": "timeout"}}, "refused", "refused", "try again later"),
        ({"tls": {"version": None}}, "refused", "refused", "without TLS"),
        ({"spf": FAILED, "dkim": [{"result": "temperror"}]}, "refused", "refused", "try again later"),
        ({"dmarc": dmarc("temperror", "")}, "refused", "refused", "try again later"),
        # who would be refused is not filed as spam
        ({"dmarc": dmarc("fail", "quarantine"), "tls": {"version": None}}, "refused", "refused", "without TLS"),
    ],
)
def test_the_verdict_follows_from_the_findings(other: dict[str, Any], few: str, many: str, reason: str) -> None:
    told = rules.verdicts(found(**other))
    assert (told["few"]["place"], told["many"]["place"]) == (few, many) and reason in told["many"]["reason"]
    for one in told.values():  # a code where it is refused; what may be otherwise in a while is not refused for good
        assert one.get("code", "-")[0] == (
            "4" if "again later" in one["reason"] else "5" if one["place"] == "refused" else "-"
        )
