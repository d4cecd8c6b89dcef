"""Names and addresses: which of them can have mail here, and which are the host's own."""

import ipaddress
import re
from collections.abc import Collection, Iterator
from typing import Any

import idna
from email_validator import EmailNotValidError, validate_email

from deploys.kinds import shown

LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
FQDN = re.compile(rf"(?=.{{4,}})({LABEL}\.)+(?![0-9]+\Z){LABEL}")
# The local part becomes a directory and a word in SQL and in Postfix's maps, so it is narrower than RFC 5321 allows.
# "+" is the recipient delimiter: foo+news@ is foo's mail.
LOCAL_PART = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9_-])?")
# Linux takes 64 (HOST_NAME_MAX), and so does a certificate's common name (RFC 5280, ub-common-name).
LONGEST_HOST = 64
LONGEST_NAME = 253  # of the DNS (RFC 1035, 2.3.4), as people write it
LONGEST_ADDRESS = 254  # RFC 5321 4.5.3.1.3, without the angle brackets
LONGEST_DOMAIN = LONGEST_ADDRESS - len("postmaster@")  # which has to be an address in each of them
# main.cf's double_bounce_sender: Postfix's own name for itself, from which it bounces and to which chapter 2 takes no mail
POSTFIXS_OWN = "double-bounce"
# main.cf's virtual_alias_expansion_limit: mail for an alias that leads to more addresses waits in the queue for ever
MOST_TARGETS = 1000


def name_problem(name: Any) -> str:
    """Why this is not a domain name in lower case, and what to write; "" when it is one."""
    if not isinstance(name, str) or not name.isascii():
        return _foreign(name)
    try:
        ipaddress.ip_address(name.strip("[]"))
        return "it is an IP address; write a name like 'example.org'"
    except ValueError:
        pass
    if FQDN.fullmatch(name.removesuffix(".")) and name.endswith("."):
        return f"leave out the dot at its end: {shown(name.removesuffix('.'))}"
    if not FQDN.fullmatch(name):
        return "write it like 'example.org'"
    if len(name) > LONGEST_DOMAIN:
        return (
            f"it has {len(name)} characters, and with postmaster@ in front it has to be an address of at most {LONGEST_ADDRESS}; "
            "take a shorter one"
        )
    for label in name.split("."):
        if label.startswith("xn--"):
            try:
                idna.ulabel(label)
            except (idna.IDNAError, UnicodeError):
                return f"{label!r} decodes to no name in other letters; copy it from your registrar"
    return ""


def _foreign(name: Any) -> str:
    try:
        return f"in the DNS it is {idna.encode(name, uts46=True).decode()!r}; write that"
    except (idna.IDNAError, UnicodeError, TypeError, AttributeError, ValueError):
        return "write it like 'example.org'"


def lower(text: Any) -> Any:
    """ASCII in lower case. Other letters stay: some would turn into ASCII ones, like the sign for kelvin."""
    return text.lower() if isinstance(text, str) and text.isascii() else text


def ours(local: str, domain: str) -> bool:
    """Whether we can keep mail for this address."""
    return (
        LOCAL_PART.fullmatch(local) is not None
        and ".." not in local
        and not name_problem(domain)
        and len(local) + 1 + len(domain) <= LONGEST_ADDRESS
    )


def local_names(hostname: str, domain: str) -> tuple[str, ...]:
    """What Postfix takes for the host itself: main.cf's mydestination, with mydomain = the first of mail_domains."""
    return (hostname, f"localhost.{domain}", "localhost")


def with_required(
    given: dict[str, list[str]], postmaster: str, domains: list[str], users: Collection[str]
) -> dict[str, list[str]]:
    """The aliases of the data with those that reach a person in every domain (RFC 2142, RFC 5321 4.5.1)."""
    names = [f"{name}@{domain}" for domain in domains for name in ("postmaster", "abuse", "root")]
    return {**given, **{name: given.get(name, [postmaster]) for name in names if name not in users}}


def alias_problems(
    aliases: dict[str, list[str]], postmaster: str, users: Collection[str], domains: list[str], local: Collection[str]
) -> Iterator[str]:
    """What is wrong with the aliases, and with the postmaster, to whom some of them lead."""
    names = {*users, *aliases}
    if problem := _target(postmaster, names, domains, local):
        yield f"mail_postmaster: {shown(postmaster)} {problem}"
        return
    for alias, targets in aliases.items():
        before, _, domain = alias.rpartition("@")
        if domain not in domains or not ours(before, domain):
            yield (
                f"mail_aliases: {shown(alias)} is not an address that this server can keep mail for, in one of mail_domains; "
                "write it with letters, digits, . _ - before the @"
            )
            continue
        if before == POSTFIXS_OWN:
            yield f"mail_aliases: {alias} is Postfix's own, and mail to it is refused; choose another name"
        if alias in users:
            yield f"mail_aliases: {alias} is also a user; the alias would hide the mailbox. Rename one"
        if not targets:
            yield f"mail_aliases: {alias} has no target; name one"
        wrong = {target: problem for target in targets if (problem := _target(target, names, domains, local))}
        yield from (f"mail_aliases: {alias} leads to {_named(target)}, {problem}" for target, problem in wrong.items())
        if not wrong:
            yield from _ends(alias, aliases)


def _named(target: str) -> str:
    return target if re.fullmatch(r"[!-~]{1,100}", target) and "@" in target else shown(target)


def _target(target: str, names: Collection[str], domains: list[str], local: Collection[str]) -> str:
    domain = target.rpartition("@")[2]
    try:
        validate_email(target, check_deliverability=False, test_environment=True, allow_smtputf8=False)
    except (EmailNotValidError, ValueError):
        return "which is not an address; write it like 'foo@example.org'"
    if problem := name_problem(domain):
        return f"which is not an address; as to its domain, {problem}"
    if target.startswith("-"):  # allow_min_user = no: a program that gets it as an argument would take it for an option
        return "which Postfix takes for bad syntax, as it begins with a hyphen; name another address"
    if domain in local:
        return "an account of the host itself, whose mail no user reads; name a mailbox"
    if domain in domains and target not in names:
        return "which is neither a user nor an alias; add the user or fix the alias"
    return ""


def _ends(alias: str, aliases: dict[str, list[str]]) -> Iterator[str]:
    """An alias that leads back to itself, or to more than Postfix follows."""
    seen: set[str] = set()
    queue = list(aliases[alias])
    while queue:
        name = queue.pop()
        if name == alias:
            yield f"mail_aliases: {alias} leads back to itself; make it end at a user"
            return
        if name not in seen:
            seen.add(name)
            queue += aliases.get(name, [])
    if len(seen) > MOST_TARGETS:
        yield (
            f"mail_aliases: {alias} leads to {len(seen)} addresses, and Postfix follows at most {MOST_TARGETS}; "
            "use a program for mailing lists"
        )
