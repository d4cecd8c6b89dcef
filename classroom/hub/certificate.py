"""The hub's certificate: signed by itself, so a browser asks once, and the handout has the fingerprint to compare."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab import state

CERTIFICATE, KEY = "certificate.pem", "key.pem"
DAYS = 90  # a class is over by then; `hub up` makes another one in its last week
LEFT = 7


def ensure(folder: Path, host: str) -> None:
    """A key and a certificate for this name or address, and for this machine itself. What is there and good for it stays."""
    if (folder / KEY).exists() and good(folder, host):
        return
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # a tablet's clock may be behind
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(
            x509.SubjectAlternativeName([called(one) for one in dict.fromkeys([host, "localhost", "127.0.0.1"])]), False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(key, hashes.SHA256())
    )
    state.write(KEY, private.decode(), mode=0o600, folder=folder)
    state.write(CERTIFICATE, made.public_bytes(serialization.Encoding.PEM).decode(), folder=folder)


def called(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def load(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())


def good(folder: Path, host: str) -> bool:
    """Whether the certificate names this host and has some days left."""
    try:
        there = load(folder)
    except (OSError, ValueError):
        return False
    listed = there.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return called(host) in list(listed) and there.not_valid_after_utc > datetime.now(UTC) + timedelta(days=LEFT)


def fingerprint(folder: Path) -> str:
    """SHA-256, as browsers show it: pairs of digits with colons between them."""
    return load(folder).fingerprint(hashes.SHA256()).hex(":").upper()
