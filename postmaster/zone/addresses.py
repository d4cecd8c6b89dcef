"""The host's own records: its name leads to its addresses, and they lead back to its name."""

import ipaddress
from collections.abc import Iterator
from functools import partial

import dns.reversename

from postmaster.zone.ask import Authorities
from postmaster.zone.host import Facts
from postmaster.zone.need import Need, Verdict, missing, unknown

KINDS = {4: "A", 6: "AAAA"}
NO_SIX = "Or let Postfix send by IPv4 alone: inet_protocols = ipv4."


def needs(facts: Facts) -> Iterator[Need]:
    """An address record each way. Where only the name is known, its addresses are taken from the DNS itself."""
    versions = {ipaddress.ip_address(address).version: address for address in facts.addresses}
    if not facts.addresses or 4 in versions:
        yield Need(facts.name, "A", versions.get(4, ""), "where others find the host", partial(leads_here, facts, 4))
    yield Need(
        facts.name,
        "AAAA",
        versions.get(6, ""),
        "the same over IPv6",
        partial(leads_here, facts, 6),
        required=False,
    )
    for address in facts.addresses:
        yield Need(
            dns.reversename.from_address(address).to_text(omit_final_dot=True),
            "PTR",
            f"{facts.name}.",
            "whose address it is: large receivers refuse mail without it",
            partial(leads_back, facts, address),
            provider=True,
            address=address,
        )
    if not facts.addresses:
        yield Need(
            facts.name, "PTR", f"{facts.name}.", "each of its addresses has to lead back to it", partial(all_lead_back, facts),
            provider=True,
        )  # fmt: skip
    for one in facts.private:
        yield Need(facts.name, "A", "", "where others find the host", partial(behind_nat, one))


def leads_here(facts: Facts, version: int, names: Authorities) -> Verdict:
    kind = KINDS[version]
    answer = names.ask(facts.name, kind)
    ours = {one for one in facts.addresses if ipaddress.ip_address(one).version == version}
    if answer.problem:
        return unknown(answer)
    if answer.alias:
        return Verdict(
            "wrong",
            f"{facts.name} is an alias (CNAME) of {answer.alias}, and a mail host's name may be none: RFC 2181, 10.3",
            f"Delete the CNAME; give {facts.name} its own {kind} record.",
            answer.values,
        )
    if not facts.addresses:
        if answer.values:
            return Verdict("right", ", ".join(answer.values), found=answer.values)
        return missing(names, facts.name, kind, "") if version == 4 else Verdict("unneeded", "none, so IPv4 alone")
    if version == 6 and not ours:
        if answer.values:
            return Verdict(
                "wrong",
                "it names an IPv6 address that the host does not have: whoever tries that first, waits",
                f"Delete {', '.join(answer.values)}, or give the host that address.",
                answer.values,
            )
        return Verdict("unneeded", "the host has no IPv6, and no name says that it had")
    if not answer.values:
        return missing(names, facts.name, kind, ", ".join(sorted(ours)))
    if strange := sorted({*answer.values} - ours):
        return Verdict(
            "wrong",
            f"it leads to {', '.join(strange)}, and mail leaves from {', '.join(sorted(ours))}",
            f"Let it be {', '.join(sorted(ours))} alone (behind NAT, tell the outer one: --address …).",
            answer.values,
        )
    return Verdict("right", ", ".join(answer.values), found=answer.values)


def leads_back(facts: Facts, address: str, names: Authorities) -> Verdict:
    """The name of an address has to be the host's, and that one's address is this one: Gmail asks for both directions."""
    pointer = dns.reversename.from_address(address).to_text(omit_final_dot=True)
    answer = names.ask(pointer, "PTR")
    six = ipaddress.ip_address(address).version == 6
    where = f"Set the reverse name of {address} to {facts.name} where you rent it. {NO_SIX if six else ''}".rstrip()
    if answer.problem:
        return unknown(answer)
    if not answer.values:
        danger = ": mail over IPv6 is refused by Gmail and others, while mail over IPv4 arrives" if six else ""
        return Verdict("missing", f"{address} has no name{danger}", where)
    if facts.name.lower() not in answer.values:
        return Verdict("wrong", f"{address} leads to {', '.join(answer.values)}", where, answer.values)
    if len(answer.values) > 1:
        return Verdict(
            "advice",
            f"{address} has {len(answer.values)} names, and a receiver may look at any of them: {', '.join(answer.values)}",
            f"Keep {facts.name} alone.",
            answer.values,
        )
    forward = names.ask(facts.name, KINDS[6 if six else 4])
    if forward.problem:
        return unknown(forward)
    if address not in forward.values:
        return Verdict(
            "wrong",
            f"{address} leads to {facts.name}, which does not lead back to it",
            f"Add: {facts.name}. {KINDS[6 if six else 4]} {address}",
            answer.values,
        )
    return Verdict("right", f"{facts.name}, and that leads back", found=answer.values)


def all_lead_back(facts: Facts, names: Authorities) -> Verdict:
    """For each address that the name has; the first that does not lead back decides."""
    answers = [names.ask(facts.name, kind) for kind in KINDS.values()]
    if problem := next((one for one in answers if one.problem), None):
        return unknown(problem)
    found = [address for one in answers for address in one.values]
    if not found:
        return Verdict("unknown", f"{facts.name} has no address", "Add its A record first.")
    verdicts = [leads_back(facts, address, names) for address in found]
    return next((one for one in verdicts if one.sign != "right"), verdicts[0])


def behind_nat(address: str, names: Authorities) -> Verdict:
    return Verdict(
        "unknown",
        f"the host's own address is {address}, which nobody out there can reach: it stands behind NAT",
        "Tell the address that others see: --address 203.0.113.25",
    )
