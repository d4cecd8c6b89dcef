"""Certificates and TLS: trusted, named rightly, current, private, and nothing older than 1.2."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from checks import tls
from checks.mail import smtp
from checks.model import Failed, Warned, check
from checks.target import Target

RENEW = "Run the certificate step, or renew your own; then restart Postfix and Dovecot."
PROTOCOLS = "smtpd_tls_protocols and smtpd_tls_mandatory_protocols = >=TLSv1.2 in main.cf."


@check("postfix.certificate.dates", "The certificate names the host, for weeks to come", needs=("ssh",), remedy=RENEW)
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
    if left < 14:
        raise Warned(f"{left} days left")
    return f"{left} days left, for {', '.join(listed)}"


@check("postfix.certificate.key_fits", "The key belongs to the certificate", needs=("ssh",), remedy=RENEW)
def key_fits(target: Target) -> str:
    # The public half is made on the host: the key itself never travels.
    path = shlex.quote(target.key)
    public = load_pem_public_key(target.shell(f"openssl pkey -in {path} -pubout").encode())
    if public != tls.on_disk(target).public_key():
        raise Failed(f"{target.key} is not the key of {target.certificate}")
    return f"{target.key} and {target.certificate}"


@check(
    "postfix.certificate.key_private",
    "Nobody but root can read the key",
    negative=True,
    needs=("ssh",),
    remedy="chown root:root and chmod 600 the key.",
)
def key_private(target: Target) -> str:
    return private(target, target.key)


@check(
    "dovecot.certificate.key_private",
    "Nobody but root can read the key Dovecot uses",
    negative=True,
    needs=("ssh",),
    remedy="chown root:root and chmod 600 the key.",
)
def dovecot_key_private(target: Target) -> str:
    # 2.3: ssl_key = </path; 2.4: ssl_server_key_file = /path. Not doveconf: 2.3 hides the value.
    found = target.shell(
        "sed -nE 's/^[[:space:]]*ssl_(server_)?key(_file)?[[:space:]]*=[[:space:]]*<?//p' /etc/dovecot/dovecot.conf"
    ).splitlines()
    if not found:
        raise Failed("dovecot.conf names no key")
    return private(target, found[-1].strip())


def private(target: Target, path: str) -> str:
    """By stat -L: on Debian the path may be a link, whose own mode says nothing."""
    mode, owner = target.shell(f"stat -L -c '%a %U' -- {shlex.quote(path)}").split()
    if owner != "root" or int(mode, 8) & 0o077:
        raise Failed(f"{path} is {mode} of {owner}")
    return f"{path}: {mode} {owner}"


@check(
    "postfix.tls.verified",
    "The certificate on port 25 is trusted, and is the mail host's",
    needs=("smtp",),
    provides="smtp tls",
    remedy=RENEW,
)
def smtp_verified(target: Target) -> str:
    with smtp(target, secure=False) as session:
        if not session.has_extn("starttls"):
            raise Failed("port 25 does not offer STARTTLS", "smtpd_tls_security_level = may in main.cf.")
    return tls.verified(target, 25)


@check(
    "postfix.tls.submission",
    "Submission agrees on TLS too, on 587 and on 465",
    needs=("submission", "submissions", "smtp tls"),
    remedy="smtpd_tls_wrappermode belongs to submissions (465) alone, in master.cf.",
)
def submission(target: Target) -> str:
    return tls.verified(target, 587, 465)


@check("postfix.tls.other_name", "A client that wants another host is warned", negative=True, needs=("smtp tls",))
def smtp_other_name(target: Target) -> str:
    return tls.other_name_refused(target, 25)


@check(
    "postfix.tls.old_refused",
    "TLS 1.1 is refused on 25, 587 and 465",
    negative=True,
    needs=("submission", "submissions", "smtp tls"),
    remedy=PROTOCOLS,
)
def smtp_old_refused(target: Target) -> str:
    return tls.old_refused(target, 25, 587, 465)


@check(
    "postfix.restart.certificate_loaded",
    "No old certificate is still in Postfix's memory",
    negative=True,
    needs=("ssh", "smtp"),
    remedy="systemctl restart postfix",
)
def smtp_loaded(target: Target) -> str:
    return loaded(target, 25)


@check(
    "dovecot.restart.certificate_loaded",
    "No old certificate is still in Dovecot's memory",
    negative=True,
    needs=("ssh", "dovecot"),
    remedy="systemctl restart dovecot",
)
def imap_loaded(target: Target) -> str:
    return loaded(target, 993)


def loaded(target: Target, port: int) -> str:
    """A renewed certificate helps nobody before the daemon has read it."""
    disk, shown = tls.on_disk(target), tls.served_certificate(target, port)
    if shown != disk:
        raise Failed(
            f"port {port} shows serial {shown.serial_number:x}, the file on the disk is {disk.serial_number:x}"
        )
    return f"serial {disk.serial_number:x}, on the disk and on port {port}"
