"""The key of the host's certificate, as TLSA records have it: of its file, and of what port 25 shows."""

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from checks.engine.target import Target
from checks.engine.verdicts import Failed

SHOWN = "timeout 10 openssl s_client -starttls smtp -connect 127.0.0.1:25 </dev/null 2>/dev/null | openssl x509"


def about(target: Target) -> dict[str, Any]:
    """`tlsa`, `matching` and `shown` of postmaster.zone.host.Facts; nothing where the certificate cannot be read."""
    try:
        ours = sums(target.read(target.certificate))
    except (Failed, ValueError):
        return {}
    try:
        shown = sums(target.shell(SHOWN, may_fail=True))["3 1 1"]
    except (Failed, ValueError):
        shown = ""
    return {"tlsa": ours["3 1 1"], "matching": tuple(f"{kind} {value}" for kind, value in ours.items()), "shown": shown}


def sums(pem: str) -> dict[str, str]:
    """What a TLSA record of each kind says of this certificate: RFC 6698, 2.1. Of the key (1) it stays the same when only the dates
    change. Raises ValueError."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found = {}
    for selector, content in (("1", key), ("0", certificate.public_bytes(Encoding.DER))):
        for number, kind in (("1", hashes.SHA256()), ("2", hashes.SHA512())):
            digest = hashes.Hash(kind)
            digest.update(content)
            found[f"3 {selector} {number}"] = digest.finalize().hex()
    return found
