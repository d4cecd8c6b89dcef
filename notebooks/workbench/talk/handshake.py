"""TLS to look at: the certificate a port shows, and what client and server agreed on."""

import ssl
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from checks.clients import tls
from checks.engine.verdicts import Failed, words
from notebooks.workbench.host import where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady

GOOD, BAD = "✓", "✖"


@stoppable()
def certificate(port: int = 993) -> html.Table:
    """The certificate as the port shows it, trusted or not: names, issuer, dates, key. NotReady: the port shows none."""
    here = where.place()
    try:
        with closing(here.target()) as target:
            shown = tls.served_certificate(target, port)
    except (OSError, ssl.SSLError, Failed) as error:
        remedy = 'apply("postfix.tls") or apply("dovecot.certificate")'
        raise NotReady(f"Port {port} of {here.fqdn} shows no certificate.", words(error), remedy) from None
    names: list[str] = []
    with suppress(x509.ExtensionNotFound):
        extension = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = extension.value.get_values_for_type(x509.DNSName)
    key, left = shown.public_key(), (shown.not_valid_after_utc - datetime.now(UTC)).days
    kind = type(key).__name__.removesuffix("PublicKey").lstrip("_")
    rows = [
        ("for", ", ".join(names) or "(no names: clients refuse it)"),
        ("fits", f"{GOOD} {here.fqdn}" if here.fqdn in names else f"{BAD} {here.fqdn} is not among them"),
        ("by", shown.issuer.rfc4514_string() + (" (itself: self-signed)" if shown.issuer == shown.subject else "")),
        ("valid", f"{shown.not_valid_before_utc:%Y-%m-%d} to {shown.not_valid_after_utc:%Y-%m-%d}, {left} days left"),
        ("key", f"{kind} {getattr(key, 'key_size', '')}".strip()),
        ("fingerprint", shown.fingerprint(hashes.SHA256()).hex(":")),
    ]
    return html.Table(["", f"port {port}"], rows, f"The certificate of {here.fqdn}")


@stoppable()
def agreed(port: int = 993) -> html.Findings:
    """Shake hands carefully, then offer TLS 1.1 and then another name: what is agreed on, and what is refused.

    NotReady: no program listens there, or it has no TLS.
    """
    here = where.place()
    facts = []
    with closing(here.target()) as target:
        if why := target.vantage.probe(here.address, port):
            raise NotReady(f"Nobody answers on port {port} of {here.fqdn}.", why, "factory() shows what runs")
        try:
            with tls.tls_socket(target, port, tls.careful(target)) as sock:
                cipher = sock.cipher() or ("?", "?", 0)
                facts += [(GOOD, "version", str(sock.version())), (GOOD, "cipher", f"{cipher[0]}, {cipher[2]} bits")]
                facts.append((GOOD, "who", f"the certificate is trusted and names {here.fqdn}"))
        except ssl.SSLCertVerificationError as error:
            facts.append((BAD, "who", error.verify_message))
        except Failed as error:
            remedy = 'apply("postfix.tls") or apply("dovecot.tls")'
            raise NotReady(f"Port {port} agrees on no TLS.", words(error), remedy) from None
        facts.append(_refused(lambda: tls.old_refused(target, port), "TLS 1.1"))
        facts.append(_refused(lambda: tls.other_name_refused(target, port), "other name"))
    start = "STARTTLS after a few words in the clear" if port in tls.STARTTLS else "TLS from the first byte"
    return html.Findings(f"TLS with {here.fqdn}, port {port}: {start}", [(*fact, "") for fact in facts])


def _refused(attempt: Callable[[], str], what: str) -> tuple[str, str, str]:
    try:
        return GOOD, what, f"refused: {attempt()}"[:70]
    except (Failed, OSError) as error:
        return BAD, what, words(error)[:70]
