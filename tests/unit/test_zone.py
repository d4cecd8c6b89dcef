"""Each record that a server needs: right, missing, wrong, doubled, too long, and in forms that people type."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from postmaster.zone import command, records
from postmaster.zone.host import Facts, reachable
from postmaster.zone.need import shown
from tests.zones import FIRST, GLUE, GONE, RESOLVER, SECOND, SOA, authorities

HOST, DOMAIN, FOUR, SIX = "mail.example.test", "example.test", "198.18.0.25", "2001:db8:1::25"
DIGEST = "ab" * 32
KEY_TEXT = "v=DKIM1; p=" + "MIIBIjANBgkq" * 33
FACTS = Facts(HOST, (DOMAIN,), (FOUR, SIX), HOST, "", True, DIGEST, ((f"mailroom._domainkey.{DOMAIN}", KEY_TEXT),))
RIGHT = {
    "A mail": f"mail 60 A {FOUR}",
    "AAAA mail": f"mail 60 AAAA {SIX}",
    "TXT mail": 'mail 60 TXT "v=spf1 a -all"',
    "MX @": "@ 60 MX 10 mail",
    "TXT @": '@ 60 TXT "v=spf1 mx -all"',
    "TXT _dmarc": '_dmarc 60 TXT "v=DMARC1; p=none; rua=mailto:postmaster@example.test"',
    "TXT mailroom._domainkey": f"mailroom._domainkey 60 TXT {shown('TXT', KEY_TEXT)}",
    "TXT _smtp._tls": '_smtp._tls 60 TXT "v=TLSRPTv1; rua=mailto:postmaster@example.test"',
    "SRV _imaps._tcp": "_imaps._tcp 60 SRV 0 1 993 mail",
    "SRV _submissions._tcp": "_submissions._tcp 60 SRV 0 1 465 mail",
    "SRV _submission._tcp": "_submission._tcp 60 SRV 10 1 587 mail",
    "SRV _sieve._tcp": "_sieve._tcp 60 SRV 0 1 4190 mail",
}
BACK = {
    "PTR 4": f"25.0.18.198.in-addr.arpa. 60 PTR {HOST}.",
    "PTR 6": f"5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 60 PTR {HOST}.",
}
ARPA = f"@ 60 SOA ns1.{DOMAIN}. hostmaster 1 3600 600 86400 1\n@ 60 NS ns1.{DOMAIN}.\n"
ELSEWHERE = ("example.net", f"{SOA}{GLUE}@ 60 MX 5 mx\nmx 60 A 198.18.0.80\n")
SILENT = ("example.org", f"{SOA}ns1 60 A {GONE}\n")


def rows(
    changed: Mapping[str, str] = {}, facts: Facts = FACTS, second: str = "", **trouble: str
) -> dict[str, dict[str, object]]:
    """The verdicts, by type and name, with these lines in the place of the right ones."""
    lines = "\n".join(changed.get(key, line) for key, line in RIGHT.items())
    back = "\n".join(changed.get(key, line) for key, line in BACK.items())
    more = f"ns2 60 A {SECOND}\n@ 60 NS ns2\n" if second else ""
    names = authorities(
        (DOMAIN, f"{SOA}{GLUE}{more}{lines}\n{changed.get('more', '')}\n"),
        ("arpa", f"{ARPA}{back}\n"),
        ELSEWHERE,
        SILENT,
        second=(DOMAIN, f"{SOA}{GLUE}{more}{second}\n") if second else None,
        **trouble,
    )
    judged = [need.judged(names) for need in records.needs(facts)]
    return {f"{row['type']} {row['name']}": row for row in judged}


def test_a_zone_that_has_it_all_is_right_but_for_what_asks_for_dnssec() -> None:
    found = rows()
    assert len(found) == 15
    assert {row["sign"] for key, row in found.items() if not key.startswith("TLSA")} == {"right"}, found
    assert found[f"TLSA _25._tcp.{HOST}"]["sign"] == "unneeded"
    assert command.code(list(found.values())) == 0


ROW6 = f"PTR {BACK['PTR 6'].split('. ')[0]}"
SEAL = f"TXT mailroom._domainkey.{DOMAIN}"
POLICY, KEY = f"TXT _dmarc.{DOMAIN}", f"TLSA _25._tcp.{HOST}"
LONG = "v=spf1 " + " ".join(f"include:i{number}.example.test" for number in range(11)) + " mx -all"
INCLUDED = "\n".join(f'i{number} 60 TXT "v=spf1 -all"' for number in range(11))
CASES = {
    # record to change, what it is instead, the row that says so, its sign, words of what it says, words of the remedy
    "no address": ("A mail", "", f"A {HOST}", "wrong", "there is none", f"{HOST}. A {FOUR}"),
    "another's address": ("A mail", "mail 60 A 198.18.0.99", f"A {HOST}", "wrong", "198.18.0.99", FOUR),
    "one address too many": ("A mail", f"mail 60 A {FOUR}\nmail 60 A 198.18.0.99", f"A {HOST}", "wrong", "99", FOUR),
    "no IPv6": ("AAAA mail", "", f"AAAA {HOST}", "advice", "there is none", SIX),
    "another's IPv6 address": ("AAAA mail", "mail 60 AAAA 2001:db8:1::99", f"AAAA {HOST}", "wrong", "2001:db8:1::99", SIX),
    "one IPv6 address too many": (
        "AAAA mail", f"mail 60 AAAA {SIX}\nmail 60 AAAA 2001:db8:1::99", f"AAAA {HOST}", "wrong", "2001:db8:1::99", SIX,
    ),
    "an IPv6 name that does not lead back": ("AAAA mail", "", ROW6, "wrong", "does not lead back", f"AAAA {SIX}"),
    "another name for IPv6": ("PTR 6", f"{BACK['PTR 6'].split(' ')[0]} 60 PTR a.b.", ROW6, "wrong", "a.b", HOST),
    "two names for IPv6": (
        "PTR 6", f"{BACK['PTR 6'].split(' ')[0]} 60 PTR a.b.\n{BACK['PTR 6']}", ROW6, "advice", "2 names", HOST,
    ),
    "no name for IPv4": ("PTR 4", "", "PTR 25.0.18.198.in-addr.arpa", "wrong", "has no name", "rent"),
    "another name for IPv4": (
        "PTR 4", "25.0.18.198.in-addr.arpa. 60 PTR a.b.", "PTR 25.0.18.198.in-addr.arpa", "wrong", "a.b", HOST,
    ),
    "two names for IPv4": (
        "PTR 4", f"25.0.18.198.in-addr.arpa. 60 PTR a.b.\n{BACK['PTR 4']}", "PTR 25.0.18.198.in-addr.arpa", "advice", "2 names", HOST,
    ),
    "no name for IPv6": ("PTR 6", "", ROW6, "wrong", "Gmail", "inet_protocols = ipv4"),
    "a name that does not lead back": (
        "A mail", "mail 60 A 198.18.0.99", "PTR 25.0.18.198.in-addr.arpa", "wrong", "does not lead back", f"A {FOUR}",
    ),
    "no MX": ("MX @", "", f"MX {DOMAIN}", "wrong", "there is none", f"MX 10 {HOST}."),
    "no mail wanted": ("MX @", "@ 60 MX 0 .", f"MX {DOMAIN}", "wrong", "takes no mail", HOST),
    "another's MX": ("MX @", "@ 60 MX 10 mx.example.net.", f"MX {DOMAIN}", "wrong", "mx.example.net", HOST),
    "another MX too": ("MX @", "@ 60 MX 10 mail\n@ 60 MX 20 mx.example.net.", f"MX {DOMAIN}", "advice", "mx.example.net", "delete"),
    "an address as MX": ("MX @", f"@ 60 MX 10 mail\n@ 60 MX 20 {FOUR}.", f"MX {DOMAIN}", "wrong", "is an address", HOST),
    "an alias as MX": (
        "MX @", "@ 60 MX 5 www\nwww 60 CNAME mail\n@ 60 MX 10 mail", f"MX {DOMAIN}", "wrong", "www.example.test is an alias", "Name",
    ),
    "an MX under its name twice": (
        "MX @", "example.test.example.test. 60 MX 10 mail", f"MX {DOMAIN}", "wrong", "appends example.test", "the name @",
    ),
    "no SPF": ("TXT @", "", f"TXT {DOMAIN}", "wrong", "there is none", '"v=spf1 mx -all"'),
    "two SPF": ("TXT @", '@ 60 TXT "v=spf1 mx -all"\n@ 60 TXT "v=spf1 a -all"', f"TXT {DOMAIN}", "wrong", "2 SPF", "one"),
    "SPF of another": ("TXT @", '@ 60 TXT "v=spf1 a:mx.example.net -all"', f"TXT {DOMAIN}", "wrong", f"fail of {FOUR}", "mx"),
    "SPF without IPv6": ("TXT @", f'@ 60 TXT "v=spf1 ip4:{FOUR} -all"', f"TXT {DOMAIN}", "wrong", SIX, f"ip6:{SIX}"),
    "SPF for all": ("TXT @", '@ 60 TXT "v=spf1 mx +all"', f"TXT {DOMAIN}", "wrong", "everybody", "-all"),
    "SPF that only hints": ("TXT @", '@ 60 TXT "v=spf1 mx ~all"', f"TXT {DOMAIN}", "right", "~all", ""),
    "SPF without an end": ("TXT @", '@ 60 TXT "v=spf1 mx"', f"TXT {DOMAIN}", "advice", "strangers", "-all"),
    "SPF with a word that is none": ("TXT @", '@ 60 TXT "v=spf1 ipv4:192.0.2.1 mx -all"', f"TXT {DOMAIN}", "wrong", "ipv4", "mx"),
    "SPF that asks too much": ("TXT @", f'@ 60 TXT "{LONG[:200]}" "{LONG[200:]}"\n{INCLUDED}', f"TXT {DOMAIN}", "wrong", "lookups", "mx"),
    "SPF with its quotes": ("TXT @", '@ 60 TXT "\\"v=spf1 mx -all\\""', f"TXT {DOMAIN}", "wrong", "no SPF record", "v=spf1"),
    "SPF without its first word": ("TXT @", '@ 60 TXT "spf1 mx -all"', f"TXT {DOMAIN}", "wrong", "no SPF record", "v=spf1"),
    "SPF glued to its neighbour": ("TXT @", '@ 60 TXT "v=spf1mx -all"', f"TXT {DOMAIN}", "wrong", "no SPF record", "v=spf1"),
    "SPF in capitals": ("TXT @", '@ 60 TXT "V=SPF1 MX -ALL"', f"TXT {DOMAIN}", "right", "", ""),
    "SPF beside other texts": ("TXT @", '@ 60 TXT "v=spf1 mx -all"\n@ 60 TXT "site-verification=7"', f"TXT {DOMAIN}", "right", "", ""),
    "no SPF for the greeting": ("TXT mail", "", f"TXT {HOST}", "advice", "there is none", "v=spf1 a -all"),
    "SPF of another for the greeting": ("TXT mail", 'mail 60 TXT "v=spf1 -all"', f"TXT {HOST}", "wrong", FOUR, "Add a to it"),
    "two SPF for the greeting": (
        "TXT mail", 'mail 60 TXT "v=spf1 a -all"\nmail 60 TXT "v=spf1 mx -all"', f"TXT {HOST}", "wrong", "2 SPF", "one",
    ),
    "no DMARC": ("TXT _dmarc", "", POLICY, "wrong", "there is none", "v=DMARC1"),
    "two DMARC": (
        "TXT _dmarc", f"{RIGHT['TXT _dmarc']}\n_dmarc 60 TXT \"v=DMARC1; p=reject\"", POLICY, "wrong", "there are 2", "one",
    ),
    "DMARC at the domain": ("TXT _dmarc", '@ 60 TXT "v=DMARC1; p=none"', POLICY, "wrong", "nobody looks", "_dmarc"),
    "DMARC under its name twice": (
        "TXT _dmarc", '_dmarc.example.test.example.test. 60 TXT "v=DMARC1; p=none"', POLICY, "wrong", "appends", "name _dmarc",
    ),
    "DMARC without a policy": ("TXT _dmarc", '_dmarc 60 TXT "v=DMARC1; sp=none"', POLICY, "wrong", "no p=", "p=quarantine"),
    "DMARC with another policy": ("TXT _dmarc", '_dmarc 60 TXT "v=DMARC1; p=block"', POLICY, "wrong", "p=block", "p=quarantine"),
    "DMARC in small letters": ("TXT _dmarc", '_dmarc 60 TXT "v=dmarc1; p=none"', POLICY, "wrong", "capitals", "v=DMARC1"),
    "DMARC that tells nobody": ("TXT _dmarc", '_dmarc 60 TXT "v=DMARC1;p=reject"', POLICY, "advice", "nobody is told", "rua="),
    "DMARC with an address for reports": (
        "TXT _dmarc", f'_dmarc 60 TXT "v=DMARC1; p=none; rua=postmaster@{DOMAIN}"', POLICY, "wrong", "mailto", "mailto",
    ),
    "DMARC reports to others": (
        "TXT _dmarc", '_dmarc 60 TXT "v=DMARC1; p=none; rua=mailto:a@example.net"', POLICY, "advice", "example.net",
        "example.test._report._dmarc.example.net",
    ),
    "DMARC reports to a part of us": (
        "TXT _dmarc", f'_dmarc 60 TXT "v=DMARC1; p=none; rua=mailto:a@reports.{DOMAIN}!10m"', POLICY, "right", "p=none", "",
    ),
    "no DKIM key": ("TXT mailroom._domainkey", "", SEAL, "wrong", "there is none", KEY_TEXT[:40]),
    "two DKIM keys": (
        "TXT mailroom._domainkey", f"{RIGHT['TXT mailroom._domainkey']}\nmailroom._domainkey 60 TXT \"v=DKIM1; p=abcd\"", SEAL, "wrong",
        "there are 2", "Keep one",
    ),
    "a DKIM key that is cut off": (
        "TXT mailroom._domainkey", f'mailroom._domainkey 60 TXT "{KEY_TEXT[:255]}"', SEAL, "wrong", "cut off: 244 of the key's 396", "anew",
    ),
    "another DKIM key": ("TXT mailroom._domainkey", 'mailroom._domainkey 60 TXT "v=DKIM1; p=abcd"', SEAL, "wrong", "another key", "anew"),
    "a DKIM key that is revoked": ("TXT mailroom._domainkey", 'mailroom._domainkey 60 TXT "v=DKIM1; p="', SEAL, "wrong", "revoked", "anew"),
    "a DKIM record without a key": ("TXT mailroom._domainkey", 'mailroom._domainkey 60 TXT "v=DKIM1"', SEAL, "wrong", "no p=", "anew"),
    "a DKIM key with backslashes": (
        "TXT mailroom._domainkey", 'mailroom._domainkey 60 TXT "v=DKIM1\\\\; p=abcd"', SEAL, "wrong", "backslashes", "anew",
    ),
    "a DKIM key on trial": (
        "TXT mailroom._domainkey", f'mailroom._domainkey 60 TXT {shown("TXT", KEY_TEXT + "; t=y:s")}', SEAL, "advice", "trial", "t=y",
    ),
    "a DKIM key with blanks": (
        "TXT mailroom._domainkey", f'mailroom._domainkey 60 TXT {shown("TXT", KEY_TEXT[:99] + " " + KEY_TEXT[99:])}', SEAL, "right", "", "",
    ),
    "a DKIM key under its name twice": (
        "TXT mailroom._domainkey", f'mailroom._domainkey.{DOMAIN}.{DOMAIN}. 60 TXT "v=DKIM1; p=abcd"', SEAL, "wrong", "appends",
        "the name mailroom._domainkey",
    ),
    "no reports of TLS": ("TXT _smtp._tls", "", f"TXT _smtp._tls.{DOMAIN}", "advice", "there is none", "TLSRPTv1"),
    "two addresses for reports of TLS": (
        "TXT _smtp._tls", f"{RIGHT['TXT _smtp._tls']}\n_smtp._tls 60 TXT \"v=TLSRPTv1; rua=mailto:a@b\"", f"TXT _smtp._tls.{DOMAIN}",
        "wrong", "there are 2", "one",
    ),
    "nowhere to report": (
        "TXT _smtp._tls", f'_smtp._tls 60 TXT "v=TLSRPTv1; rua=a@{DOMAIN}"', f"TXT _smtp._tls.{DOMAIN}", "wrong", "neither", "mailto:",
    ),
    "SPF by a name that nobody answers for": (
        "TXT @", '@ 60 TXT "v=spf1 include:spf.example.org mx -all"', f"TXT {DOMAIN}", "unknown", "no answer", "again",
    ),
    "no clients find it": ("SRV _imaps._tcp", "", f"SRV _imaps._tcp.{DOMAIN}", "advice", "there is none", "993"),
    "clients find two": (
        "SRV _imaps._tcp", "_imaps._tcp 60 SRV 0 1 993 mail\n_imaps._tcp 60 SRV 0 1 993 other", f"SRV _imaps._tcp.{DOMAIN}",
        "wrong", "other.example.test, port 993", "0 1 993",
    ),
    "clients find another": (
        "SRV _imaps._tcp", "_imaps._tcp 60 SRV 0 1 143 mail", f"SRV _imaps._tcp.{DOMAIN}", "wrong", "port 143", "0 1 993",
    ),
    "clients are told that there is none": (
        "SRV _imaps._tcp", "_imaps._tcp 60 SRV 0 0 0 .", f"SRV _imaps._tcp.{DOMAIN}", "wrong", "nowhere", "0 1 993",
    ),
    "another key, and nobody looks": ("more", f"_25._tcp.mail 60 TLSA 3 1 1 {'cd' * 32}", KEY, "advice", "another", DIGEST),
    "our key, and nobody looks": ("more", f"_25._tcp.mail 60 TLSA 3 1 1 {DIGEST}", KEY, "advice", "DNSSEC", "sign"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_named_with_its_remedy(name: str) -> None:
    key, instead, row, sign, says, remedy = CASES[name]
    found = rows({key: instead})[row]
    assert found["sign"] == sign, found
    assert says in str(found["says"]) and remedy in str(found["remedy"]), found
    assert bool(found["remedy"]) == (sign != "right"), found


def test_a_mail_host_is_no_alias() -> None:
    found = rows({"A mail": f"mail 60 CNAME other\nother 60 A {FOUR}", "AAAA mail": "", "TXT mail": ""})[f"A {HOST}"]
    assert found["sign"] == "wrong" and "alias" in str(found["says"]) and "CNAME" in str(found["remedy"])


def test_servers_that_do_not_agree_are_not_believed() -> None:
    found = rows(second=RIGHT["MX @"].replace("10", "20"))[f"MX {DOMAIN}"]
    assert found["sign"] == "unknown" and "ns2.example.test says 20 mail" in str(found["says"]), found


def test_a_server_that_says_nothing_is_passed_over() -> None:
    assert rows(second="@ 60 MX 10 mail", dead=SECOND)[f"MX {DOMAIN}"]["sign"] == "right"
    assert rows(second="@ 60 MX 10 mail", lame=SECOND)[f"MX {DOMAIN}"]["sign"] == "right"


@pytest.mark.parametrize("facts", [FACTS, Facts(HOST, (DOMAIN,))])
@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ({"dead": FIRST}, f"no answer from {FIRST}"),
        ({"lame": FIRST}, "is not responsible"),
        ({"dead": RESOLVER}, f"no answer from {RESOLVER}"),
        ({"lame": RESOLVER}, "leads nowhere"),
        ({"broken": RESOLVER}, f"{RESOLVER} answers SERVFAIL"),
    ],
)
def test_when_nobody_answers_nothing_is_known(facts: Facts, trouble: dict[str, str], said: str) -> None:
    found = rows({}, facts, **trouble)
    assert {row["sign"] for row in found.values()} == {"unknown"}, found
    assert all(said in str(row["says"]) and row["remedy"] for row in found.values()), found
    assert command.code(list(found.values())) == 2


def test_without_an_address_spf_cannot_be_tried() -> None:
    found = rows({"A mail": "", "AAAA mail": ""}, Facts(HOST, (DOMAIN,)))
    assert found[f"TXT {DOMAIN}"]["sign"] == found[f"PTR {HOST}"]["sign"] == "unknown", found


def test_without_ipv6_no_name_may_say_that_there_was() -> None:
    four = Facts(HOST, (DOMAIN,), (FOUR,), HOST)
    assert rows(facts=four)[f"AAAA {HOST}"]["sign"] == "wrong"
    assert rows({"AAAA mail": ""}, four)[f"AAAA {HOST}"]["sign"] == "unneeded"
    assert len([key for key in rows(facts=four) if key.startswith("PTR")]) == 1


def test_a_name_alone_is_enough() -> None:
    named = Facts(HOST, (DOMAIN,))
    assert {key.split(" ")[0] for key in rows(facts=named)} == {"A", "AAAA", "PTR", "TXT", "MX", "SRV", "TLSA"}
    assert {row["sign"] for key, row in rows(facts=named).items() if key != KEY} == {"right"}
    assert rows({"PTR 6": ""}, named)[f"PTR {HOST}"]["sign"] == "wrong"
    assert rows({"A mail": ""}, named)[f"A {HOST}"]["sign"] == "wrong"


def test_behind_nat_it_says_that_it_does_not_know() -> None:
    found = rows(facts=Facts(HOST, (DOMAIN,), (), HOST, private=("10.0.0.5",)))
    assert any("behind NAT" in str(row["says"]) and "--address" in str(row["remedy"]) for row in found.values())
    assert not reachable("10.0.0.5") and not reachable("fd00::1") and reachable("198.18.0.1") and reachable("2a00::1")


def test_with_a_relay_its_operator_is_asked() -> None:
    relayed = Facts(HOST, (DOMAIN,), (FOUR,), HOST, "[relay.example.net]:587")
    found = rows(facts=relayed)[f"TXT {DOMAIN}"]
    assert found["sign"] == "unknown" and "relay.example.net" in str(found["says"])
    wrong = rows({"TXT @": '@ 60 TXT "v=spf1 nonsense -all"'}, relayed)[f"TXT {DOMAIN}"]
    assert wrong["sign"] == "wrong"
