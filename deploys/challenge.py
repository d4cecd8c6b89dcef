"""The answer to an authority in the DNS (DNS-01, RFC 8555, 8.4): the nameserver that takes it (RFC 2136), and the key (TSIG, RFC 8945)."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from deploys.kinds import Problems, shown

CREDENTIALS = "/etc/mailroom-acme-dns.ini"
SECRET = "acme_dns"  # in secrets_file
LONGEST_SECRET = 512  # characters; one for HMAC-SHA512 has 88, and what some tools make has twice that
PORT = 53
# Names of keys as people give them, in lower case; a dot at the end means the same, and RFC 8945 compares without case.
KEY = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")


def server(value: Any) -> Any:
    """acme_dns: ADDRESS or ADDRESS:PORT, an IPv6 address with a port in brackets. certbot takes no name here
    (https://certbot-dns-rfc2136.readthedocs.io/en/stable/)."""
    if value is None:
        return None
    like = "write it like '192.0.2.53', '192.0.2.53:5353' or '[2001:db8::53]:53'"
    if not isinstance(value, str) or "@" in value or len(value) > 100:
        raise Problems(f"acme_dns is not the address of a nameserver; {like}")
    found = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?|([0-9.]+):([0-9]{1,5})", value)
    address, port = (found[1] or found[3], int(found[2] or found[4] or PORT)) if found else (value, PORT)
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        name = "certbot takes no name for it, since the DNS may be what is being set up; " if "." in address else ""
        raise Problems(f"acme_dns {shown(value)} is not the address of a nameserver; {name}{like}") from None
    if "%" in address or not 0 < port < 65536 or known.is_multicast or known.is_unspecified:
        raise Problems(f"acme_dns {shown(value)} is no address and port that can be asked; {like}")
    return f"[{known}]:{port}" if known.version == 6 else f"{known}:{port}"


def parts(value: str) -> tuple[str, str]:
    """The address and the port of what `server` has returned."""
    address, _, port = value.rpartition(":")
    return address.strip("[]"), port


def key(value: str | None) -> str | None:
    """acme_dns_key: the name, without the dot at its end and in lower case."""
    if value is None:
        return None
    name = value.lower().removesuffix(".") if value.isascii() else value
    if not KEY.fullmatch(name):
        raise Problems(
            "acme_dns_key is not the name of a key, which has letters, digits, - and _, and perhaps dots; copy it from the nameserver's "
            "configuration, like 'mailroom'. The secret is in secrets_file"
        )
    return name


def problems(acme: bool, server: str | None, key: str | None) -> Iterator[str]:
    """What the three knobs have to do with each other."""
    if server and not acme:
        yield (
            f"acme_dns = {shown(server)} says where an authority finds our answer, but acme is False, and none is asked; "
            "set acme = True, or acme_dns = None"
        )
    if server and key is None:
        yield (
            f"acme_dns = {shown(server)} is set, and acme_dns_key is not: no nameserver should take changes without a key; set "
            "acme_dns_key to the key's name there, like 'mailroom', or acme_dns = None"
        )
    if acme and key and not server:
        yield (
            f"acme_dns_key = {shown(key)} is set, and acme_dns, the nameserver that knows the key, is not; set acme_dns = "
            "'192.0.2.53', or acme_dns_key = None"
        )


def secret_problems(secret: str | None, file: str) -> Iterator[str]:
    """What is wrong with the key's secret; never the secret itself."""
    how = 'copy it from the nameserver\'s configuration (bind: secret "…"; knot: secret: …)'
    if secret is None:
        yield f"{file}: acme_dns is set, and {SECRET!r} has no secret; {how}, or set acme_dns = None"
    elif not secret:
        yield f"{file}: acme_dns is set, and the secret of {SECRET!r} is empty; {how}"
    elif not _base64(secret):
        yield f"{file}: the secret of {SECRET!r} is not in base64, as that of a key (TSIG) is, in one line without blanks; {how}"


def _base64(text: str) -> bool:
    try:
        return len(text) <= LONGEST_SECRET and text.isascii() and bool(base64.b64decode(text, validate=True))
    except binascii.Error:
        return False
