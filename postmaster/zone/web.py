"""Names by which others ask this host on the web: they lead where the host's own name does."""

from postmaster.zone.ask import Authorities
from postmaster.zone.host import Facts
from postmaster.zone.need import Verdict, missing, unknown


def leads_here(facts: Facts, name: str, names: Authorities) -> Verdict:
    """An alias of the host, or its addresses: clients and authorities only follow where it leads."""
    answers = [names.ask(name, kind) for kind in ("A", "AAAA")]
    if problem := next((one for one in answers if one.problem), None):
        return unknown(problem)
    alias = answers[0].alias or answers[1].alias
    if alias == facts.name.lower():
        return Verdict("right", f"an alias of {facts.name}", found=(alias,))
    found = tuple(address for one in answers for address in one.values)
    if not found and not alias:
        return missing(names, name, "CNAME", f"{facts.name}.")
    ours = {*facts.addresses, *(address for kind in ("A", "AAAA") for address in names.ask(facts.name, kind).values)}
    strange = sorted({*found} - ours)
    if strange or not found:
        says = f"it leads to {', '.join(strange) or alias}, and what is asked there is answered here"
        return Verdict("wrong", says, f"Let it be: {name}. CNAME {facts.name}.", found or (alias,))
    if not answers[0].values and any("." in one for one in ours):
        says = "it leads here over IPv6 only, and half of those who ask have IPv4 only"
        return Verdict("wrong", says, f"Let it be: {name}. CNAME {facts.name}.", found)
    return Verdict("right", f"where {facts.name} leads", found=found)
