"""Postfix asks Dovecot who may send."""

from checks.clients import mail
from checks.engine import Failed, Target, claim, negative


@claim(
    "Submission asks Dovecot who may send",
    needs="ssh",
    remedy="smtpd_sasl_type=dovecot and smtpd_sasl_path=private/auth in master.cf.",
)
def configured(target: Target) -> str:
    found = target.shell(
        "postconf -P submission/inet/smtpd_sasl_type "
        "submission/inet/smtpd_sasl_path submissions/inet/smtpd_sasl_type "
        "submissions/inet/smtpd_sasl_path"
    ).splitlines()
    wrong = [line for line in found if not line.endswith(("= dovecot", "= private/auth"))]
    if wrong or len(found) != 4:
        raise Failed("; ".join(wrong) or "a setting is missing")
    return "; ".join(found[:2])


@negative(
    "No AUTH on port 25, with TLS or without",
    needs="elsewhere smtp-tls",
    remedy="smtpd_sasl_auth_enable belongs to submission in master.cf, not in main.cf.",
)
def not_on_25(target: Target) -> str:
    for secure in (False, True):
        with mail.smtp(target, secure=secure) as session:
            if session.has_extn("auth"):
                raise Failed(f"EHLO lists AUTH {'under TLS' if secure else 'in the clear'}")
            reply = session.docmd("AUTH", "PLAIN")
    return mail.expect(reply, "503 5.5.1", "502 5.5.1", what="AUTH PLAIN")
