"""The From that people read: a user's is his own. Asked with letters from foo to foo, which are removed again."""

from __future__ import annotations

from checks.delivery import letter
from checks.mail import expect, said, smtp
from checks.model import Failed, Skipped, check
from checks.post import taken
from checks.submission import LOGIN, log_in
from checks.target import Target

NEEDS = ("ssh", *LOGIN)
REMEDY = "smtpd_milters=unix:private/mailroom-sender for submission; systemctl status mailroom-sender.socket. See chapter 4, sasl."


def built(target: Target) -> None:
    if "debian" not in target.once("grep -s ^ID= /etc/os-release"):
        raise Skipped("the milter that compares From with the login is built for Debian only")


def offered(target: Target, sender: str) -> str:
    """What submission says to a letter of foo's that has this From. It does not stay in the mailbox."""
    user, password = target.account(0)
    mark, message = letter(target, user, user)
    message = message.replace(f"From: {user}\r\n".encode(), f"From: {sender}\r\n".encode(), 1)
    with smtp(target, 587) as session:
        expect(log_in(session, user, password), "235")
        for command in (f"MAIL FROM:<{user}>", f"RCPT TO:<{user}>"):
            expect(session.docmd(command), "250")
        reply = session.data(message)
    if reply[0] < 400 and not taken(target, mark, user)[0]:
        raise Failed(f"From: {sender}: {said(reply)}, but it did not arrive")
    return said(reply)


@check(
    "dovecot.listener.own_from",
    "A letter goes out under the sender's own name, also with an extension",
    needs=NEEDS,
    elsewhere=True,
    remedy=REMEDY,
)
def own_from(target: Target) -> str:
    built(target)
    local, _, domain = target.account(0)[0].partition("@")
    seen = ""
    for sender in (f'"Lastname, Foo" <{local}@{domain}>', f"{local}+check@{domain} ({local}@{domain})"):
        seen = offered(target, sender)
        if not seen.startswith("250"):
            raise Failed(f"From: {sender}: {seen}")
    return seen


@check(
    "dovecot.listener.no_forged_from",
    "Nobody writes another's address into From, nor into the name beside his own",
    negative=True,
    elsewhere=True,
    needs=NEEDS,
    remedy=REMEDY,
)
def no_forged_from(target: Target) -> str:
    built(target)
    foo, bar = target.account(0)[0], f"no-such-user@{target.domain}"
    seen = ""
    for sender in (bar, "ceo@example.org", f'"{bar}" <{foo}>', f"{foo}, {bar}", f"{foo}\r\nFrom: {bar}"):
        seen = offered(target, sender)
        if not seen.startswith("550 5."):
            raise Failed(f"From: {' / '.join(sender.split(chr(13)))}: {seen}")
    return seen
