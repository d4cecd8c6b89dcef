"""DKIM signatures (RFC 6376), judged by dkimpy, which shares no code with what makes them. The DNS is not asked: it may not know
the key yet. The judge is given the record that Amavis wants to have published."""

import re

import dkim

from checks.engine import Failed, Target

RECORD = re.compile(r"^(\S+)\.\s+\d+ TXT \(([^)]*)\)", re.MULTILINE)  # of a zone file; a text may be in several strings
OURS = "See chapter 6, signing: /etc/amavis/conf.d/66-mailroom-dkim, and content_filter of pickup in master.cf."


def records(target: Target) -> dict[str, str]:
    """The texts that the DNS shall have, by name: "mailroom._domainkey.example.test"."""
    return read(target.once("amavisd showkeys"))


def read(printed: str) -> dict[str, str]:
    """The same, from what `amavisd showkeys` has printed."""
    return {name: "".join(re.findall(r'"([^"]*)"', text)) for name, text in RECORD.findall(printed)}


def signers(text: str) -> list[str]:
    """The domains for which a letter is signed, whether that holds or not."""
    return [one.get("d", "") for one in _signatures(text)]


def judged(target: Target, text: str, domain: str) -> tuple[bool, str]:
    """Whether the signature of this domain holds for the letter as it is in its mailbox, and which one that is.

    Raises Failed where there is none.
    """
    found = _signatures(text)
    if domain not in (signed := signers(text)):
        raise Failed(f"not signed for {domain}" + (f", but for {', '.join(signed)}" if signed else ""))
    known = {name.encode() + b".": record.encode() for name, record in records(target).items()}
    judge = dkim.DKIM(text.strip().replace("\n", "\r\n").encode() + b"\r\n")
    which = signed.index(domain)
    try:
        holds = judge.verify(idx=which, dnsfunc=lambda name, timeout=5: known.get(name))
    except dkim.DKIMException as error:
        return False, " ".join(str(error).split())
    return holds, f"d={domain}, s={found[which]['s']}, {judge.keysize} bits"


def _signatures(text: str) -> list[dict[str, str]]:
    """The tags of each signature, from the topmost on."""
    head = re.sub(r"\n[ \t]+", " ", text.replace("\r\n", "\n").partition("\n\n")[0])
    lines = re.findall(r"^DKIM-Signature:(.*)", head, re.MULTILINE | re.IGNORECASE)
    return [dict(re.findall(r"(\w+)\s*=\s*([^;]*?)\s*(?:;|$)", line)) for line in lines]
