"""Addresses: which we can keep mail for, and where aliases lead."""

import re
from typing import Any

from email_validator import EmailNotValidError, validate_email

LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
FQDN = re.compile(rf"^(?=.{{4,253}}$)({LABEL}\.)+(?!\d+$){LABEL}$")
# The local part becomes a directory and a word in SQL and in Postfix's maps, so it is narrower than RFC 5321 allows.
# "+" is the recipient delimiter: foo+news@ is foo's mail.
LOCAL_PART = re.compile(r"^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9_-])?$")


def with_aliases(
    values: dict[str, Any], domains: list[str], users: dict[str, dict[str, str]], problems: list[str]
) -> tuple[dict[str, list[str]], str]:
    """The aliases of the data with those that every domain must have, and who is postmaster. Adds what is wrong to `problems`."""
    given = values.get("mail_aliases") or {}
    aliases = {
        str(alias).lower(): [str(t).lower() for t in ([targets] if isinstance(targets, str) else targets)]
        for alias, targets in given.items()
    }
    postmaster = str(values.get("mail_postmaster") or next(iter(users), "")).lower()
    # RFC 2142 and RFC 5321 4.5.1: these names reach a person, in every domain.
    for domain in domains:
        for name in ("postmaster", "abuse", "root"):
            if f"{name}@{domain}" not in users:
                aliases.setdefault(f"{name}@{domain}", [postmaster])
    if len(given) != len({str(alias).lower() for alias in given}):
        problems.append("mail_aliases: two aliases differ only in upper and lower case; remove one")
    for alias, targets in aliases.items():
        local, _, domain = alias.rpartition("@")
        if not LOCAL_PART.match(local) or domain not in domains:
            problems.append(f"mail_aliases: {alias!r} is not an address in one of mail_domains")
        if alias in users:
            problems.append(f"mail_aliases: {alias} is also a user; the alias would hide the mailbox. Rename one")
        if not targets:
            problems.append(f"mail_aliases: {alias} leads to nobody; name a target")
        for target in targets:
            problems += _target(alias, target, domains, users, aliases)
    return aliases, postmaster


def _target(
    alias: str, target: str, domains: list[str], users: dict[str, dict[str, str]], aliases: dict[str, list[str]]
) -> list[str]:
    try:
        validate_email(target, check_deliverability=False, test_environment=True, allow_smtputf8=False)
    except EmailNotValidError:
        return [f"mail_aliases: {alias} leads to {target!r}, which is not an address"]
    if target.rpartition("@")[2] in domains and target not in users and target not in aliases:
        return [
            f"mail_aliases: {alias} leads to {target}, which is neither a user nor an alias; add the user or mend the alias"
        ]
    seen, queue = {alias}, [target]
    while queue:
        name = queue.pop()
        if name == alias:
            return [f"mail_aliases: {alias} leads back to itself through {target}; let it end at a user"]
        if name not in seen:
            seen.add(name)
            queue += aliases.get(name, [])
    return []
