"""What port 25 takes from a stranger, and what it does not."""

from checks.clients import mail
from checks.engine import Failed, Target, claim, negative

RESTRICTIONS = "See smtpd_relay_restrictions and smtpd_recipient_restrictions in main.cf."


@claim("A stranger may write to us", needs="elsewhere smtp postgresql", remedy=RESTRICTIONS)
def stranger(target: Target) -> str:
    return mail.expect(mail.asked(target, target.stranger, f"postmaster@{target.hostname}"), "250 2.1.5")


@negative(
    "A stranger cannot send through us",
    needs="elsewhere smtp postgresql",
    remedy="reject_unauth_destination in smtpd_relay_restrictions; defer_… only says 454.",
)
def no_relay(target: Target) -> str:
    first = mail.expect(mail.asked(target, target.stranger, target.elsewhere), "554 5.7.1")
    # The old tricks too: a percent hack, a quoted address, and a source route.
    for trick in (
        target.elsewhere.replace("@", "%") + f"@{target.domain}",
        target.elsewhere.replace("@", "%") + f"@{target.hostname}",
        f'"{target.elsewhere}"@{target.domain}',
        f"@{target.domain}:{target.elsewhere}",
    ):
        reply = mail.asked(target, target.stranger, trick)
        if not 500 <= reply[0] < 600:
            raise Failed(f"RCPT TO:<{trick}>: {mail.said(reply)}")
    return first


@negative("VRFY does not tell who exists", needs="smtp", remedy="disable_vrfy_command = yes in main.cf.")
def no_vrfy(target: Target) -> str:
    with mail.smtp(target) as session:
        return mail.expect(session.docmd("VRFY", f"postmaster@{target.domain}"), "502 5.5.1")


@negative(
    "A client that does not say who it is gets nowhere", needs="smtp", remedy="smtpd_helo_required = yes in main.cf."
)
def hello_first(target: Target) -> str:
    with mail.smtp(target, hello=False) as session:
        return mail.expect(session.docmd("MAIL", f"FROM:<{target.stranger}>"), "503 5.5.1")


@negative(
    "Without a login, 587 and 465 send nothing at all",
    needs="elsewhere submission submissions smtp-tls postgresql",
    remedy="permit_sasl_authenticated,reject for both in master.cf.",
)
def login_demanded(target: Target) -> str:
    return "; ".join(f"{port}: {stranger_refused(target, port)}" for port in (587, 465))


def stranger_refused(target: Target, port: int) -> str:
    seen = []
    for recipient in (target.elsewhere, target.bar):
        with mail.smtp(target, port) as session:
            reply = mail.envelope(session, target.foo, recipient)
        text = mail.said(reply)
        if not text.startswith(("530 5.7", "553 5.7.1", "554 5.7.1")):
            raise Failed(f"to {recipient}, without a login: {text}")
        seen.append(text)
    return seen[0]
