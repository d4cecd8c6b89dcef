"""TLS on 25, 587 and 465: trusted, named rightly, nothing older than 1.2, and no weak suite."""

from checks.clients import mail, tls
from checks.engine import Failed, Target, claim, negative

PROTOCOLS = "smtpd_tls_protocols and smtpd_tls_mandatory_protocols = >=TLSv1.2 in main.cf."
EXCLUDE = "smtpd_tls_exclude_ciphers and smtpd_tls_mandatory_exclude_ciphers in main.cf (chapter 1, TLS)."


@claim(
    "The certificate on port 25 is trusted, and is the mail host's", needs="smtp", provides="smtp-tls", remedy=tls.RENEW
)
def verified(target: Target) -> str:
    with mail.smtp(target, secure=False) as session:
        if not session.has_extn("starttls"):
            raise Failed("port 25 does not offer STARTTLS", "smtpd_tls_security_level = may in main.cf.")
    return tls.verified(target, 25)


@claim(
    "Submission agrees on TLS too, on 587 and on 465",
    needs="submission submissions smtp-tls",
    remedy="smtpd_tls_wrappermode belongs to submissions (465) alone, in master.cf.",
)
def submission(target: Target) -> str:
    return tls.verified(target, 587, 465)


@negative("A client that wants another host is warned", needs="smtp-tls", remedy=tls.RENEW)
def other_name(target: Target) -> str:
    return tls.other_name_refused(target, 25)


@negative("TLS 1.1 is refused on 25, 587 and 465", needs="submission submissions smtp-tls", remedy=PROTOCOLS)
def old_refused(target: Target) -> str:
    return tls.old_refused(target, 25, 587, 465)


@negative(
    "TLS without a certificate is refused on 25, 587 and 465", needs="submission submissions smtp-tls", remedy=EXCLUDE
)
def no_anonymous(target: Target) -> str:
    return tls.suites_refused(target, tls.ANONYMOUS, 25, 587, 465)


@negative(
    "587 and 465 refuse what a stolen key would open later",
    needs="submission submissions smtp-tls",
    remedy=f"smtpd_tls_security_level=encrypt in master.cf; {EXCLUDE}",
)
def forward_secrecy(target: Target) -> str:
    return tls.suites_refused(target, tls.WEAK, 587, 465)
