"""How mail clients find the server from an address alone: by names where they ask over https, and by SRV records.

https://www.rfc-editor.org/rfc/rfc6186 https://wiki.mozilla.org/Thunderbird:Autoconfiguration
"""

from collections.abc import Iterator
from functools import partial

from postmaster.zone import web
from postmaster.zone.ask import Authorities
from postmaster.zone.host import MANAGESIEVE, Facts
from postmaster.zone.need import Need, Verdict, missing, unknown

# TLS from the first byte comes first: RFC 8314, 3
SERVICES = {"_imaps": (0, 993), "_submissions": (0, 465), "_submission": (10, 587)}
# Required where the server answers by them: an authority signs for all names of a certificate, or for none.
ASKED = {"autoconfig": "Thunderbird and most others ask", "autodiscover": "Outlook asks"}


def needs(facts: Facts, domain: str) -> Iterator[Need]:
    for asked, whom in ASKED.items() if facts.autoconfig else ():
        name = f"{asked}.{domain}"
        why = f"where {whom} for settings; an authority has to find us by it, too"
        yield Need(name, "CNAME", f"{facts.name}.", why, partial(web.leads_here, facts, name))
    services = SERVICES | ({"_sieve": (0, MANAGESIEVE)} if facts.sieve else {})
    for service, (priority, port) in services.items():
        want = f"{priority} 1 {port} {facts.name}."
        name = f"{service}._tcp.{domain}"
        yield Need(
            name, "SRV", want, f"where clients find {service.strip('_')}", partial(leads_to, name, want, facts.name, port),
            required=False,
        )  # fmt: skip


def leads_to(name: str, want: str, host: str, port: int, names: Authorities) -> Verdict:
    answer = names.ask(name, "SRV")
    if answer.problem:
        return unknown(answer)
    if not answer.values:
        return missing(names, name, "SRV", want)
    found = {(words[3], int(words[2])) for words in (value.split(" ") for value in answer.values)}
    if strange := sorted(found - {(host.lower(), port)}):
        where = ", ".join("nowhere" if other == "." else f"{other}, port {number}" for other, number in strange)
        return Verdict("wrong", f"it leads to {where}", f"Let it be: {want}", answer.values)
    return Verdict("right", f"{host}, port {port}", found=answer.values)
