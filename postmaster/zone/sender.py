"""SPF: whether a name's record lets this server send, and nobody else. pyspf judges, as at many a receiver.

https://www.rfc-editor.org/rfc/rfc7208
"""

import ipaddress
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import spf

from postmaster.zone.ask import Authorities
from postmaster.zone.host import Facts
from postmaster.zone.need import Need, Verdict, missing, unknown

STRANGERS = ("192.0.2.77", "2001:db8::77")  # nobody's: RFC 5737 and 3849
RECORD = re.compile(r"v=spf1( |$)", re.IGNORECASE)
LOOKS_SO = re.compile(r"""["']?\s*(v\s*=\s*)?spf""", re.IGNORECASE)
HELO = "v=spf1 a -all"


def needs(facts: Facts) -> Iterator[Need]:
    """Bounces have no sender: receivers look at the name that the server greets with (RFC 7208, 2.4)."""
    greets = facts.greets or facts.name
    yield Need(
        greets, "TXT", HELO, "who may greet by this name: for bounces, which have no sender (SPF)",
        partial(judge, facts, greets, HELO), required=False,
    )  # fmt: skip


def judge(facts: Facts, name: str, want: str, names: Authorities) -> Verdict:
    answer = names.ask(name, "TXT")
    if answer.problem:
        return unknown(answer)
    records = tuple(value for value in answer.values if RECORD.match(value))
    if not records:
        if near := [value for value in answer.values if LOOKS_SO.match(value)]:
            says = f"this is no SPF record, which begins with v=spf1 and a blank: {near[0][:60]}"
            return Verdict("wrong", says, f"Write: {want or 'v=spf1 …'}", answer.values)
        return missing(names, name, "TXT", want)
    if len(records) > 1:
        says = f"there are {len(records)} SPF records, and receivers take that for an error"
        return Verdict("wrong", says, f"Make one of them: one v=spf1, one end. {want}".rstrip(), records)
    return judged(facts, name, want, names, records)


def judged(facts: Facts, name: str, want: str, names: Authorities, records: tuple[str, ...]) -> Verdict:
    """The one record, tried with our addresses and with a stranger's."""
    write = f"Write: {want}" if want else "See what your relay's operator asks for."
    ours = [*facts.addresses] or [one for kind in ("A", "AAAA") for one in names.ask(facts.name, kind).values]
    for address in ours or STRANGERS[:1]:
        result, why = asked(names, facts, name, address)
        if result == "permerror":
            return Verdict("wrong", f"receivers cannot read it: {why}", write, records)
        if result == "temperror":
            return Verdict("unknown", f"a name in it gives no answer: {why}", "Ask again in a minute.", records)
        if result != "pass" and ours and not facts.relay:
            says = f"it says {result} of {address}, from which our mail comes"
            kind = "ip6" if ipaddress.ip_address(address).version == 6 else "ip4"
            # "a" for the greeting's name, which has no MX record
            return Verdict("wrong", says, f"Add {want.split()[1]} to it, or {kind}:{address}.", records)
    others = {asked(names, facts, name, one)[0] for one in STRANGERS}
    if "pass" in others:
        return Verdict("wrong", "it lets everybody in the world send", "Let it end with -all.", records)
    if others & {"neutral", "none"}:
        return Verdict("advice", f"it says nothing of strangers: {records[0]}", "Let it end with -all.", records)
    if facts.relay:
        says = f"mail leaves by {facts.relay}, whose addresses it has to name; we cannot know them"
        return Verdict("unknown", says, "Add the include: that the relay's operator tells.", records)
    if not ours:
        return Verdict("unknown", f"{facts.name} has no address to try it with", "Add its A record first.", records)
    return Verdict("right", records[0], found=records)


def asked(names: Authorities, facts: Facts, name: str, address: str) -> tuple[str, str]:
    """pyspf's verdict on a letter of this name's from this address, and its explanation."""
    spf.DNSLookup = partial(_lookup, names)
    ours = name in facts.domains  # of a greeting's name there is no sender
    greeting = facts.greets or facts.name if ours else name
    result, _, why = spf.query(address, f"postmaster@{name}" if ours else "", greeting).check()
    return result, why


def _lookup(names: Authorities, name: str, kind: str, *_: Any, **__: Any) -> list[tuple[tuple[str, str], Any]]:
    """The answers in the form that pyspf takes. It asks for SPF by the types A, AAAA, MX, PTR and TXT."""
    if kind not in ("A", "AAAA", "MX", "PTR", "TXT"):
        return []
    answer = names.ask(name, kind)
    if answer.problem:
        raise spf.TempError(answer.problem)
    found: list[Any] = [*answer.values]
    if kind == "TXT":
        found = [(value.encode(),) for value in answer.values]
    if kind == "MX":
        found = [(int(number), host) for number, host in (value.split(" ") for value in answer.values)]
    return [((name, kind), one) for one in found]
