"""DANE: the key of the certificate, in a signed zone. Where the zone is not signed nobody looks at it.

https://www.rfc-editor.org/rfc/rfc7672
"""

from collections.abc import Iterator
from functools import partial

from postmaster.zone.ask import Authorities, Unanswered
from postmaster.zone.host import Facts
from postmaster.zone.need import LATER, Need, Verdict, missing, unknown

# Which certificate a record is about, in its first number: a server's own, and an authority's (RFC 7672, 3.1).
OWN, AUTHORITY = "3", "2"
DELIVERS_NOTHING = ": who asks for DANE, delivers nothing"


def needs(facts: Facts) -> Iterator[Need]:
    """For port 25 alone: clients do not ask for it at the others."""
    name = f"_25._tcp.{facts.name}"
    why = "which key the certificate at port 25 has (DANE); only where the zone is signed"
    want = f"3 1 1 {facts.tlsa}" if facts.tlsa else ""
    yield Need(name, "TLSA", want, why, partial(judge, facts, name, want), required=False)


def judge(facts: Facts, name: str, want: str, names: Authorities) -> Verdict:
    answer = names.ask(name, "TLSA")
    if answer.problem:
        return unknown(answer)
    try:
        signed = names.signed(facts.name)
        others = [one for one in facts.domains if signed and not names.signed(one)]
    except Unanswered as error:
        return Verdict("unknown", f"whether the zone is signed: {error}", LATER)
    if not answer.values:
        if signed and want:
            return missing(names, name, "TLSA", want)
        return Verdict("unneeded", "there is none" if signed else "the zone is not signed (DNSSEC)")
    if not want:
        says = "there is one, and the host's certificate was not read, so nobody knows whether it is the right key"
        return Verdict("unknown", says, "Ask with the server's inventory, and its tls_certificate.", answer.values)
    return matched(facts, want, tuple(map(whole, answer.values)), signed, others)


def matched(facts: Facts, want: str, values: tuple[str, ...], signed: bool, others: list[str]) -> Verdict:
    """The records, held against the certificate that the host shows. One that is right is enough: the others may be the next key's."""
    if facts.shown and facts.shown != facts.tlsa:
        says = "Postfix shows a certificate of another key at port 25 than its file has"
        return Verdict("wrong", says, "On the host: systemctl reload postfix; then ask again.", values)
    right = [one for one in values if one in (want, *facts.matching)]
    if not right:
        if any(one.startswith(f"{AUTHORITY} ") for one in values):
            says = "it names an authority (2), and whether ours is signed by that one is not looked at here"
            return Verdict("unknown", says, f"The host's own key needs no authority: {want}", values)
        if not any(one.startswith(f"{OWN} ") for one in values):
            says = "its first number is 0 or 1, which mail servers do not look at: RFC 7672, 3.1.3"
            return Verdict("wrong" if signed else "advice", says, f"Let it be: {want}", values)
        says = "it names another key than the host's certificate has"
        says += DELIVERS_NOTHING if signed else "; the zone is not signed, so nobody looks yet"
        return Verdict("wrong" if signed else "advice", says, f"Let it be: {want}", values)
    if not signed:
        says = "it is right, and the zone is not signed (DNSSEC), so nobody looks at it"
        return Verdict("advice", says, "Let your DNS provider sign the zone.", values)
    if all(one.startswith(f"{OWN} 0 ") for one in right):
        says = "it is the sum of the whole certificate, and wrong from the next renewal on; the key stays the same"
        return Verdict("advice", says, f"Add: {want}", values)
    if others:
        says = f"it is right, and the zone of {', '.join(others)} is not signed: who writes there cannot know that its mail belongs here"
        return Verdict("advice", says, "Let your DNS provider sign that zone, too.", values)
    more = len(values) - len(right)
    return Verdict("right", "the key of the host's certificate" + (f", and {more} more" if more else ""), found=values)


def whole(value: str) -> str:
    """A record with its sum in one piece."""
    words = value.split(" ")
    return " ".join([*words[:3], "".join(words[3:])])
