"""MTA-STS: what we promise to who writes to us. The record says that there is a promise, and by its id when it has changed.

https://www.rfc-editor.org/rfc/rfc8461
"""

import hashlib
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from checks.clients import web as client
from checks.engine.target import Target
from checks.engine.verdicts import Failed
from postmaster.zone import web
from postmaster.zone.ask import Authorities
from postmaster.zone.host import Facts
from postmaster.zone.need import Need, Verdict, missing, tags, unknown

PATH = "/.well-known/mta-sts.txt"
ID = re.compile(r"[A-Za-z0-9]{1,32}")
PORT = "On the host: systemctl status mailroom-web; is port 443 open, at the provider too?"


def id_of(policy: str) -> str:
    """The id of a policy, which is another one for each other text."""
    return hashlib.sha256(policy.encode()).hexdigest()[:20]


def needs(facts: Facts, domain: str) -> Iterator[Need]:
    if not facts.policy:
        return
    name, want = f"mta-sts.{domain}", f"{facts.name}."
    yield Need(
        name,
        "CNAME",
        want,
        "where others read what we promise (MTA-STS)",
        partial(web.leads_here, facts, name),
        required=False,
    )
    name, want = f"_mta-sts.{domain}", f"v=STSv1; id={id_of(facts.policy)}"
    why = "that we promise TLS with a certificate that holds, and since when (MTA-STS)"
    yield Need(name, "TXT", want, why, partial(judge, name, want), required=False)


def judge(name: str, want: str, names: Authorities) -> Verdict:
    answer = names.ask(name, "TXT")
    if answer.problem:
        return unknown(answer)
    found = [value for value in answer.values if value.startswith("v=STSv1")]
    let_it_be = f'Let it be: "{want}"'
    if not answer.values:
        return missing(names, name, "TXT", want)
    if not found:
        return Verdict(
            "wrong",
            "there is a text, and it does not begin with v=STSv1: nobody reads the promise",
            let_it_be,
            answer.values,
        )
    if len(found) > 1:
        return Verdict("wrong", f"there are {len(found)}, and then none counts", f'Keep one: "{want}"', answer.values)
    if not ID.fullmatch(said := tags(found[0]).get("id", "")):
        return Verdict(
            "wrong", "it has no id of letters and digits, so nobody reads the promise", let_it_be, answer.values
        )
    if said != tags(want)["id"]:
        says = "the promise has changed, and its id has not: who has read the old one goes on with that"
        return Verdict("wrong", says, let_it_be, answer.values)
    return Verdict("right", "the id of what is promised", found=answer.values)


def rows(target: Target, facts: Facts, names: Authorities) -> Iterator[dict[str, Any]]:
    """Read each domain's promise as a sender does. Nothing of a domain that makes none and says none."""
    for domain in facts.domains:
        said = any(value.startswith("v=STSv1") for value in names.ask(f"_mta-sts.{domain}", "TXT").values)
        if not (said or facts.policy):
            continue
        name = f"mta-sts.{domain}"
        row = {
            "name": f"to {name}",
            "address": "",
            "type": "443",
            "want": "",
            "required": said,
            "why": "whether others can read what we promise",
        }
        verdict = withdrawn(domain) if facts.known and not facts.policy else read(target, facts, names, domain)
        yield row | {"sign": verdict.sign, "says": verdict.says, "remedy": verdict.remedy, "found": list(verdict.found)}


def withdrawn(domain: str) -> Verdict:
    says = "the DNS says that there is a promise, and this server makes none (mta_sts = None)"
    remedy = (
        f"Delete the TXT record _mta-sts.{domain}. Who has read the promise keeps to it until its max_age is over: "
        "take it back with mta_sts = 'testing' and the new id first."
    )
    return Verdict("wrong", says, remedy)


def read(target: Target, facts: Facts, names: Authorities, domain: str) -> Verdict:
    """As a sender reads it, and against the host's own text and the domain's MX records."""
    try:
        status, text, headers = client.answered(target, PATH, name=f"mta-sts.{domain}", port=443)
    except Failed as error:
        return Verdict("wrong", error.evidence, error.remedy or PORT)
    lines = client.policy(text)
    if (
        status != 200
        or not headers.get("Content-Type", "").startswith("text/plain")
        or lines.get("version") != ["STSv1"]
    ):
        return Verdict(
            "wrong", f"it answers with {status}, and no policy", "Run deploys/mailserver.py again: believed.policy."
        )
    if facts.policy and lines != client.policy(facts.policy):
        return Verdict("wrong", "another promise than the host's own is read there", PORT)
    mode, promised = lines.get("mode", [""])[0], lines.get("mx", [])
    hosts = [value.split(" ")[1] for value in names.ask(domain, "MX").values]
    if others := [host for host in hosts if not any(matches(host, pattern) for pattern in promised)]:
        says = f"mail also goes to {', '.join(others)}, for which nothing is promised"
        return Verdict(
            "wrong" if mode == "enforce" else "advice",
            f"{says}: senders leave it out",
            "Delete that MX record, or set mta_sts = None.",
        )
    return Verdict("right", f"{mode}, for {', '.join(promised)}", found=tuple(promised))


def matches(host: str, pattern: str) -> bool:
    """Whether a policy's mx line is for this host; a star stands for one label: RFC 8461, 4.1."""
    host, pattern = host.lower().rstrip("."), pattern.lower().rstrip(".")
    return host == pattern or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])
