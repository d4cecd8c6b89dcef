"""SMTP and IMAP as a mail client speaks them, and the replies we expect."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from checks import tls
from checks.model import Failed
from checks.target import Target

# After failed logins Dovecot lets every login from the same address wait, for up to 17 s.
PATIENCE = 25.0
Reply = tuple[int, bytes]
STRANGER = "stranger@example.net"
ELSEWHERE = "somebody@example.org"


@contextmanager
def smtp(target: Target, port: int = 25, secure: bool | None = None, hello: bool = True) -> Iterator[smtplib.SMTP]:
    """An SMTP session after EHLO; with TLS on the submission ports unless told otherwise."""
    secure = port != 25 if secure is None else secure
    host, local = target.vantage.endpoint(target.address, port)
    if port == 465:
        session: smtplib.SMTP = smtplib.SMTP_SSL(
            host, local, target.helo, timeout=PATIENCE, context=tls.careful(target)
        )
    else:
        session = smtplib.SMTP(host, local, target.helo, timeout=PATIENCE)
    try:
        if hello:
            session.ehlo_or_helo_if_needed()
        if secure and port != 465:
            session.starttls(context=tls.careful(target))
            session.ehlo()
        yield session
        with suppress(smtplib.SMTPException, OSError):
            session.quit()
    finally:
        session.close()


def envelope(session: smtplib.SMTP, sender: str, recipient: str) -> Reply:
    """Offer an envelope and take it back: the first refusal, or the last word."""
    reply = session.docmd("MAIL", f"FROM:<{sender}>")
    if reply[0] < 400:
        reply = session.docmd("RCPT", f"TO:<{recipient}>")
    session.rset()
    return reply


def ehlo_name(session: smtplib.SMTP) -> str:
    """The name by which the server answered EHLO."""
    return (session.ehlo_resp or b"").decode(errors="replace").split()[0]


def said(reply: Reply) -> str:
    return f"{reply[0]} {' / '.join(reply[1].decode(errors='replace').splitlines())}"


def expect(reply: Reply, *wanted: str, what: str = "") -> str:
    """The reply as evidence, if it begins with one of the wanted codes, such as "550 5.1.1"."""
    text = said(reply)
    label = f"{what}: " if what else ""
    if any(text == code or text.startswith(code + " ") for code in wanted):
        return label + text
    raise Failed(f"{label}expected {' or '.join(wanted)}, got {text}")


@contextmanager
def imap(target: Target, number: int | None = None, port: int = 143) -> Iterator[IMAPClient]:
    """An IMAP session over TLS; logged in as that account if a number is given."""
    with imap_bare(target, port) as client:
        if port == 143:
            client.starttls(tls.careful(target))
        if number is not None:
            user, password = target.account(number)
            try:
                client.login(user, password)
            except LoginError as error:
                raise Failed(f"login as {user} refused: {words(error)}") from error
        yield client


@contextmanager
def imap_bare(target: Target, port: int = 143) -> Iterator[IMAPClient]:
    """An IMAP session as it begins: in the clear on 143."""
    host, local = target.vantage.endpoint(target.address, port)
    context = tls.careful(target) if port == 993 else None
    client = IMAPClient(host, local, ssl=context is not None, ssl_context=context, timeout=PATIENCE)
    try:
        yield client
    finally:
        try:
            client.logout()
        except (IMAPClientError, OSError):
            with suppress(OSError):
                client.shutdown()


def words(error: Exception) -> str:
    """What the server said, out of the bytes literal that imaplib may leave in its errors."""
    text = str(error)
    for mark in ("b'", 'b"'):
        if text.startswith(mark):
            text = text[2:-1]
    return text or type(error).__name__
