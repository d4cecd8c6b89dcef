"""The settings card: what a person types into a mail client, as the host itself has it."""

import json
import ssl
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from checks.clients import tls
from checks.engine import Failed, Target
from checks.engine.ssh import Forward
from checks.engine.vantage import Direct
from checks.engine.verdicts import words

# The ports by which clients look for these services. TLS from the first byte comes first: RFC 8314, 3.
PORTS = {"IMAP": (993, 143), "SMTP": (465, 587)}
FIREWALLD = {993: "imaps", 143: "imap", 465: "smtps", 587: "smtp-submission"}
FIREWALL = (
    "firewall-cmd --quiet --state 2>/dev/null && echo runs && firewall-cmd --list-services && firewall-cmd --list-ports"
)
TLS, STARTTLS = "TLS", "STARTTLS"


@dataclass(frozen=True)
class Way:
    """One way in: how a client gets there, and where TLS begins on it."""

    protocol: str  # IMAP or SMTP
    server: str
    port: int
    security: str  # TLS (from the first byte) or STARTTLS


@dataclass(frozen=True)
class Card:
    """The settings for a mail client. Of several ways the first one is the best."""

    user: str  # the whole address
    incoming: list[Way]
    outgoing: list[Way]
    authentication: list[str]  # what both servers take, inside of TLS alone
    fingerprint: str  # SHA-256, as clients show it
    signer: str
    self_signed: bool
    names: list[str]  # that the certificate is for
    until: str
    firewall: str  # what the host's own firewall does with the ports; "" where none runs
    warnings: list[str]

    @property
    def server(self) -> str:
        return self.incoming[0].server

    @property
    def ports(self) -> list[int]:
        return [way.port for way in (*self.incoming, *self.outgoing)]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def from_json(text: str) -> Card:
    """The card that `python -m postmaster card --json` has printed."""
    found = json.loads(text)
    return Card(**found | {key: [Way(**way) for way in found[key]] for key in ("incoming", "outgoing")})


class Inside(Direct):
    """From the mail host itself, through SSH: no firewall and nobody else is in between."""

    name = "the host itself"

    def __init__(self, target: Target) -> None:
        self.target = target
        self.forwards: dict[int, Forward] = {}

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        if port not in self.forwards:
            self.forwards[port] = Forward(self.target.server, "127.0.0.1", port)
        return "127.0.0.1", self.forwards[port].port

    def close(self) -> None:
        for forward in self.forwards.values():
            forward.close()


def read(target: Target, user: str = "") -> Card:
    """Ask the host's own ports, over SSH. Raises Failed where nobody can read, or nobody can send."""
    inside = Inside(target)
    try:
        found = answers(replace(target, _vantage=inside))
    finally:
        inside.close()
    shown = {port: certificate for port, (certificate, _) in found.items() if certificate}
    ways = {
        protocol: [Way(protocol, target.hostname, port, security(port)) for port in ports if port in shown]
        for protocol, ports in PORTS.items()
    }
    for protocol, ports in PORTS.items():
        if not ways[protocol]:
            said = "; ".join(f"{port}: {found[port][1]}" for port in ports)
            raise Failed(f"no {protocol} with TLS ({said}); on the host: systemctl status dovecot postfix")
    first = shown[ways["IMAP"][0].port]
    offers = [found[port][1].split() for port in shown]
    listed = names(first)
    return Card(
        user=user or f"…@{target.domain}",
        incoming=ways["IMAP"],
        outgoing=ways["SMTP"],
        authentication=[word for word in offers[0] if all(word in other for other in offers)],
        fingerprint=fingerprint(first),
        signer=first.issuer.rfc4514_string(),
        self_signed=first.issuer == first.subject,
        names=listed,
        until=f"{first.not_valid_after_utc:%Y-%m-%d}",
        firewall=firewall(target, list(shown)),
        warnings=[
            *(f"port {port}: {why}" for port, (certificate, why) in found.items() if not certificate),
            *(f"port {port} takes no password" for port in shown if not found[port][1]),
            *(f"port {port} shows another certificate" for port, one in shown.items() if one != first),
            *([] if covers(listed, target.hostname) else [f"the certificate does not name {target.hostname}"]),
        ],
    )


def answers(inside: Target) -> dict[int, tuple[x509.Certificate | None, str]]:
    """Of each port its certificate, and the mechanisms that it offers inside of TLS; or None, and why not."""
    found: dict[int, tuple[x509.Certificate | None, str]] = {}
    for protocol, ports in PORTS.items():
        for port in ports:
            try:
                with tls.tls_socket(inside, port, tls.NamedContext(inside.hostname, verify=False)) as sock:
                    der = sock.getpeercert(binary_form=True) or b""
                    found[port] = x509.load_der_x509_certificate(der), mechanisms(sock, protocol, port)
            except (OSError, Failed) as error:
                found[port] = None, words(error)
    return found


def mechanisms(sock: ssl.SSLSocket, protocol: str, port: int) -> str:
    """What AUTH offers on this socket. A greeting comes first where TLS did."""
    with sock.makefile("rb", buffering=0) as lines:
        if security(port) == TLS:
            lines.readline()
        sock.sendall(b"a CAPABILITY\r\n" if protocol == "IMAP" else b"EHLO localhost\r\n")
        line = lines.readline()
        said = line
        while line and not line.startswith((b"a ", b"250 ", b"5")):
            line = lines.readline()
            said += line
    rows = said.decode(errors="replace").split("\r\n")
    if protocol == "IMAP":
        return " ".join(word[5:] for row in rows for word in row.split() if word.startswith("AUTH="))
    return next((row[9:] for row in rows if row[4:9] == "AUTH "), "")


def security(port: int) -> str:
    return STARTTLS if port in tls.STARTTLS else TLS


def names(certificate: x509.Certificate) -> list[str]:
    with suppress(x509.ExtensionNotFound):
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return extension.value.get_values_for_type(x509.DNSName)
    return []


def covers(listed: list[str], name: str) -> bool:
    """Whether one of these names is for the host; "*" stands for its first label (RFC 6125, 6.4.3)."""
    either = {name.lower(), f"*.{name.lower().partition('.')[2]}"}
    return any(one.lower() in either for one in listed)


def fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def firewall(target: Target, ports: list[int]) -> str:
    """What a firewalld on the host does with these ports; "" where none runs. One in front of the host is not seen from it."""
    if not (open_ones := target.shell(FIREWALL, may_fail=True).split()):
        return ""
    closed = [port for port in ports if not {FIREWALLD[port], f"{port}/tcp"} & set(open_ones)]
    return f"keeps out {', '.join(map(str, closed))}" if closed else "lets all of them in"
