"""What could not be learned is never called right: each question that stays open is said to be open."""

from __future__ import annotations

import dns.message
import dns.rcode
import pytest

from checks.engine.target import Target
from checks.engine.verdicts import Failed
from postmaster.keys import state
from postmaster.zone import addresses, dane, host, records
from postmaster.zone.ask import Authorities
from postmaster.zone.host import Facts
from tests.unit.test_zone import ARPA, BACK, DOMAIN, FACTS, FOUR, HOST, RIGHT
from tests.zones import GLUE, SOA, authorities

ZONE = f"{SOA}{GLUE}" + "\n".join(RIGHT.values()) + "\n"


def without(refused: str, *more: str) -> Authorities:
    """The right zone, where nobody answers questions that end so."""
    names = authorities((DOMAIN, ZONE + "\n".join(more)), ("arpa", f"{ARPA}{BACK['PTR 4']}\n"))
    answers = names.send

    def send(question: dns.message.Message, address: str) -> dns.message.Message:
        if question.question[0].to_text().endswith(refused):
            reply = dns.message.make_response(question)
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply
        return answers(question, address)

    names.send = send
    return names


def test_an_address_leads_back_only_if_somebody_said_so() -> None:
    verdict = addresses.leads_back(FACTS, FOUR, without(f"{HOST}. IN A"))
    assert verdict.sign == "unknown" and verdict.remedy, verdict
    assert addresses.leads_back(FACTS, FOUR, without(" IN DS")).sign == "right"


@pytest.mark.parametrize("kind", ["DS", "DNSKEY"])
def test_whether_a_zone_is_signed_may_stay_open(kind: str) -> None:
    more = "_25._tcp.mail 60 TLSA 3 1 1 " + "cd" * 32
    signed = f"@ 60 DS 1 13 2 {'ab' * 32}"  # a child's own servers may answer for its parent, too
    (need,) = dane.needs(FACTS)
    assert need.judge(without(f" IN {kind}", more, signed)).sign == "unknown"


def test_another_key_in_a_signed_zone_loses_mail() -> None:
    signed = f"@ 60 DS 1 13 2 {'ab' * 32}\n@ 60 DNSKEY 257 3 13 {'ab' * 32}"
    (need,) = dane.needs(FACTS)
    wrong = need.judge(without(" IN MX", signed, "_25._tcp.mail 60 TLSA 3 1 1 " + "cd" * 32))
    assert wrong.sign == "wrong" and "delivers nothing" in wrong.says
    assert need.judge(without(" IN MX", signed)).sign == "missing"


def test_without_the_certificate_nobody_knows_which_key_is_right() -> None:
    (need,) = dane.needs(Facts(HOST, (DOMAIN,)))
    assert need.judge(without(" IN MX", "_25._tcp.mail 60 TLSA 3 1 1 " + "cd" * 32)).sign == "unknown"
    assert need.judge(without(" IN MX")).sign == "unneeded"


class Shell(Target):
    """A host that says this."""

    said: str
    keys: str
    rotation: str = "--- host\nnow=1798761600"

    def shell(self, command: str, *, may_fail: bool = False, timeout: float = 15.0) -> str:
        if command == host.SCRIPT:
            return self.said
        if "showkeys" in command:
            return self.keys
        if command == state.SCRIPT:
            return self.rotation
        raise Failed("no such file")


def told(routes: str, signs: str = "", keys: str = "") -> Shell:
    target = Shell(HOST, HOST, DOMAIN)
    settings = f"myhostname = {HOST}", "smtp_helo_name = $myhostname", "inet_protocols = all", "relayhost ="
    rows = (
        "--- to 192.0.2.1",
        routes,
        "--- addresses",
        "--- postfix",
        *settings,
        "--- signs",
        signs,
        "--- listens",
        "25",
    )
    target.said = "\n".join(row for row in rows if row)
    target.keys = keys
    return target


def test_a_host_without_an_address_is_not_taken_for_one_that_nobody_asked() -> None:
    with pytest.raises(Failed, match="--address"):
        host.facts(told(""))
    assert host.facts(told(""), (FOUR,)).addresses == (FOUR,)
    assert host.facts(told(f"src {FOUR}")).addresses == (FOUR,)


def test_a_host_that_signs_shows_its_keys() -> None:
    signs = "/etc/amavis/conf.d/66-mailroom-dkim"
    assert host.facts(told(f"src {FOUR}")).keys == ()
    with pytest.raises(Failed, match="shows no key: Error in config"):
        host.facts(told(f"src {FOUR}", signs, "Error in config"))
    shown = 'mailroom._domainkey.example.test.\t3600 TXT (\n  "v=DKIM1; p="\n  "abc")'
    assert host.facts(told(f"src {FOUR}", signs, shown)).keys == (
        ("mailroom._domainkey.example.test", "v=DKIM1; p=abc"),
    )


def test_the_next_key_and_the_old_one_are_needed_too() -> None:
    shown = 'm2._domainkey.example.test.\t3600 TXT (\n  "v=DKIM1; p="\n  "abc")'
    target = told(f"src {FOUR}", "/etc/amavis/conf.d/66-mailroom-dkim", shown)
    lines = (
        "m2 2026-12-30T00:00:00Z",
        "m1 2026-01-01T00:00:00Z 2026-12-30T00:00:00Z",
        "m0 2025-01-01T00:00:00Z 2026-01-01T00:00:00Z",
    )
    keys = [f"key={name} 1798000000 {name}half" for name in ("m0", "m1", "m2", "m3")]
    head = "--- host", "now=1798761600", "queue=5d", f"served={DOMAIN}", f"--- domain {DOMAIN}"
    target.rotation = "\n".join([*head, *(f"line={line}" for line in lines), *keys])
    found = host.facts(target)
    assert [(name, text) for name, text, _ in found.others] == [
        (f"m1._domainkey.{DOMAIN}", "v=DKIM1; p=m1half"),
        (f"m3._domainkey.{DOMAIN}", "v=DKIM1; p=m3half"),
    ]
    old, new = (
        f"{need.why}" for need in records.needs(found) if need.want in ("v=DKIM1; p=m1half", "v=DKIM1; p=m3half")
    )
    assert "until 2027-01-05" in old and "before `postmaster dkim switch`" in new
    printed = records.bind(found)
    assert printed.index('m3._domainkey.example.test. 3600 IN TXT "v=DKIM1; p=m3half"') < printed.index("; recommended")


def test_a_server_that_hangs_up_once_is_asked_again_and_one_that_always_does_says_one_reason() -> None:
    """A server that is going down ends one connection in this way and the next in another."""
    names, ends = without("nothing"), [EOFError("EOF"), ConnectionResetError(104, "Connection reset by peer")] * 20
    answers = names.send

    def cut(question: dns.message.Message, address: str) -> dns.message.Message:
        if len(ends) > left:
            raise ends.pop()
        return answers(question, address)

    names.send, left = cut, len(ends) - 1
    assert names.ask(HOST, "A").values == (FOUR,)

    names, left = without("nothing"), 0
    names.send = cut
    assert len({need.judged(names)["says"] for need in records.needs(FACTS)}) == 1 and len(ends) == 37
