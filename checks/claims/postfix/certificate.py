"""The certificate and its key, on the disk."""

import shlex
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from checks.clients import host, tls
from checks.engine import Failed, Target, Warned, claim, negative

SOON, URGENT = 21, 7  # days: time for whoever is on holiday


@claim("The certificate names the host, for weeks to come", needs="ssh", remedy=tls.RENEW)
def dates(target: Target) -> str:
    certificate = tls.on_disk(target)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound as error:
        raise Failed("it has no subjectAltName; clients have ignored the CN for years") from error
    listed = names.value.get_values_for_type(x509.DNSName)
    left = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    if target.hostname not in listed:
        raise Failed(f"made for {', '.join(listed)}, not for {target.hostname}")
    if left < 0:
        raise Failed(f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    if left < URGENT:
        raise Failed(f"{left} days left, and nothing has renewed it")
    if left < SOON:
        raise Warned(f"{left} days left")
    return f"{left} days left, for {', '.join(listed)}"


@claim("The key belongs to the certificate", needs="ssh", remedy=tls.RENEW)
def key_fits(target: Target) -> str:
    # The public half is made on the host: the key itself never travels.
    path = shlex.quote(target.key)
    public = load_pem_public_key(target.shell(f"openssl pkey -in {path} -pubout").encode())
    if public != tls.on_disk(target).public_key():
        raise Failed(f"{target.key} is not the key of {target.certificate}")
    return f"{target.key} and {target.certificate}"


@negative("Nobody but root can read the key", needs="ssh", remedy="chown root:root and chmod 600 the key.")
def key_private(target: Target) -> str:
    return host.for_root_alone(target, target.key)
