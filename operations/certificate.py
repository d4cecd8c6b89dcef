"""A self-signed certificate with the right names, made on the host: the private key never travels."""

import hashlib
import shlex
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from facts.mail_host import JUDGE_PAIR
from operations.base import Commands, changing, mail_host, shell

# Both files are made under other names first: a half-made pair must not meet a restarting daemon.
MAKE = """umask 077
cert=$1 key=$2 names=$3 first=$4
openssl req -new -x509 -days 3650 -newkey rsa:3072 -nodes -sha256 -subj "/O=mailroom/CN=$first" \
    -addext "subjectAltName=$names" -addext "extendedKeyUsage=serverAuth" \
    -keyout "$key.new" -out "$cert.new" 2>/dev/null
chmod 644 "$cert.new"
mv -f "$key.new" "$key"
mv -f "$cert.new" "$cert"
"""
# A run that died between the two: the key is the new one, its certificate still has its other name.
FINISH = 'mv -f "$1.new" "$1"'
DROP = 'rm -f "$1.new" "$2.new"'  # of one that died before the first
RENEW_BEFORE = timedelta(days=30)
MARK = "mailroom"  # the organisation in the subject: by it a certificate is known to be ours
LIFE = timedelta(days=3650)


def read(pem: str | None) -> x509.Certificate | None:
    """The first certificate of a file; None where there is none."""
    try:
        return x509.load_pem_x509_certificate((pem or "").encode())
    except ValueError:
        return None


def made_here(pem: str | None) -> bool:
    """Whether mailroom made this certificate: self-signed, and marked. What was made before there was a mark has an exact
    form: a subject of nothing but the CN, which is the first of its names, for servers only, 3650 days."""
    certificate = read(pem)
    if certificate is None or certificate.issuer != certificate.subject:
        return False
    subject = [(one.oid, one.value) for one in certificate.subject]
    if (NameOID.ORGANIZATION_NAME, MARK) in subject:
        return True
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    dns = names.get_values_for_type(x509.DNSName)
    return (
        len(dns) == len(list(names))
        and subject == [(NameOID.COMMON_NAME, dns[0])]
        and list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
        and certificate.not_valid_after_utc - certificate.not_valid_before_utc == LIFE
    )


def belongs(pem: str | None, key_public: str) -> bool:
    """Whether the certificate is that of a key, told by the SHA-256 of the key's public half."""
    certificate = read(pem)
    if certificate is None:
        return False
    public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest() == key_public


def described(pem: str | None) -> str:
    """A certificate in words, for a refusal."""
    certificate = read(pem)
    if certificate is None:
        return "no certificate that mailroom made"
    subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    return f"the certificate of {subject}, issued by {'itself' if subject == issuer else issuer}"


def loads(certificate: str, key: str, conf: str) -> str:
    """A line of shell that fails, and says why, where the daemon of this configuration names a pair that it could not load."""
    files = " ".join(map(shlex.quote, (certificate, key)))
    named = f"! grep -qF {shlex.quote(certificate)} {shlex.quote(conf)}"
    return f'{{ {JUDGE_PAIR}\n{named} || {{ why=$(judge_pair {files}); [ -z "$why" ] || {{ echo "$why" >&2; false; }}; }}; }}'


def covers(pem: str | None, names: list[str]) -> bool:
    """Whether a certificate carries all these DNS names and is good for another 30 days."""
    certificate = read(pem)
    if certificate is None or certificate.not_valid_after_utc - RENEW_BEFORE <= datetime.now(UTC):
        return False
    return set(names) <= set(dns_names(certificate))


def dns_names(certificate: x509.Certificate) -> list[str]:
    """The names that clients compare."""
    there = [one.value for one in certificate.extensions if isinstance(one.value, x509.SubjectAlternativeName)]
    return [name for one in there for name in one.get_values_for_type(x509.DNSName)]


@changing(edits="{certificate}", texts=("{certificate}.new", "{instead}"), writes="{key}", key="{key}")
def pair(certificate: str, key: str, names: list[str], instead: str = "") -> Commands:
    """A self-signed certificate and its key (for root only), replaced when a name is missing, its end is near, or the two do not
    belong together (a run may have died between them).

    + certificate, key: paths, in a directory that is there
    + names: DNS names; the first is the common name, too
    + instead: a file with public keys, as SHA-256; a pair of one of these is an authority's, and stays

    **Example:** ``certificate.pair(certificate="/etc/ssl/m.pem", key="/etc/ssl/m.key", names=["mx.example.org"])``
    """
    there = mail_host()
    text, beside = there.text(certificate), there.text(f"{certificate}.new")
    if belongs(text, there.key_public) and there.key_public in (there.text(instead) or "").split():
        return "an authority has signed it"
    if key in there.files and not belongs(text, there.key_public) and belongs(beside, there.key_public):
        yield shell(FINISH, certificate)
        text, beside = beside, None
    if key not in there.files or not belongs(text, there.key_public) or not covers(text, names):
        yield shell(MAKE, certificate, key, ",".join(f"DNS:{name}" for name in names), names[0])
    elif beside is not None:
        yield shell(DROP, certificate, key)
