"""CAA: which authorities may sign for a domain. Where there is no record, any may.

https://www.rfc-editor.org/rfc/rfc8659
"""

import re
from collections.abc import Iterator
from functools import partial

from postmaster.zone.ask import Authorities
from postmaster.zone.host import Facts
from postmaster.zone.need import Need, Verdict, missing, unknown

# By the beginning of the directory's URL. Of another authority nobody here knows what it calls itself.
ISSUERS = {"https://acme-v02.api.letsencrypt.org/": "letsencrypt.org"}
ISSUE = re.compile(r'\d+ issue "([^";]*)(?:;([^"]*))?"')


def issuer(facts: Facts) -> str:
    return next((name for url, name in ISSUERS.items() if facts.authority.startswith(url)), "")


def needs(facts: Facts) -> Iterator[Need]:
    """One for each mail domain, and for the host where its name is in none of them."""
    if not (authority := issuer(facts)):
        return
    want, way = f'0 issue "{authority}"', "dns-01" if facts.key else "http-01"
    asked = ["mta-sts"] * bool(facts.policy) + ["autoconfig", "autodiscover"] * facts.autoconfig
    asked = [facts.name, *(f"{name}.{domain}" for domain in facts.domains for name in asked)]
    bases = [*facts.domains, *([] if any(inside(facts.name, one) for one in facts.domains) else [facts.name])]
    for base in bases:
        signed = [one for one in asked if inside(one, base)]
        why = f"that {authority} alone may sign for it (CAA); name the authority of a website in it, too"
        yield Need(base, "CAA", want, why, partial(judge, base, signed, authority, way, want), required=False)


def inside(name: str, base: str) -> bool:
    return f".{name}".lower().endswith(f".{base}".lower())


def judge(base: str, signed: list[str], issuer: str, way: str, want: str, names: Authorities) -> Verdict:
    found: tuple[str, ...] = ()
    for one in signed or [base]:
        labels = one.split(".")
        for at in range(len(labels) - 1):  # the first name upwards that has any: RFC 8659, 3
            answer = names.ask(".".join(labels[at:]), "CAA")
            if answer.problem:
                return unknown(answer)
            if answer.values:
                found = answer.values
                break
        else:
            continue
        if not allowed(found, issuer, way):
            says = f"{issuer} may not sign for {one}, and will not renew its certificate"
            return Verdict("wrong", says, f"Add: {'.'.join(labels[at:])}. CAA {want}", found)
    if not found:
        return missing(names, base, "CAA", want)
    return Verdict("right", f"{issuer} may sign", found=found)


def allowed(values: tuple[str, ...], issuer: str, way: str) -> bool:
    """Whether it may, and by the way that we ask for it."""
    rules = [found.groups() for value in values if (found := ISSUE.fullmatch(value))]
    return not rules or any(
        name.strip() == issuer and ("validationmethods" not in (more or "") or way in more) for name, more in rules
    )
