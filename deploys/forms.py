"""The forms of structured knobs: each takes the inventory's value and returns the typed one, or raises Problems."""

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationInfo

from deploys.addresses import LABEL, POSTFIXS_OWN, lower, name_problem, ours
from deploys.kinds import Problems, checked, shown, strings, twice
from deploys.unix import UNIX_NAME, path_problem, system_account, systems_own
from operations import passwords

HDB = re.compile(r"[0-9a-f]{32}:([0-9]{1,10}|\*(?=:.*:)):[A-Za-z0-9._-]{1,100}(:[0-9]{1,4})?")
# Plain bytes, at an offset or anywhere, in any type of file (0) or in HTML, which ClamAV reads in lower case (3). ClamAV knows
# more forms, but a mistake in one of them keeps clamd from starting.
NDB = re.compile(r"[A-Za-z0-9._-]{1,100}:[03]:(\*|[0-9]{1,9}):([0-9a-fA-F]{2}){8,4000}")
HOST = re.compile(rf"(?=.{{1,253}}\Z)(?![0-9.]+\Z)({LABEL}\.)*{LABEL}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Person:
    """A user with a mailbox: the address in lower case, and the person's name."""

    email: str
    name: str = ""


def text(value: Any) -> bool:
    """Whether this is one line that any program can be given: no control characters, no halves of characters."""
    return isinstance(value, str) and not any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in value)


def people(value: list[Any]) -> list[Person]:
    """mail_users: {"email": …, "name": …} each, or the address alone."""
    problems, found = [], []
    for entry in value:
        if isinstance(entry, str):
            entry = {"email": entry}
        if not isinstance(entry, dict):
            problems.append(
                f'mail_users: an entry is a {type(entry).__name__}; write {{"email": "foo@example.org", "name": "Foo"}}'
            )
            continue
        email, name = entry.get("email", ""), entry.get("name", "")
        address = lower(email) if isinstance(email, str) else ""
        local, _, domain = address.rpartition("@")
        if not ours(local, domain):
            problems.append(
                f"mail_users: {shown(address or email)} is not an address that this server can keep mail for; "
                "write it with letters, digits, . _ - before the @, 254 characters in all"
            )
            continue
        if local == POSTFIXS_OWN:
            problems.append(f"mail_users: {address} is Postfix's own, and mail to it is refused; choose another name")
        problems += _unknown(address, entry)
        if not text(name):
            problems.append(f"mail_users: the name of {address} has a control character; write it on one line")
        elif len(name) > 250:
            problems.append(f"mail_users: the name of {address} is longer than 250 characters; shorten it")
        found.append(Person(address, str(name)))
    emails = [person.email for person in found]
    problems += [f"mail_users: {email} is listed twice; remove one" for email in twice(emails)]
    if not value:
        problems.append("mail_users is empty, but the postmaster's mail needs a mailbox; name at least one user")
    return checked(found, problems)


def _unknown(address: str, entry: dict[Any, Any]) -> Iterator[str]:
    for key in [key for key in entry if key not in ("email", "name")]:
        near = get_close_matches(str(key), ("email", "name"), 1)
        known = "an entry has 'email' and 'name'; passwords are in accounts_file"
        remedy = f"did you mean {near[0]!r}?" if near else known
        yield f"mail_users: the entry of {address} has a key {shown(key)}; {remedy}"


def alias_table(value: Any) -> dict[str, list[str]]:
    """mail_aliases: one address or a list of addresses each, all in lower case."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Problems('mail_aliases has to be a table, like {"sales@example.org": ["foo@example.org"]}')
    problems: list[str] = []
    found: dict[str, list[str]] = {}
    for alias, targets in value.items():
        each = [targets] if isinstance(targets, str) else targets
        if not isinstance(alias, str):
            problems.append(f"mail_aliases: {shown(alias)} is not an address; write it in quotes")
        elif not isinstance(each, list | tuple) or not all(isinstance(target, str) for target in each):
            problems.append(f"mail_aliases: {shown(alias)} has to lead to an address, or to a list of addresses")
        elif lower(alias) in found:
            problems.append(
                f"mail_aliases: two aliases differ only in upper and lower case: {shown(lower(alias))}; remove one"
            )
        else:
            found[lower(alias)] = list(dict.fromkeys(map(lower, each)))
    return checked(found, problems)


def domains(value: list[Any]) -> list[str]:
    """mail_domains, in lower case. `deploys.data` refuses the host's own name."""
    problems = [
        f"mail_domains: {shown(lower(domain))} is not a domain name; {problem}"
        for domain in value
        if (problem := name_problem(lower(domain)))
    ]
    found = [lower(domain) for domain in value if isinstance(domain, str)]
    problems += [f"mail_domains: {shown(domain)} is listed twice; remove one" for domain in twice(found)]
    if not problems and not found:
        problems.append("mail_domains is empty; name at least one domain that this server receives mail for")
    return checked(found, problems)


def sources(value: list[str]) -> list[str]:
    """time_sources: names or addresses."""
    return strings("time_sources", value, _source, "neither a host name, like ntp.example.org, nor an IP address")


