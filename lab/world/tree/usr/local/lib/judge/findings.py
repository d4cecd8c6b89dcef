"""What foreign programs say of a letter: pyspf of SPF, dkimpy of DKIM, authheaders of the DMARC record, dnspython of names.

The words of results are those of RFC 8601. Each question goes to the resolver of /etc/resolv.conf, the world's own.
"""

from ipaddress import ip_address
from typing import Any

import dkim
import dns.exception
import dns.resolver
import spf
from authheaders.dmarc_lookup import DMARCException, get_org_domain, lookup_receiver_record
from dkim.util import InvalidTagValueList, parse_tag_value

from judge.letter import Letter, domain

Finding = dict[str, Any]
NO_SUCH = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)


def all_of(letter: Letter) -> Finding:
    """Every finding, by its name; `verdicts` of judge.rules takes them."""
    by_spf, by_dkim = spf_of(letter), signatures(letter.message)
    version, cipher = letter.tls or (None, None)
    return {
        "client": {
            "address": letter.address,
            "family": f"IPv{ip_address(letter.address).version}",
            "helo": letter.helo,
        },
        "envelope_sender": letter.sender,
        "from": list(letter.authors),
        "spf": by_spf,
        "dkim": by_dkim,
        "dmarc": dmarc(letter.authors, by_spf, by_dkim),
        "tls": {"version": version, "cipher": cipher},  # whether it trusted our certificate, only the client knows
        "ptr": names_of(letter.address),
    }


def spf_of(letter: Letter) -> Finding:
    """Whether the address may send in the name on the envelope; a bounce has none, and its HELO counts (RFC 7208, 2.4)."""
    name, (local, at, _) = domain(letter.sender or letter.helo), letter.sender.rpartition("@")
    try:
        result, why = spf.check2(letter.address, letter.sender and f"{local}{at}{name}", letter.helo)
    except dns.exception.DNSException as error:  # no name at all, as one with an empty part
        result, why = "permerror", str(error)
    return {"result": result, "domain": name, "identity": "mailfrom" if letter.sender else "helo", "why": why}


def signatures(message: bytes) -> list[Finding]:
    """One finding for each DKIM-Signature, topmost first; none where the letter has none."""
    found = [value for name, value in dkim.DKIM(message).headers if name.lower() == b"dkim-signature"]
    return [signature(message, number, value) for number, value in enumerate(found)]


def signature(message: bytes, number: int, field: bytes) -> Finding:
    try:
        tags = parse_tag_value(field)
    except InvalidTagValueList:
        tags = {}
    signer, selector = (tags.get(tag, b"").decode(errors="replace").strip() for tag in (b"d", b"s"))
    told = {"domain": domain(signer), "selector": selector}
    keys = []

    def key(name: bytes, timeout: int = 5) -> bytes | None:
        keys.append(dkim.get_txt(name, timeout))
        return keys[-1]

    try:
        if dkim.DKIM(message).verify(idx=number, dnsfunc=key):
            return {**told, "result": "pass", "why": ""}
        if not any(keys):
            return {**told, "result": "permerror", "why": f"there is no key at {selector}._domainkey.{signer}"}
        return {**told, "result": "fail", "why": "a field that was signed is another one now, or the key is"}
    except dkim.DnsTimeoutError as error:
        return {**told, "result": "temperror", "why": str(error)}
    except dkim.ValidationError as error:
        return {**told, "result": "fail", "why": str(error)}
    except dkim.DKIMException as error:
        return {**told, "result": "permerror", "why": str(error)}


def dmarc(authors: tuple[str, ...], by_spf: Finding, by_dkim: list[Finding]) -> Finding:
    """Whether SPF or DKIM has passed for the author's own domain, and what that asks for where neither has (RFC 7489, 6.6).

    Not by authheaders' check_dmarc: version 0.16 ends a domain at its first hyphen, and has another policy for subdomains count for all.
    """
    none = {"result": "none", "domain": "", "policy": "", "aligned": {"spf": False, "dkim": False}, "why": ""}
    if len(authors) != 1:
        return none | {"result": "permerror", "why": f"a letter has one author; From names {len(authors)}"}
    author = domain(authors[0])
    try:
        record = lookup_receiver_record(author)
        above = {} if record else lookup_receiver_record(organizational(author))
    except dns.exception.Timeout as error:
        return none | {"result": "temperror", "domain": author, "why": str(error)}
    except (DMARCException, dns.exception.DNSException) as error:
        return none | {"result": "permerror", "domain": author, "why": str(error)}
    asked = record or above
    signers = [one["domain"] for one in by_dkim if one["result"] == "pass"]
    aligned = {
        "spf": by_spf["result"] == "pass" and agree(author, by_spf["domain"], asked.get("aspf", "r")),
        "dkim": any(agree(author, one, asked.get("adkim", "r")) for one in signers),
    }
    told = none | {"domain": author, "aligned": aligned}
    if "p" not in asked:
        return told | {"why": f"there is no record at _dmarc.{author}"}
    policy = above.get("sp", asked["p"])
    return told | {"result": "pass" if any(aligned.values()) else "fail", "policy": policy}


def agree(author: str, other: str, mode: str) -> bool:
    """Strict: the two domains are the same; relaxed: their organizational domains are."""
    return author == other if mode == "s" else organizational(author) == organizational(other)


def organizational(name: str) -> str:
    """The part of a name that somebody can register, by Debian's public suffix list (RFC 7489, 3.2).

    authheaders takes a top level that is not in the list, as the lab's "test", for such a name itself: all below it would agree.
    """
    found = str(get_org_domain(name))
    return found if "." in found else ".".join(name.split(".")[-2:])  # the list's rule for all others is "*"


def names_of(address: str) -> Finding:
    """The names of an address, and those of them that lead back to it. `why` says what could not be looked up."""
    try:
        names = [str(one).rstrip(".") for one in dns.resolver.resolve_address(address)]
        back = [name for name in names if leads_to(name, address)]
    except NO_SUCH:
        return {"names": [], "leads_back": [], "why": ""}
    except dns.exception.DNSException as error:
        return {"names": [], "leads_back": [], "why": str(error)}
    return {"names": names, "leads_back": back, "why": ""}


def leads_to(name: str, address: str) -> bool:
    wanted = ip_address(address)
    try:
        found = dns.resolver.resolve(name, "A" if wanted.version == 4 else "AAAA")
    except NO_SUCH:
        return False
    return wanted in {ip_address(one.address) for one in found}
