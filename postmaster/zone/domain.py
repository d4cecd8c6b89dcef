"""A mail domain's records: where its mail goes, who may send in its name, and what to do with the rest."""

import re
from collections.abc import Iterator
from functools import partial

from postmaster.zone import sender
from postmaster.zone.ask import Answer, Authorities
from postmaster.zone.host import Facts
from postmaster.zone.need import Need, Verdict, missing, tags, unknown

POLICIES = ("none", "quarantine", "reject")
MAILTO = re.compile(r"mailto:[^\s,;!@]+@([^\s,;!]+)(![0-9]+[kmgt]?)?", re.IGNORECASE)


def needs(facts: Facts, domain: str) -> Iterator[Need]:
    """MX, SPF and DMARC are what the large receivers ask for; reports about TLS are a kindness to oneself."""
    yield Need(domain, "MX", f"10 {facts.name}.", "where mail for it goes", partial(comes_here, facts, domain))
    # With a relay, receivers see the relay's address, which its operator names in a record of his own.
    spf = "v=spf1 mx -all" if not facts.relay else ""
    yield Need(domain, "TXT", spf, "who may send in its name (SPF)", partial(sender.judge, facts, domain, spf))
    signed = any(name.endswith(f"._domainkey.{domain}") for name, _ in facts.keys)
    dmarc = f"v=DMARC1; p={'quarantine' if signed else 'none'}; rua=mailto:postmaster@{domain}"
    why = "what to do with forgeries, and where to report them (DMARC)"
    why += "" if signed else "; p=none until each letter is signed"
    yield Need(f"_dmarc.{domain}", "TXT", dmarc, why, partial(policy, domain, dmarc))
    reports = f"v=TLSRPTv1; rua=mailto:postmaster@{domain}"
    why = "where to report that TLS to us failed (TLS-RPT, RFC 8460)"
    yield Need(f"_smtp._tls.{domain}", "TXT", reports, why, partial(tls_reports, domain, reports), required=False)


def comes_here(facts: Facts, domain: str, names: Authorities) -> Verdict:
    answer = names.ask(domain, "MX")
    if answer.problem:
        return unknown(answer)
    if not answer.values:
        return missing(names, domain, "MX", f"10 {facts.name}.")
    ways = sorted((int(number), host) for number, host in (value.split(" ") for value in answer.values))
    hosts = [host for _, host in ways]
    if facts.name.lower() not in hosts:
        no_mail = (
            "it says that the domain takes no mail at all" if hosts == ["."] else f"mail goes to {', '.join(hosts)}"
        )
        return Verdict("wrong", no_mail, f"Add: {domain}. MX 10 {facts.name}.", answer.values)
    if numbers := [host for host in hosts if re.fullmatch(r"[0-9.]+", host)]:
        return Verdict(
            "wrong",
            f"{numbers[0]} is an address, and an MX record takes a name: RFC 5321, 5.1",
            f"Delete it; MX 10 {facts.name}. is enough.",
            answer.values,
        )
    for host in hosts:
        if names.ask(host, "A").alias:
            return Verdict(
                "wrong", f"{host} is an alias, and an MX record's host may be none: RFC 2181, 10.3",
                "Name the host that it stands for.", answer.values,
            )  # fmt: skip
    others = [host for number, host in ways if host != facts.name.lower()]
    if others:
        return Verdict(
            "advice",
            f"mail may also go to {', '.join(others)}; whoever stands there has to know our users, and pass mail on to us",
            f"If that is no host of yours, delete it; if it is, {facts.name} has the lowest number.",
            answer.values,
        )
    return Verdict("right", ", ".join(answer.values), found=answer.values)


def policy(domain: str, want: str, names: Authorities) -> Verdict:
    """RFC 7489, 6.6.3: two records are none."""
    name = f"_dmarc.{domain}"
    answer = names.ask(name, "TXT")
    if answer.problem:
        return unknown(answer)
    records = [value for value in answer.values if re.match(r"v\s*=\s*DMARC1\s*(;|$)", value)]
    if not records:
        if answer.values:
            return unreadable(name, answer, "v=DMARC1;", want)
        return misplaced(names, domain, name, "v=dmarc1", want)
    if len(records) > 1:
        return twice(name, records)
    found = tags(records[0])
    if found.get("p", "").lower() not in POLICIES:
        said = f"p={found['p']}" if "p" in found else "no p="
        return Verdict("wrong", f"it has {said}; p is {', '.join(POLICIES)}", f"Write: {want}", tuple(records))
    if "rua" in found:
        uris = [MAILTO.fullmatch(one.strip()) for one in found["rua"].split(",")]
        if not all(uris):
            remedy = f"Write: rua=mailto:postmaster@{domain}"
            return Verdict("wrong", f"rua={found['rua']} is no list of mailto:", remedy, tuple(records))
        elsewhere = {one[1].lower() for one in uris if one} - {domain.lower()}
        for other in sorted(one for one in elsewhere if not one.endswith(f".{domain.lower()}")):
            allowed = names.ask(f"{domain}._report._dmarc.{other}", "TXT")
            if not allowed.problem and not any(one.lower().startswith("v=dmarc1") for one in allowed.values):
                return Verdict(
                    "advice",
                    f"reports go to {other}, which does not say that it wants them: RFC 7489, 7.1",
                    f'There: {domain}._report._dmarc.{other}. TXT "v=DMARC1"',
                    tuple(records),
                )
    if "rua" not in found:
        remedy = f"Add: rua=mailto:postmaster@{domain}"
        return Verdict("advice", f"p={found['p']}, and nobody is told who writes in our name", remedy, tuple(records))
    return Verdict("right", f"p={found['p'].lower()}", found=tuple(records))


def tls_reports(domain: str, want: str, names: Authorities) -> Verdict:
    name = f"_smtp._tls.{domain}"
    answer = names.ask(name, "TXT")
    if answer.problem:
        return unknown(answer)
    records = [value for value in answer.values if value.startswith("v=TLSRPTv1")]
    if not records:
        return unreadable(name, answer, "v=TLSRPTv1;", want) if answer.values else missing(names, name, "TXT", want)
    if len(records) > 1:
        return twice(name, records)
    if not tags(records[0]).get("rua", "").lower().startswith(("mailto:", "https:")):
        return Verdict("wrong", "its rua is neither mailto: nor https:", f"Write: {want}", tuple(records))
    return Verdict("right", records[0], found=tuple(records))


def twice(name: str, records: list[str]) -> Verdict:
    says = f"there are {len(records)}, and receivers then take it that there is none"
    return Verdict("wrong", says, f"Keep one of the TXT records of {name}.", tuple(records))


def unreadable(name: str, answer: Answer, begins: str, want: str) -> Verdict:
    says = f"none of its texts begins with {begins} (capitals count): {'; '.join(answer.values)[:80]}"
    return Verdict("wrong", says, f"Write: {want}", answer.values)


def misplaced(names: Authorities, domain: str, name: str, begins: str, want: str) -> Verdict:
    """Missing, or written down at the domain itself."""
    there = [value for value in names.ask(domain, "TXT").values if value.lower().startswith(begins)]
    if there:
        return Verdict(
            "missing", f"it stands at {domain}, where nobody looks", f"Give it the name {name}.", tuple(there)
        )
    return missing(names, name, "TXT", want)