def forwarders(value: list[str]) -> list[str]:
    """trusted_forwarders, in lower case: names as in d= of a seal."""
    found = [lower(name) if isinstance(name, str) else name for name in value]
    return strings(
        "trusted_forwarders", found, lambda name: not name_problem(name), "no domain, like lists.example.org"
    )


def _source(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return HOST.fullmatch(name) is not None
    return "%" not in name


def signatures(value: list[str]) -> list[str]:
    """virus_signatures: lines of a .hdb or of a .ndb file. A line with size * needs ClamAV's functionality level behind the name."""
    form = (
        "neither a line of a .hdb file, like 44d88612fea8a8f36de82e1278abb02f:68:Name, or …:*:Name:73 for any size, "
        "nor one of a .ndb file, like Name:0:*:58354f2150254041 (https://docs.clamav.net/manual/Signatures.html)"
    )
    return strings("virus_signatures", value, lambda line: bool(HDB.fullmatch(line) or NDB.fullmatch(line)), form)


def selector(value: str) -> str:
    """dkim_selector: one label of the DNS, in lower case, as it is a part of a file's name too (RFC 6376, 3.1)."""
    if not re.fullmatch(LABEL, value):
        raise Problems(
            f"dkim_selector {shown(value)} is not a name of the DNS without dots: lower-case letters, digits and - inside; "
            "use 'mailroom', or with a date 'mailroom-2027'"
        )
    return value


def relay(value: Any) -> Any:
    """relayhost: HOST:PORT, as providers write it down; the port is 587 where there is none. Postfix's brackets may be around the host.

    A name, as TLS compares the certificate with it, and Postfix knows no certificate of an address.
    """
    if value is None:
        return None
    like = "write it like 'smtp.provider.example:587'"
    if not isinstance(value, str):
        login = " The login is relayhost_user, and the password is in secrets_file." if isinstance(value, dict) else ""
        raise Problems(f"relayhost {shown(value)} is no text; {like}.{login}")
    if "@" in value:  # user:password@host, perhaps: not quoted
        raise Problems(
            f"relayhost has an @ in it; {like}. The login is relayhost_user, and the password is in secrets_file"
        )
    found = re.fullmatch(r"(\[[^\[\]]*\]|[^\[\]:]*)(?::([0-9]{1,5}))?", lower(value))
    host, port = (found[1].strip("[]"), int(found[2] or 587)) if found else ("", 0)
    if not found or not 0 < port < 65536:
        raise Problems(f"relayhost {shown(value)} is not HOST or HOST:PORT, with a port up to 65535; {like}")
    if problem := name_problem(host):
        raise Problems(
            f"relayhost {shown(value)} has to be a full host name, which its certificate is compared with; "
            f"{problem.replace('example.org', 'smtp.provider.example')}"
        )
    return f"{host}:{port}"


def login(value: Any) -> Any:
    """relayhost_user: what stands before the colon in Postfix's table of passwords (https://www.postfix.org/SASL_README.html)."""
    if value is not None and (
        not isinstance(value, str)
        or not text(value)
        or not 0 < len(value) <= 256
        or value != value.strip()
        or ":" in value
    ):
        raise Problems(
            "relayhost_user has to be one line without a colon and without blanks at its ends, 256 characters at most; "
            "write it as your provider does, often a whole address. The password is in secrets_file"
        )
    return value


def owner(value: str) -> str:
    """mail_owner: a user for the mail alone."""
    if not UNIX_NAME.fullmatch(value):
        raise Problems(
            f"mail_owner {shown(value)} has to be a user of its own, named with at most 31 lower-case letters, digits, _ and -; use 'vmail'"
        )
    if system_account(value):
        raise Problems(
            f"mail_owner {value!r} has to be a user of its own, but this is an account of the system or of a package; use 'vmail'"
        )
    return value


def scheme(value: Any) -> Any:
    """password_scheme: one that we can make, however it is written."""
    if value is not None and (not isinstance(value, str) or value.upper() not in passwords.schemes()):
        raise Problems(
            f"password_scheme {shown(value)} has to be one of {', '.join(passwords.schemes())}; "
            "SHA512 and MD5 have no salt (chapter 4, schemes). None takes the better of those that the host's Dovecot can verify"
        )
    return value and value.upper()


def path(value: str, info: ValidationInfo) -> str:
    """tls_certificate, tls_key, mail_home: an absolute path, written in one way only."""
    if problem := path_problem(value):
        raise Problems(f"{info.field_name} = {shown(value)} {problem}")
    return value


def home(value: str, info: ValidationInfo) -> str:
    """mail_home: the mail's owner gets this directory, so it must not be the system's."""
    if own := systems_own(path(value, info)):
        raise Problems(
            f"mail_home = {value!r} would give the mail's owner {own}, a directory of the system; "
            "use '/home/mail', '/srv/mail' or '/var/vmail'"
        )
    return value


def file_name(value: str, info: ValidationInfo) -> str:
    """accounts_file, secrets_file: a path on the controller."""
    if not value or not text(value):
        raise Problems(f"{info.field_name} has to be the path of a file, like 'secrets/accounts.json'")
    return value
