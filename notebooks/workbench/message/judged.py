"""What a big receiver would say of a letter that has left: the findings of the world's judge, as five questions in plain words.

The judge is `lab/world/tree/usr/local/lib/judge`. Nothing is refused for what it says.
"""

import json
import shlex
import time
from typing import Any

from notebooks.workbench.host import remote
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.message import world
from notebooks.workbench.message.letters import Letter
from notebooks.workbench.message.passport import PATIENCE, located
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady

GOOD, BAD, UNKNOWN = "✓", "✖", "?"
PLACES = {"inbox": "put it into the inbox", "spam": "file it as spam", "refused": "refuse it"}
NO_LETTER = 3  # the judge's exit code
LATER = "ask again in a while: the DNS did not answer"
OLD = "In a terminal: python -m lab rm world, then python -m lab add world"
Judged = dict[str, Any]
Answer = tuple[str, str, str]  # sign, what was seen, what to do


@stoppable()
def judged(letter: Letter | html.Note, wait: float = PATIENCE) -> html.Findings | html.Note:
    """What Gmail would say today of a letter that has gone to the world: five questions, and what to do where the answer is no.

    Waits until the letter is there. Raises NotReady where it was refused here or did not arrive, and where the world has no judge.
    """
    if isinstance(letter, html.Note):  # skipped outside the lab, and there is no letter
        return letter
    if not (there := world.host()):
        raise NotReady("There is no world in this lab, and no judge.", remedy="world()")
    end = time.monotonic() + (0 if letter.refused else wait)
    while True:
        done = remote.execute(shlex.join(["judge", letter.message_id]), on=there["name"])
        if done.code == 0:
            return shown(json.loads(done.out))
        if done.code != NO_LETTER:
            raise NotReady("The judge did not answer.", done.both[-500:], OLD if done.code == 127 else "")
        if time.monotonic() > end:
            break
        time.sleep(0.5)
    said = f"{done.err.strip()}\n{letter.answer if letter.refused else located(letter, 0.0)}"
    raise NotReady("There is no letter to judge.", said, "passport(letter) shows its way")


def shown(found: Judged) -> html.Findings:
    """The answers to the five questions below the verdict for a sender of few letters; at the end, that for one of many."""
    few, many = found["verdict"]["few"], found["verdict"]["many"]
    asked = {
        "Who sent it? (SPF)": spf(found),
        "Was it altered? (DKIM)": dkim(found),
        "Do they agree with From? (DMARC)": dmarc(found),
        "Was it secret on the way? (TLS)": tls(found),
        "Does the address lead back? (PTR)": ptr(found),
    }
    rows = [(sign, question, seen, todo and f"→ {todo}") for question, (sign, seen, todo) in asked.items()]
    much = f"Of a sender of more than 5,000 letters a day, it would {PLACES[many['place']]}."
    return html.Findings(
        f"Gmail would {PLACES[few['place']]} today.",
        rows,
        lead=few["reason"],
        tail=much + ("" if many == few else f" {many['reason']}"),
    )


def spf(found: Judged) -> Answer:
    told, address = found["spf"], found["client"]["address"]
    name = told["domain"]
    if told["result"] == "pass":
        return GOOD, f"{name} says that {address} may send for it", ""
    if told["result"] == "temperror":
        return UNKNOWN, f"whether {address} may send for {name} could not be looked up", LATER
    if told["result"] == "permerror":
        return (
            BAD,
            f"what {name} says of its senders cannot be read: {told['why']}",
            f"correct the TXT record of {name}",
        )
    if told["result"] in ("none", "neutral"):
        return BAD, f"{name} does not say who may send for it", f"a TXT record for {name}: v=spf1 mx -all (chapter 6)"
    return (
        BAD,
        f"{name} says that {address} may not send for it",
        f"send from a host that the TXT record of {name} names",
    )


def dkim(found: Judged) -> Answer:
    if not found["dkim"]:
        return BAD, "nobody can tell: it has no signature", "sign what leaves, and publish the key (chapter 6)"
    seen = "\n".join(signature(one) for one in found["dkim"])
    results = {one["result"] for one in found["dkim"]}
    if "pass" in results:
        return GOOD, seen, ""
    if "temperror" in results:
        return UNKNOWN, seen, LATER
    return (
        BAD,
        seen,
        "compare the key in the DNS with the one that signs, and look for a hop that alters letters (chapter 6)",
    )


def signature(told: dict[str, str]) -> str:
    whose = f"the signature of {told['domain']} (key {told['selector']})"
    if told["result"] == "pass":
        return f"{whose} holds"
    return f"{whose} {'could not be checked' if told['result'] == 'temperror' else 'does not hold'}: {told['why']}"


def dmarc(found: Judged) -> Answer:
    told = found["dmarc"]
    name, by = told["domain"], [kind.upper() for kind, agrees in told["aligned"].items() if agrees]
    if told["result"] == "temperror":
        return UNKNOWN, f"what {name} asks for could not be looked up", LATER
    if told["result"] == "permerror":
        return (
            BAD,
            f"that cannot be judged: {told['why']}",
            "one From with one address, and one DMARC record for its domain",
        )
    if told["result"] == "none":
        proof = f"; it is proved by {' and '.join(by)} all the same" if by else ""
        todo = f"a TXT record for _dmarc.{name}: v=DMARC1; p=none, and stricter later (chapter 6)"
        return BAD, f"{name} asks nobody to compare{proof}", todo
    if told["result"] == "pass":
        return GOOD, f"it is from {name}, by {' and '.join(by)}; others should be met with: {told['policy']}", ""
    todo = "the name on the envelope, or that of a signature, has to be of the domain in From (chapter 6)"
    return BAD, f"nothing proves that it is from {name}, which asks for: {told['policy']}", todo


def tls(found: Judged) -> Answer:
    if version := found["tls"]["version"]:
        return GOOD, f"yes: {version}. Whether the sender has trusted the certificate, only its own log can say", ""
    return BAD, "no: it came in clear text", 'apply("postfix.tls"): smtp_tls_security_level = may (chapter 1)'


def ptr(found: Judged) -> Answer:
    told, address = found["ptr"], f"{found['client']['address']} ({found['client']['family']})"
    if told["leads_back"]:
        return GOOD, f"{address} is called {told['leads_back'][0]}, and that name leads to it", ""
    if told["why"]:
        return UNKNOWN, f"the name of {address} could not be looked up", LATER
    if told["names"]:
        todo = "an address record for that name, or another PTR record"
        return (
            BAD,
            f"{address} is called {told['names'][0]}, and that name leads elsewhere",
            f"{todo} (chapter 1, the host's name)",
        )
    todo = "whoever owns the address, mostly the provider, sets its PTR record to the host's name (chapter 1)"
    return BAD, f"{address} has no name", todo
