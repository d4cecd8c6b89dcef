"""What TLS 1.2 would agree to if one let it: nobody's certificate, and keys that a thief can use later."""

from __future__ import annotations

from checks import applied, tls
from checks.model import check
from checks.target import Target

ANONYMOUS = "aNULL"
# RSA's own key exchange, and suites that sign and encrypt apart (CBC); RFC 9325, 4.1 and 4.2.
WEAK = "kRSA:ECDHE+SHA1:ECDHE+SHA256:ECDHE+SHA384:DHE+SHA1:DHE+SHA256"
EXCLUDE = "smtpd_tls_exclude_ciphers and smtpd_tls_mandatory_exclude_ciphers in main.cf (chapter 1, TLS)."
LIST = "ssl_cipher_list in dovecot.conf (chapter 4, TLS)."


@check(
    "postfix.tls.no_anonymous",
    "TLS without a certificate is refused on 25, 587 and 465",
    negative=True,
    needs=("submission", "submissions", "smtp tls"),
    remedy=EXCLUDE,
)
def no_anonymous(target: Target) -> str:
    return tls.suites_refused(target, ANONYMOUS, 25, 587, 465)


@check(
    "postfix.tls.forward_secrecy",
    "587 and 465 refuse what a stolen key would open later",
    negative=True,
    needs=("submission", "submissions", "smtp tls"),
    remedy=f"smtpd_tls_security_level=encrypt in master.cf; {EXCLUDE}",
)
def forward_secrecy(target: Target) -> str:
    return tls.suites_refused(target, WEAK, 587, 465)


@check(
    "dovecot.certificate.forward_secrecy",
    "993 refuses what a stolen key would open later",
    negative=True,
    needs=("imap tls",),  # not 143: before the passdb nobody greets there, and its settings are the same
    remedy=LIST,
)
def imap_forward_secrecy(target: Target) -> str:
    return tls.suites_refused(target, f"{ANONYMOUS}:{WEAK}", 993)


@check(
    "sieve.managesieve.forward_secrecy",
    "4190 refuses what a stolen key would open later",
    negative=True,
    needs=("managesieve",),
    remedy=LIST,
)
def sieve_forward_secrecy(target: Target) -> str:
    applied.sieving(target)
    return tls.suites_refused(target, f"{ANONYMOUS}:{WEAK}", 4190)
