"""What a big receiver makes of the findings, by the rules that Gmail publishes; those of others are alike.

https://support.google.com/a/answer/81126: every sender needs SPF or DKIM, a PTR that leads back and TLS; who sends more than 5,000
letters a day needs SPF, DKIM and DMARC, and From has to agree with one of the two. The owner of the domain in From may ask for more by
his DMARC policy. Nothing here knows the reputation of an address, nor what stands in the letter: these two no rule tells.
"""

from typing import Any

Finding = dict[str, Any]
Verdict = dict[str, str]


def verdicts(found: Finding) -> dict[str, Verdict]:
    """For a sender of few letters and for one of more than 5,000 a day: {"few": {"place", "reason"}, "many": {…}}.

    The place is "inbox", "spam" or "refused", which has the code of its reply, too (RFC 3463); the reason is the first rule that has
    decided. What the judge could not look up has not passed.
    """
    few = of_any(found)
    return {"few": few, "many": of_many(found) if few["place"] == "inbox" else few}


def of_any(found: Finding) -> Verdict:
    """The rules for any letter: those that refuse, and then what the author's domain asks to file as spam."""
    dmarc, ptr, address = found["dmarc"], found["ptr"], found["client"]["address"]
    unproven = dmarc["policy"] if dmarc["result"] == "fail" else ""
    by = "SPF" if found["spf"]["result"] == "pass" else "DKIM" if any(map(holds, found["dkim"])) else ""
    if "temperror" in {dmarc["result"], *(one["result"] for one in (found["spf"], *found["dkim"]) if not by)}:
        return refused("4.7.0", "What proves its sender could not be looked up. It may try again later.")
    if not by:
        return refused("5.7.26", "Nothing proves who has sent it: neither SPF nor DKIM has passed.")
    if not dmarc["domain"]:
        return refused("5.7.1", f"The name in From cannot be judged: {dmarc['why']}.")
    if unproven == "reject":
        return refused(
            "5.7.26", f"Nothing proves that it is from {dmarc['domain']}, which asks to refuse such letters (DMARC)."
        )
    if ptr["why"]:
        return refused("4.7.0", f"The name of {address} could not be looked up. It may try again later.")
    if not ptr["names"]:
        return refused("5.7.25", f"The address {address} has no name: no PTR record.")
    if not ptr["leads_back"]:
        return refused(
            "5.7.25", f"The address {address} is called {ptr['names'][0]}, and that name does not lead back to it."
        )
    if not found["tls"]["version"]:
        return refused("5.7.29", "The letter came without TLS: everybody on the way could read it.")
    if unproven == "quarantine":
        return spam(
            f"Nothing proves that it is from {dmarc['domain']}, which asks to file such letters as spam (DMARC)."
        )
    return inbox(f"{by} has passed, over TLS, from an address whose name leads back to it.")


def holds(signature: Finding) -> bool:
    return bool(signature["result"] == "pass")


def of_many(found: Finding) -> Verdict:
    """The rules for bulk, on top of those for any letter."""
    if found["spf"]["result"] != "pass":
        return refused("5.7.27", "Beside DKIM, who sends much needs SPF, and it has not passed.")
    if not any(map(holds, found["dkim"])):
        return refused("5.7.30", "Beside SPF, who sends much needs a DKIM signature that holds, and there is none.")
    if found["dmarc"]["result"] != "pass":
        return refused("5.7.31", "Who sends much needs a DMARC record, and SPF or DKIM for the very domain in From.")
    return inbox("SPF, DKIM and DMARC have passed.")


def inbox(reason: str) -> Verdict:
    return {"place": "inbox", "reason": reason}


def spam(reason: str) -> Verdict:
    return {"place": "spam", "reason": reason}


def refused(code: str, reason: str) -> Verdict:
    return {"place": "refused", "reason": reason, "code": code}
