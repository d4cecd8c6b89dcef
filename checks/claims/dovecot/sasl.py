"""Submission on 587 and 465: who may send, under whose name, and how a password may travel."""

from __future__ import annotations

import base64
import smtplib

from checks import tls
from checks.mail import ELSEWHERE, envelope, expect, said, smtp
from checks.model import LAST, Failed, check
from checks.target import Target

LOGIN = ("submission", "smtp tls", "sending")
MISMATCH = "reject_sender_login_mismatch in smtpd_sender_restrictions of submission."


def log_in(session: smtplib.SMTP, user: str, password: str) -> tuple[int, bytes]:
    """AUTH PLAIN, whatever EHLO offered: smtplib would look for a mechanism first."""
    plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    return session.docmd("AUTH", f"PLAIN {plain}")


@check(
    "postfix.submission.tls_demanded",
    "Without TLS, submission takes neither mail nor password",
    negative=True,
    needs=("submission",),
    elsewhere=True,
    remedy="smtpd_tls_security_level=encrypt for submission in master.cf.",
)
def tls_demanded(target: Target) -> str:
    with smtp(target, 587, secure=False) as session:
        if session.has_extn("auth"):
            raise Failed("EHLO lists AUTH before STARTTLS")
        mail = expect(session.docmd("MAIL", "FROM:<x@example.net>"), "530 5.7.0", what="MAIL")
        # Nobody's password: this line does cross the network in the clear.
        auth = log_in(session, "nobody", "nothing")
    return f"{mail}; {expect(auth, '530 5.7.0', '538 5.7.0', '538 5.7.11', what='AUTH')}"


def stranger_refused(target: Target, port: int) -> str:
    seen = []
    for recipient in (ELSEWHERE, target.account(1)[0]):
        with smtp(target, port) as session:
            reply = envelope(session, target.account(0)[0], recipient)
        text = said(reply)
        if not text.startswith(("530 5.7", "553 5.7.1", "554 5.7.1")):
            raise Failed(f"to {recipient}, without a login: {text}")
        seen.append(text)
    return seen[0]


@check(
    "postfix.restrictions.login_demanded",
    "Without a login, 587 and 465 send nothing at all",
    negative=True,
    needs=("submission", "submissions", "smtp tls", "postgresql"),
    elsewhere=True,
    remedy="permit_sasl_authenticated,reject for both in master.cf.",
)
def login_demanded(target: Target) -> str:
    return "; ".join(f"{port}: {stranger_refused(target, port)}" for port in (587, 465))


@check(
    "postfix.submissions.no_cleartext",
    "Port 465 does not talk in the clear",
    negative=True,
    needs=("submissions",),
    remedy="smtpd_tls_wrappermode=yes for submissions in master.cf.",
)
def no_cleartext(target: Target) -> str:
    return tls.no_cleartext(target, 465, f"EHLO {target.helo}")


@check(
    "dovecot.start.no_cleartext",
    "Port 993 does not talk in the clear",
    negative=True,
    needs=("dovecot",),
    remedy="ssl = yes in the listener of 993.",
)
def no_cleartext_imaps(target: Target) -> str:
    return tls.no_cleartext(target, 993, "a CAPABILITY")


@check(
    "dovecot.sasl.configured",
    "Submission asks Dovecot who may send",
    needs=("ssh",),
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


@check(
    "dovecot.sasl.not_on_25",
    "No AUTH on port 25, with TLS or without",
    negative=True,
    needs=("smtp tls",),
    elsewhere=True,
    remedy="smtpd_sasl_auth_enable belongs to submission in master.cf, not in main.cf.",
)
def not_on_25(target: Target) -> str:
    for secure in (False, True):
        with smtp(target, secure=secure) as session:
            if session.has_extn("auth"):
                raise Failed(f"EHLO lists AUTH {'under TLS' if secure else 'in the clear'}")
            reply = session.docmd("AUTH", "PLAIN")
    return expect(reply, "503 5.5.1", "502 5.5.1", what="AUTH PLAIN")


@check(
    "dovecot.listener.login",
    "A user may send: AUTH PLAIN on 587 and 465, checked by Dovecot",
    needs=("submission", "submissions", "smtp tls", "imap", "login"),
    provides="sending",
    remedy="Look at smtpd_sasl_type and smtpd_sasl_path in master.cf, and at Dovecot's socket.",
)
def login(target: Target) -> str:
    user, password = target.account(0)
    seen = []
    for port in (587, 465):
        with smtp(target, port) as session:
            offered = session.esmtp_features.get("auth", "none").split()
            if not {"PLAIN", "LOGIN"} <= set(offered):  # some Outlooks know LOGIN and nothing else
                raise Failed(f"{port} offers AUTH {' '.join(offered)}")
            seen.append(expect(log_in(session, user, password), "235 2.7.0", what=str(port)))
    return "; ".join(seen)


@check(
    "dovecot.listener.own_sender",
    "A user sends under the own address, to anywhere",
    needs=LOGIN,
    remedy="See smtpd_sender_login_maps: the address must lead to the same login.",
)
def own_sender(target: Target) -> str:
    user, password = target.account(0)
    with smtp(target, 587) as session:
        expect(log_in(session, user, password), "235")
        local = expect(envelope(session, user, target.account(1)[0]), "250 2.1.5", what="to us")
        away = expect(envelope(session, user, ELSEWHERE), "250 2.1.5", what="to elsewhere")
    return f"{local}; {away}"


@check(
    "dovecot.listener.no_forged_sender",
    "A user cannot send under anybody else's address",
    negative=True,
    needs=LOGIN,
    remedy=MISMATCH,
)
def no_forged_sender(target: Target) -> str:
    user, password = target.account(0)
    forged = [target.account(1)[0], "ceo@example.org", f"no-such-user@{target.domain}"]
    for port in (587, 465):
        with smtp(target, port) as session:
            expect(log_in(session, user, password), "235")
            for sender in forged:
                answer = expect(envelope(session, sender, ELSEWHERE), "553 5.7.1", what=f"{port}, as {sender}")
    return answer


@check(
    "dovecot.listener.wrong_password",
    "A wrong password does not send",
    negative=True,
    order=LAST,
    needs=LOGIN,
    elsewhere=True,
)
def wrong_password(target: Target) -> str:
    with smtp(target, 587) as session:
        return expect(log_in(session, target.account(0)[0], "not-the-password"), "535 5.7.8")
