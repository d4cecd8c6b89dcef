"""All that this server needs in the DNS, in the order in which a person would write it down."""

from collections.abc import Iterator

from postmaster.zone import addresses, caa, clients, dane, domain, promise, sender, signing
from postmaster.zone.host import Facts
from postmaster.zone.need import Need, shown

WIDTH = 100


def needs(facts: Facts) -> Iterator[Need]:
    yield from addresses.needs(facts)
    yield from sender.needs(facts)
    yield from dane.needs(facts)
    yield from caa.needs(facts)
    for one in facts.domains:
        yield from domain.needs(facts, one)
        yield from signing.needs(facts, one)
        yield from promise.needs(facts, one)
        yield from clients.needs(facts, one)


def bind(facts: Facts) -> str:
    """The records as a zone file has them (RFC 1035, 5), the required ones first; what is set elsewhere is a comment."""
    every = [need for need in needs(facts)]
    lines = [f"; What {facts.name} needs in the DNS, for {', '.join(facts.domains)}"]
    for required, title in ((True, "required"), (False, "recommended")):
        lines += ["", f"; {title}"]
        for need in every:
            if need.required is required and not need.provider:
                lines += entry(need)
    lines += ["", "; where the addresses are rented, not in this zone: the reverse names"]
    lines += [f"; {need.name}. IN {need.kind} {need.want}" for need in every if need.provider and facts.addresses]
    if facts.challenges:
        lines += [
            "",
            f"; which the key {facts.key} has to be allowed to change, and nothing else: the answers to the authority",
        ]
        lines += [f"; {name}. IN TXT" for name in facts.challenges]
    return "\n".join(lines)


def entry(need: Need) -> list[str]:
    row = f"{need.name}. 3600 IN {need.kind} {shown(need.kind, need.want)}"
    # a TLSA record in a zone without DNSSEC does nothing, and one that is forgotten at the next key loses mail
    later = not need.want or need.kind == "TLSA"
    return (
        [f"; {need.why}", *([f"; {row.rstrip()}"] if later else [row])] if need.want else [f"; {need.why}: {need.kind}"]
    )
