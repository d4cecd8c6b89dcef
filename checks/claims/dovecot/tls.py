"""TLS at the front desk: the certificate on 993, STARTTLS on 143, and nothing older than 1.2."""

from __future__ import annotations

from checks import tls
from checks.certificate import RENEW
from checks.model import Failed, check
from checks.target import Target

MINIMUM = "ssl_min_protocol = TLSv1.2 in dovecot.conf."


@check(
    "dovecot.certificate.verified",
    "Port 993 speaks TLS with the mail host's certificate",
    needs=("dovecot",),
    provides="imap tls",
    remedy=RENEW,
)
def imap_verified(target: Target) -> str:
    return tls.verified(target, 993)


@check(
    "dovecot.certificate.other_name", "A client that wants another host is warned", negative=True, needs=("imap tls",)
)
def imap_other_name(target: Target) -> str:
    return tls.other_name_refused(target, 993)


@check(
    "dovecot.certificate.old_refused", "TLS 1.1 is refused on 993", negative=True, needs=("imap tls",), remedy=MINIMUM
)
def imaps_old_refused(target: Target) -> str:
    return tls.old_refused(target, 993)


@check("dovecot.tls.required", "Dovecot demands TLS", needs=("ssh",), remedy="ssl = required in dovecot.conf.")
def required(target: Target) -> str:
    # Read on the host: at this step there is no certificate yet, so that no client can prove it.
    found = target.shell("doveconf -h ssl")
    if found != "required":
        raise Failed(f"ssl = {found}")
    return f"ssl = {found}"


@check(
    "dovecot.tls.minimum",
    "It is told to take nothing older than TLS 1.2",
    negative=True,
    needs=("ssh",),
    remedy=MINIMUM,
)
def minimum(target: Target) -> str:
    found = target.shell("doveconf -h ssl_min_protocol")
    if found not in ("TLSv1.2", "TLSv1.3"):
        raise Failed(f"ssl_min_protocol = {found}")
    return f"ssl_min_protocol = {found}"


@check(
    "dovecot.cleartext.starttls",
    "STARTTLS on 143 agrees on TLS 1.2 or newer",
    needs=("imap", "imap tls"),
    remedy="ssl = required in dovecot.conf.",
)
def starttls(target: Target) -> str:
    return tls.verified(target, 143)


@check(
    "dovecot.cleartext.old_refused",
    "TLS 1.1 is refused on 143",
    negative=True,
    needs=("imap", "imap tls"),
    remedy=MINIMUM,
)
def imap_old_refused(target: Target) -> str:
    return tls.old_refused(target, 143)
