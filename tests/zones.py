"""DNS servers that answer from zone files: the questions and answers are real, and go nowhere."""

from __future__ import annotations

from collections.abc import Mapping

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.zone

from postmaster.zone.ask import Authorities

RESOLVER, FIRST, SECOND = "198.18.0.53", "198.18.0.54", "198.18.0.55"
GONE = "198.18.0.56"
SOA = "@ 60 SOA ns1 hostmaster 1 3600 600 86400 1\n@ 60 NS ns1\n"
GLUE = f"ns1 60 A {FIRST}\n"


def authorities(
    *zones: tuple[str, str], second: tuple[str, str] | None = None, dead: str = "", lame: str = "", broken: str = ""
) -> Authorities:
    """Who answers for these zones (name, text). `second` is what the server ns2 says, the others' is ns1.

    `dead` is silent, `lame` has no zone, `broken` cannot say.
    """

    def read(name: str, text: str) -> dns.zone.Zone:
        return dns.zone.from_text(text, dns.name.from_text(name), relativize=False, check_origin=False)

    every = {name: read(name, text) for name, text in zones}
    other = every | ({second[0]: read(*second)} if second else {})

    def send(question: dns.message.Message, address: str) -> dns.message.Message:
        assert bool(question.flags & dns.flags.RD) == (address == RESOLVER), (
            "a resolver is told to ask others, nobody else"
        )
        if address in (dead, GONE):
            raise dns.exception.Timeout
        if address == broken:
            reply = dns.message.make_response(question)
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply
        if address == lame:
            return answer(question, {})
        return answer(question, other if address == SECOND else every)

    return Authorities(send, RESOLVER)


def answer(question: dns.message.Message, zones: Mapping[str, dns.zone.Zone]) -> dns.message.Message:
    """As an authoritative server does (RFC 1034, 4.3.2); no delegation, no wildcard."""
    reply = dns.message.make_response(question)
    asked = question.question[0]
    owners = [name for name in map(dns.name.from_text, zones) if asked.name.is_subdomain(name)]
    if not owners:
        if zones:
            reply.set_rcode(dns.rcode.REFUSED)
        return reply  # one that has no zone at all answers nothing, and says so to nobody
    origin = max(owners, key=len)
    zone = zones[origin.to_text(omit_final_dot=True)]
    reply.flags |= dns.flags.AA
    name = asked.name
    while alias := zone.get_rrset(name, dns.rdatatype.CNAME):
        reply.answer.append(alias)
        name = alias[0].target
        if not name.is_subdomain(origin):
            return reply
    if found := zone.get_rrset(name, asked.rdtype):
        reply.answer.append(found)
    else:
        if zone.get_node(name) is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        if soa := zone.get_rrset(origin, dns.rdatatype.SOA):
            reply.authority.append(soa)
    return reply
