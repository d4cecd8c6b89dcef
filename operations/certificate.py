"""A self-signed certificate with the right names, made on the host: the private key never travels."""

import shlex
from datetime import UTC, datetime, timedelta

from cryptography import x509

from facts.mail_host import JUDGE_PAIR
from operations.base import Commands, changing, mail_host, shell

# Both files are made under other names first: a half-made pair must not meet a restarting daemon.
MAKE = """umask 077
cert=$1 key=$2 names=$3 first=$4
openssl req -new -x509 -days 3650 -newkey rsa:3072 -nodes -sha256 -subj "/CN=$first" \
    -addext "subjectAltName=$names" -addext "extendedKeyUsage=serverAuth" \
    -keyout "$key.new" -out "$cert.new" 2>/dev/null
chmod 644 "$cert.new"
mv -f "$key.new" "$key"
mv -f "$cert.new" "$cert"
"""
RENEW_BEFORE = timedelta(days=30)


def loads(certificate: str, key: str, conf: str) -> str:
    """A line of shell that fails, and says why, where the daemon of this configuration names a pair that it could not load."""
    files = " ".join(map(shlex.quote, (certificate, key)))
    named = f"! grep -qF {shlex.quote(certificate)} {shlex.quote(conf)}"
    return f'{{ {JUDGE_PAIR}\n{named} || {{ why=$(judge_pair {files}); [ -z "$why" ] || {{ echo "$why" >&2; false; }}; }}; }}'


def covers(pem: str | None, names: list[str]) -> bool:
    """Whether a certificate carries all these DNS names and is good for another 30 days."""
    try:
        certificate = x509.load_pem_x509_certificate((pem or "").encode())
        there = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    good = certificate.not_valid_after_utc - RENEW_BEFORE > datetime.now(UTC)
    return good and set(names) <= set(there.get_values_for_type(x509.DNSName))


@changing
def self_signed(certificate: str, key: str, names: list[str]) -> Commands:
    """A certificate for these DNS names and its key (for root only), replaced when a name is missing, its end is near, or
    the two do not belong together (a run may have died between them)."""
    there = mail_host()
    if key not in there.files or there.pair.get("problem") or not covers(there.text(certificate), names):
        yield shell(MAKE, certificate, key, ",".join(f"DNS:{name}" for name in names), names[0])


@changing
def key_for_root(key: str) -> Commands:
    """The private key may be read by root only: both daemons read it before they drop their privileges."""
    file = mail_host().files.get(key)
    if file is None or (file.mode, file.user) != ("600", "root"):
        yield shell('chown root:root "$1" && chmod 600 "$1"', key)
