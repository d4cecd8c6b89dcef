"""Users send with their logins, under their own addresses alone: in the envelope and in the From that people read."""

from checks.clients import host, incoming, installed, mail
from checks.engine.check import LAST, check
from checks.engine.target import Target
from checks.engine.verdicts import Failed

REMEDY = "smtpd_milters=unix:private/mailroom-sender for submission; systemctl status mailroom-sender.socket. See chapter 4, sasl."
SOCKET = "/var/spool/postfix/private/auth"
MISMATCH = "reject_sender_login_mismatch in smtpd_sender_restrictions of submission."


@check(
    "A letter goes out under the sender's own name, also with an extension",
    elsewhere=True,
    needs="ssh submission smtp-tls sending",
    only_with=(installed.from_milter,),
    remedy=REMEDY,
)
def own_from(target: Target) -> str:
    local, _, domain = target.account(0)[0].partition("@")
    seen = ""
    for sender in (f'"Lastname, Foo" <{local}@{domain}>', f"{local}+check@{domain} ({local}@{domain})"):
        seen = offered(target, sender)
        if not seen.startswith("250"):
            raise Failed(f"From: {sender}: {seen}")
    return seen


@check(
    "Dovecot's socket stands in Postfix's spool, for Postfix",
    needs="ssh imap",
    remedy="service auth { unix_listener … } as in chapter 4, listener.",
)
def socket(target: Target) -> str:
    found = host.socket_of_postfix(target, SOCKET, "660")
    return f"{SOCKET}: {found}"


@check(
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


@check(
    "A user sends under the own address, to anywhere",
    needs="submission smtp-tls sending",
    remedy="See smtpd_sender_login_maps: the address must lead to the same login.",
)
def own_sender(target: Target) -> str:
    user, password = target.account(0)
    with mail.smtp(target, 587) as session:
        mail.expect(mail.log_in(session, user, password), "235")
        local = mail.expect(mail.envelope(session, user, target.account(1)[0]), "250 2.1.5", what="to us")
        away = mail.expect(mail.envelope(session, user, mail.ELSEWHERE), "250 2.1.5", what="to elsewhere")
    return f"{local}; {away}"


@check(
    "Nobody writes another's address into From, nor into the name beside his own",
    negative=True,
    elsewhere=True,
    needs="ssh submission smtp-tls sending",
    only_with=(installed.from_milter,),
    remedy=REMEDY,
)
def no_forged_from(target: Target) -> str:
    foo, bar = target.account(0)[0], f"no-such-user@{target.domain}"
    seen = ""
    for sender in (bar, "ceo@example.org", f'"{bar}" <{foo}>', f"{foo}, {bar}", f"{foo}\r\nFrom: {bar}"):
        seen = offered(target, sender)
        if not seen.startswith("550 5."):
            raise Failed(f"From: {' / '.join(sender.split(chr(13)))}: {seen}")
    return seen


@check(
    "Nobody else on the host can ask it for passwords",
    negative=True,
    needs="ssh imap",
    remedy="mode = 0660, user and group postfix.",
)
def not_for_others(target: Target) -> str:
    tried = target.shell(
        # the group nobody's name is nogroup on Debian, nobody elsewhere
        'setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups '
        f"sh -c 'test -w {SOCKET} && echo open || echo closed'"
    )
    if tried != "closed":
        raise Failed(f"nobody can write to {SOCKET}")
    return "closed to the user nobody"


@check(
    "A user cannot send under anybody else's address",
    negative=True,
    needs="submission smtp-tls sending",
    remedy=MISMATCH,
)
def no_forged_sender(target: Target) -> str:
    user, password = target.account(0)
    forged = [target.account(1)[0], "ceo@example.org", f"no-such-user@{target.domain}"]
    for port in (587, 465):
        with mail.smtp(target, port) as session:
            mail.expect(mail.log_in(session, user, password), "235")
            for sender in forged:
                answer = mail.expect(
                    mail.envelope(session, sender, mail.ELSEWHERE), "553 5.7.1", what=f"{port}, as {sender}"
                )
    return answer


@check(
    "A wrong password does not send",
    negative=True,
    elsewhere=True,
    order=LAST,
    needs="submission smtp-tls sending",
    remedy="Only the SQL passdb may be there: doveconf -n passdb.",
)
def wrong_password(target: Target) -> str:
    with mail.smtp(target, 587) as session:
        return mail.expect(mail.log_in(session, target.account(0)[0], "not-the-password"), "535 5.7.8")


def offered(target: Target, sender: str) -> str:
    """What submission says to a letter of foo's that has this From. It does not stay in the mailbox."""
    user, password = target.account(0)
    mark, message = mail.compose(target, user, user)
    message = message.replace(f"From: {user}\r\n".encode(), f"From: {sender}\r\n".encode(), 1)
    with mail.smtp(target, 587) as session:
        mail.expect(mail.log_in(session, user, password), "235")
        for command in (f"MAIL FROM:<{user}>", f"RCPT TO:<{user}>"):
            mail.expect(session.docmd(command), "250")
        reply = session.data(message)
    if reply[0] < 400 and not incoming.collect(target, mark, user)[0]:
        raise Failed(f"From: {sender}: {mail.said(reply)}, but it did not arrive")
    return mail.said(reply)
