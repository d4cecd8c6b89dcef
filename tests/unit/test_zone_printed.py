"""The zone file that is printed, the record that is to be added, and the tags in one."""

from __future__ import annotations

import io

import dns.name
import dns.zone

from postmaster.zone import records, told
from postmaster.zone.host import Facts
from postmaster.zone.need import shown, tags
from tests.unit.test_zone import ARPA, BACK, DOMAIN, FACTS, FOUR, HOST, KEY_TEXT, rows
from tests.zones import GLUE, SOA, authorities


def test_what_is_printed_is_a_zone_file_that_is_right() -> None:
    text = records.bind(FACTS)
    zone = dns.zone.from_text(text, dns.name.from_text(DOMAIN), relativize=False, check_origin=False)
    assert len(zone.nodes) == 9
    assert "; _25._tcp.mail" in text and "; 25.0.18.198.in-addr.arpa. IN PTR mail.example.test." in text
    names = authorities((DOMAIN, f"{SOA}{GLUE}{text}"), ("arpa", ARPA + "\n".join(BACK.values()) + "\n"))
    judged = [need.judged(names) for need in records.needs(FACTS)]
    assert {row["sign"] for row in judged if row["type"] != "TLSA"} == {"right"}


def test_a_record_to_add_stands_in_one_line() -> None:
    out = io.StringIO()
    told.verdicts(FACTS, list(rows({"TXT mailroom._domainkey": ""}).values()), told.console(out))
    assert shown("TXT", KEY_TEXT) in out.getvalue()
    assert "✖" in out.getvalue() and "1 to be mended" in out.getvalue()


def test_only_who_signs_asks_for_a_quarantine() -> None:
    assert "p=quarantine" in records.bind(FACTS)
    assert "p=none" in records.bind(Facts(HOST, (DOMAIN,), (FOUR,))) and "DKIM" not in records.bind(
        Facts(HOST, (DOMAIN,))
    )


def test_a_long_text_is_printed_in_pieces() -> None:
    pieces = shown("TXT", 'a"\\' + "b" * 400).split('" "')
    assert len(pieces) == 2 and all(len(piece) <= 259 for piece in pieces)
    assert shown("MX", "10 a.") == "10 a."


def test_tags_are_read_as_receivers_do() -> None:
    assert tags(" v = DMARC1 ;p=none;; rua=mailto:a@b?x=1;p=reject") == {
        "v": "DMARC1",
        "p": "none",
        "rua": "mailto:a@b?x=1",
    }
