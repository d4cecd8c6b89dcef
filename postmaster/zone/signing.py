"""DKIM: whether the DNS has the other half of the keys that the host signs with.

https://www.rfc-editor.org/rfc/rfc6376#section-3.6.1
"""

from collections.abc import Iterator
from functools import partial

from postmaster.zone.ask import Answer, Authorities
from postmaster.zone.host import Facts
from postmaster.zone.need import Need, Verdict, missing, tags, unknown


def needs(facts: Facts, domain: str) -> Iterator[Need]:
    for name, want in facts.keys:
        if name.endswith(f"._domainkey.{domain}"):
            why = "the other half of the key that signs its letters (DKIM)"
            yield Need(name, "TXT", want, why, partial(judge, name, want))
    for name, want, why in facts.others:
        if name.endswith(f"._domainkey.{domain}"):
            yield Need(name, "TXT", want, f"{why} (DKIM)", partial(judge, name, want, which="the host's key"))


def judge(name: str, want: str, names: Authorities, which: str = "the key that signs") -> Verdict:
    answer = followed(name, names)
    if answer.problem:
        return unknown(answer)
    if not answer.values:
        return missing(names, name, "TXT", want)
    again = f"Write it anew, whole: python -m postmaster dns print --table shows {name}"
    if len(answer.values) > 1:
        says = f"there are {len(answer.values)}, and receivers may take any of them"
        return Verdict("wrong", says, f"Keep one TXT record of {name}.", answer.values)
    (record,) = answer.values
    ours, theirs = key(want), key(record)
    if "\\" in record or '"' in record:
        return Verdict(
            "wrong", "it has quotes or backslashes in it, which the provider's form has kept", again, answer.values
        )
    if "p" in tags(record) and not theirs:
        return Verdict("wrong", "its p= is empty, which says that the key is revoked", again, answer.values)
    if not theirs:
        return Verdict("wrong", f"it has no p=, and so no key: {record[:60]}", again, answer.values)
    if theirs != ours:
        says = (
            f"it is another key than {'the one that signs' if which.endswith('signs') else 'the host has by this name'}"
        )
        if ours.startswith(theirs):
            says = f"it is cut off: {len(theirs)} of the key's {len(ours)} characters; a string takes 255, so it needs several"
        return Verdict("wrong", says, again, answer.values)
    if "y" in tags(record).get("t", "").split(":"):
        return Verdict(
            "advice", "t=y says that this is a trial, so nobody counts it", "Take t=y out of it.", answer.values
        )
    return Verdict("right", f"{which}, {len(ours)} characters", found=answer.values)


def followed(name: str, names: Authorities) -> Answer:
    """The record, also where the name is an alias into another zone, as providers have it (RFC 6376, 3.6.2.1)."""
    answer = names.ask(name, "TXT")
    for _ in range(4):
        if answer.problem or answer.values or not answer.alias:
            break
        answer = names.ask(answer.alias, "TXT")
    return answer


def key(record: str) -> str:
    """The key itself; blanks in it do not count."""
    return "".join(tags(record).get("p", "").split())
