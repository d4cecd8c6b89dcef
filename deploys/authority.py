"""The certificate authority: the forms of its knobs, and the names of which no public one would hear."""

import re
from urllib.parse import urlsplit

from pydantic import ValidationInfo

from deploys.addresses import lower, name_problem
from deploys.kinds import Problems, shown
from deploys.unix import path_problem

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
MOST_NAMES = 100  # that Let's Encrypt puts into one certificate (https://letsencrypt.org/docs/rate-limits/)
# Names that belong to nobody, so nobody can prove that they are his (RFC 6761, RFC 2606, RFC 8375, ICANN's .internal).
NOBODYS = (
    *("test", "example", "invalid", "localhost", "local", "internal", "lan", "home.arpa"),
    *("example.com", "example.net", "example.org"),
)


def nobodys(name: str) -> bool:
    """Whether no public authority can know whose this name is."""
    return any(f".{name}".endswith(f".{end}") for end in NOBODYS)


def directory(value: str) -> str:
    """acme_directory: the URL of an authority's directory (RFC 8555, 7.1.1)."""
    parts = urlsplit(value)
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9._~/?=&%-]*", value) or not parts.hostname:
        raise Problems(
            f"acme_directory {shown(value)} is not the URL of an authority's directory; it begins with https://, like {LETS_ENCRYPT}"
        )
    return value


def email(value: str | None) -> str | None:
    """acme_email: an address, or none."""
    local, _, domain = (value or "").rpartition("@")
    if value is not None and (
        not re.fullmatch(r"[A-Za-z0-9._+][A-Za-z0-9._+-]{0,63}", local) or name_problem(lower(domain))
    ):
        raise Problems(
            f"acme_email {shown(value)} is not an address; write one like postmaster@your-domain.org, or None"
        )
    return value


def trust(value: str | None, info: ValidationInfo) -> str | None:
    """acme_trust: a file on the host, or none."""
    if value is not None and (problem := path_problem(value)):
        raise Problems(f"{info.field_name} = {shown(value)} {problem}")
    return value


def more_names(value: list[str]) -> list[str]:
    """acme_names: host names, in lower case."""
    found = [lower(name) for name in value]
    if wrong := [
        f"acme_names: {shown(name)} is not a host name; {why}" for name in found if (why := name_problem(name))
    ]:
        raise Problems(*wrong)
    return list(dict.fromkeys(found))
