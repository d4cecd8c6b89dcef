"""The inventory's data, checked: everything that is wrong is said at once, before a host is touched."""

import re
from dataclasses import dataclass
from typing import Any

from deploys.addresses import FQDN, LOCAL_PART, with_aliases
from deploys.knobs import dovecot_problems, filter_problems
from deploys.secrets import Secrets, SecretsError, load
from operations import passwords

UNIX_NAME = re.compile(r"^[a-z_][a-z0-9_-]{0,30}$")
ROLE_PASSWORD = re.compile(r"^[A-Za-z0-9_.~-]{16,}$")  # it stands in three files, each with a quoting of its own


@dataclass(frozen=True)
class MailData:
    """What the chapters build from. Addresses are lower case: Dovecot lowercases what a client logs in with."""

    hostname: str
    domains: list[str]
    users: dict[str, dict[str, str]]  # email: {"realname": …, "maildir": "example.test/foo/"}
    aliases: dict[str, list[str]]
    postmaster: str
    secrets: Secrets
    values: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None


class DataError(ValueError):
    """`problems`: one sentence each, naming the value, the rule and the remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def mail_data(values: dict[str, Any], host_name: str) -> MailData:
    """Check a host's data (`host.data.dict()`) and build a `MailData`. Raises DataError with every problem found."""
    problems: list[str] = []
    hostname = str(values.get("mail_hostname") or host_name).lower()
    if not FQDN.match(hostname):
        problems.append(
            f"mail_hostname {hostname!r} is not a full host name: mail servers refuse such a greeting. "
            "Set mail_hostname = 'mail.your-domain.org' for this host in the inventory"
        )
    domains = _domains(values, hostname, problems)
    users = _users(values, domains, problems)
    aliases, postmaster = with_aliases(values, domains, users, problems)
    _owner(values, problems)
    _choices(values, problems)
    problems += filter_problems(values) + dovecot_problems(values)
    try:
        secrets = load(values["accounts_file"], values["secrets_file"])
    except SecretsError as error:
        secrets = Secrets({}, {})
        problems.append(str(error))
    else:
        _secrets(users, secrets, problems, str(values["accounts_file"]), str(values["secrets_file"]))
    if problems:
        raise DataError(problems)
    return MailData(hostname, domains, users, aliases, postmaster, secrets, values)


def _domains(values: dict[str, Any], hostname: str, problems: list[str]) -> list[str]:
    domains = [str(domain).lower() for domain in _list(values, "mail_domains", problems)]
    for domain in domains:
        if not FQDN.match(domain):
            problems.append(f"mail_domains: {domain!r} is not a domain name; write it like 'example.org'")
        if domain == hostname:
            problems.append(
                f"mail_domains: {domain!r} is also mail_hostname; Postfix would take it as local and as virtual. "
                f"Name the host mail.{domain} (chapter 2, delivery)"
            )
    problems += [f"mail_domains: {domain!r} stands there twice; remove one" for domain in _twice(domains)]
    if not domains:
        problems.append("mail_domains is empty; name at least one domain that this server receives mail for")
    return domains


def _users(values: dict[str, Any], domains: list[str], problems: list[str]) -> dict[str, dict[str, str]]:
    users: dict[str, dict[str, str]] = {}
    emails = []
    for entry in _list(values, "mail_users", problems):
        email = str(entry.get("email", "") if isinstance(entry, dict) else entry).lower()
        local, _, domain = email.rpartition("@")
        emails.append(email)
        if not LOCAL_PART.match(local) or ".." in local or not FQDN.match(domain):
            problems.append(
                f"mail_users: {email!r} is not an address we can keep mail for; letters, digits, . _ - before the @"
            )
        elif domain not in domains:
            problems.append(f"mail_users: the domain of {email} is not in mail_domains; add it there")
        name = str(entry.get("name", "")) if isinstance(entry, dict) else ""
        if any(ord(sign) < 32 for sign in name):
            problems.append(f"mail_users: the name of {email} has a control character; write it on one line")
        users[email] = {"realname": name, "maildir": f"{domain}/{local}/"}
    problems += [f"mail_users: {email} stands there twice; remove one" for email in _twice(emails)]
    if not users:
        problems.append("mail_users is empty; postmaster's mail has to reach somebody, so name at least one user")
    return users


def _owner(values: dict[str, Any], problems: list[str]) -> None:
    for key in ("mail_uid", "mail_gid"):
        number = values.get(key)
        if not isinstance(number, int) or isinstance(number, bool) or not 100 <= number <= 59999:
            problems.append(
                f"{key} = {number!r} is reserved or no number; 0 to 99 belong to the system. Use 200, or another from 100 to 59999"
            )
    if not UNIX_NAME.match(str(values.get("mail_owner"))) or values.get("mail_owner") in (
        "root",
        "postfix",
        "dovecot",
        "postgres",
    ):
        problems.append(f"mail_owner {values.get('mail_owner')!r} has to be a user of its own; use 'vmail'")
    for key in ("mail_home", "tls_certificate", "tls_key"):
        if not re.match(r"^/[A-Za-z0-9._/-]+$", str(values.get(key))) or ".." in str(values.get(key)):
            problems.append(f"{key} = {values.get(key)!r} has to be an absolute path without blanks")


def _choices(values: dict[str, Any], problems: list[str]) -> None:
    if values.get("password_scheme") not in (None, *passwords.schemes()):
        problems.append(
            f"password_scheme {values.get('password_scheme')!r} is none of {', '.join(passwords.schemes())}; "
            "SHA512 and MD5 have no salt (chapter 4, schemes)"
        )
    limit = values.get("message_size_limit")
    if not isinstance(limit, int) or limit < 65536:
        problems.append(f"message_size_limit = {limit!r} has to be a number of bytes, at least 65536")


def _secrets(
    users: dict[str, dict[str, str]], secrets: Secrets, problems: list[str], accounts_file: str, secrets_file: str
) -> None:
    for email in users:
        password = secrets.accounts.get(email)
        if password is None:
            problems.append(f"{accounts_file} has no password for {email}; add one")
        elif not isinstance(password, str) or not password:
            problems.append(f"{accounts_file}: the password of {email} is empty; anybody could log in")
        elif len(password) < 8 or any(ord(sign) < 32 for sign in password):
            problems.append(f"{accounts_file}: the password of {email} is shorter than 8 or has a control character")
    if not ROLE_PASSWORD.match(str(secrets.services.get("mailreader", ""))):
        problems.append(
            f"{secrets_file}: 'mailreader' needs a password of at least 16 letters, digits or _ . ~ -; "
            "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )


def _list(values: dict[str, Any], key: str, problems: list[str]) -> list[Any]:
    found = values.get(key)
    if isinstance(found, (list, tuple)):
        return list(found)
    problems.append(f"{key} has to be a list, in square brackets")
    return []


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
