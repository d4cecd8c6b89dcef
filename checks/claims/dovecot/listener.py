"""Users send with their logins, under their own addresses alone: in the envelope and in the From that people read."""

from checks.clients import host, incoming, mail
from checks.engine import LAST, Failed, Target, claim, negative

REMEDY = "smtpd_milters=unix:private/mailroom-sender for submission; systemctl status mailroom-sender.socket. See chapter 4, sasl."
SOCKET = "/var/spool/postfix/private/auth"
MISMATCH = "reject_sender_login_mismatch in smtpd_sender_restrictions of submission."


@claim(
    "A letter goes out under the sender's own name, also with an extension",
    needs="elsewhere ssh submission smtp-tls sending milter",
    remedy=REMEDY,
)
def own_from(target: Target) -> str:
    local, _, domain = target.foo.partition("@")
    seen = ""
    for sender in (f'"Lastname, Foo" <{local}@{domain}>', f"{local}+check@{domain} ({local}@{domain})"):
        seen = offered(target, sender)
        if not seen.startswith("250"):
            raise Failed(f"From: {sender}: {seen}")
    return seen


@claim(
    "Dovecot's socket stands in Postfix's spool, for Postfix",
    needs="ssh imap",
    remedy="service auth { unix_listener … } as in chapter 4, listener.",
)
def socket(target: Target) -> str:
    found = host.socket_of_postfix(target, SOCKET, "660")
    return f"{SOCKET}: {found}"


@claim(
    "A user may send: AUTH PLAIN on 587 and 465, checked by Dovecot",
    needs="submission submissions smtp-tls imap login",
    provides="sending",
    remedy="Look at smtpd_sasl_type and smtpd_sasl_path in master.cf, and at Dovecot's socket.",
)
def login(target: Target) -> str:
    user, password = target.account(0)
    seen = []
    for port in (587, 465):
        with mail.smtp(target, port) as session:
            offered = session.esmtp_features.get("auth", "none").split()
            if not {"PLAIN", "LOGIN"} <= set(offered):  # some Outlooks know LOGIN and nothing else
                raise Failed(f"{port} offers AUTH {' '.join(offered)}")
            seen.append(mail.expect(mail.log_in(session, user, password), "235 2.7.0", what=str(port)))
    return "; ".join(seen)


@claim(
    "A user sends under the own address, to anywhere",
    needs="submission smtp-tls sending",
    remedy="See smtpd_sender_login_maps: the address must lead to the same login.",
)
def own_sender(target: Target) -> str:
    with mail.submission(target) as session:
        local = mail.expect(mail.envelope(session, target.foo, target.bar), "250 2.1.5", what="to us")
        away = mail.expect(mail.envelope(session, target.foo, target.elsewhere), "250 2.1.5", what="to elsewhere")
    return f"{local}; {away}"


@negative(
    "Nobody writes another's address into From, nor into the name beside his own",
    needs="elsewhere ssh submission smtp-tls sending milter",
    remedy=REMEDY,
)
def no_forged_from(target: Target) -> str:
    foo, bar = target.foo, f"no-such-user@{target.domain}"
    seen = ""
    for sender in (bar, target.elsewhere, f'"{bar}" <{foo}>', f"{foo}, {bar}", f"{foo}\r\nFrom: {bar}"):
        seen = offered(target, sender)
        if not seen.startswith("550 5."):
            raise Failed(f"From: {' / '.join(sender.split(chr(13)))}: {seen}")
    return seen


@negative(
    "Nobody else on the host can ask it for passwords", needs="ssh imap", remedy="mode = 0660, user and group postfix."
)
def not_for_others(target: Target) -> str:
    if host.may(target, "nobody", f"test -w {SOCKET}"):
        raise Failed(f"nobody can write to {SOCKET}")
    return "closed to the user nobody"


@negative("A user cannot send under anybody else's address", needs="submission smtp-tls sending", remedy=MISMATCH)
def no_forged_sender(target: Target) -> str:
    user, password = target.account(0)
    # of one account the second is the first, and may of course
    forged = [*({target.bar} - {target.foo}), target.elsewhere, f"no-such-user@{target.domain}"]
    for port in (587, 465):
        with mail.smtp(target, port) as session:
            mail.expect(mail.log_in(session, user, password), "235")
            for sender in forged:
                answer = mail.expect(
                    mail.envelope(session, sender, target.elsewhere), "553 5.7.1", what=f"{port}, as {sender}"
                )
    return answer


@negative(
    "A wrong password does not send",
    needs="elsewhere submission smtp-tls sending",
    order=LAST,
    remedy="Only the SQL passdb may be there: doveconf -n passdb.",
)
def wrong_password(target: Target) -> str:
    with mail.smtp(target, 587) as session:
        return mail.expect(mail.log_in(session, target.foo, "not-the-password"), "535 5.7.8")


def offered(target: Target, sender: str) -> str:
    """What submission says to a letter of foo's that has this From. It does not stay in the mailbox."""
    mark, message = mail.compose(target, target.foo, target.foo)
    with mail.submission(target) as session:
        reply = mail.transaction(session, target.foo, target.foo, mail.with_from(message, target.foo, sender))
    if reply[0] < 400 and not incoming.collect(target, mark, target.foo)[0]:
        raise Failed(f"From: {sender}: {mail.said(reply)}, but it did not arrive")
    return mail.said(reply)
