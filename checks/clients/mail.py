"""SMTP and IMAP as a mail client speaks them, the messages that it writes, and the replies we expect."""

import base64
import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import formatdate
from uuid import uuid4

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from checks.clients import tls
from checks.engine import Failed, Target, verdicts

# After failed logins Dovecot lets every login from the same address wait, for up to 17 s.
PATIENCE = 25.0
DELIVERY = 10.0  # seconds that a message may take to its mailbox
Reply = tuple[int, bytes]
# Another check's session may move a message from new to cur between two commands; then it is looked for once more.
REMOVED = 'rm -- "$file" 2>/dev/null'
TEXT = "Sent by python -m checks, which removes it again."
TRACE = "On the host: postqueue -p, and journalctl -u 'postfix*' for the message's id."
NO_REPORT = "smtpd_command_filter of smtp inet in master.cf, with /etc/postfix/port25.regexp."
# A person writes so: nobody ever answers what is Auto-Submitted, as our other messages are.
PERSON = ("X-Mailroom", "check")


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


def log_in(session: smtplib.SMTP, user: str, password: str) -> Reply:
    """AUTH PLAIN, whatever EHLO offered: smtplib would look for a mechanism first."""
    plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    return session.docmd("AUTH", f"PLAIN {plain}")


def envelope(session: smtplib.SMTP, sender: str, recipient: str) -> Reply:
    """Offer an envelope and take it back: the first refusal, or the last word."""
    reply = session.docmd("MAIL", f"FROM:<{sender}>")
    if reply[0] < 400:
        reply = session.docmd("RCPT", f"TO:<{recipient}>")
    session.rset()
    return reply


def asked(target: Target, sender: str, recipient: str) -> Reply:
    """What port 25 says to this envelope."""
    with smtp(target) as session:
        return envelope(session, sender, recipient)


def transaction(session: smtplib.SMTP, sender: str, recipient: str, message: bytes) -> Reply:
    """The reply to the message itself. The envelope has to be taken; a recipient may bring parameters."""
    expect(session.docmd("MAIL", f"FROM:<{sender}>"), "250")
    expect(session.docmd("RCPT", f"TO:{recipient}" if ">" in recipient else f"TO:<{recipient}>"), "250")
    return session.data(message)


def bring(target: Target, sender: str, recipient: str, message: bytes) -> str:
    """A stranger's message, taken on port 25; what was said to it."""
    with smtp(target) as session:
        return expect(transaction(session, sender, recipient, message), "250 2.0.0")


@contextmanager
def submission(target: Target) -> Iterator[smtplib.SMTP]:
    """A session on 587 in which the first account has logged in."""
    with smtp(target, 587) as session:
        expect(log_in(session, *target.account(0)), "235")
        yield session


def submit(target: Target, message: bytes, recipient: str) -> None:
    """The first account hands a message to submission."""
    with submission(target) as session:
        session.sendmail(target.foo, [recipient], message)


def ehlo_name(session: smtplib.SMTP) -> str:
    """The name by which the server answered EHLO."""
    return (session.ehlo_resp or b"").decode(errors="replace").split()[0]


def said(reply: Reply) -> str:
    """A reply in one line: "250 first / second"."""
    return f"{reply[0]} {' / '.join(reply[1].decode(errors='replace').splitlines())}"


def expect(reply: Reply, *wanted: str, what: str = "") -> str:
    """The reply as evidence, if it begins with one of these codes, such as "550 5.1.1"; raises Failed if not."""
    text = said(reply)
    label = f"{what}: " if what else ""
    if any(text == code or text.startswith(code + " ") for code in wanted):
        return label + text
    raise Failed(f"{label}expected {' or '.join(wanted)}, got {text}")


def compose(
    target: Target, sender: str, recipient: str, *headers: tuple[str, str], text: str = TEXT, attached: bytes = b""
) -> tuple[str, bytes]:
    """A message and its Message-ID, by which it is found and removed again."""
    message_id = f"<{uuid4().hex}.mailroom-check@{target.domain}>"
    message = EmailMessage()
    message["From"], message["To"] = sender, recipient
    message["Subject"] = "mailroom check"
    message["Date"], message["Message-ID"] = formatdate(), message_id
    if not headers:
        message["Auto-Submitted"] = "auto-generated"  # no vacation answer, please
    for name, value in headers:
        message[name] = value
    message.set_content(text)
    if attached:  # not by a name that is banned for itself: what is asked about is what is in it
        message.add_attachment(attached, "application", "octet-stream", filename="sample.txt")
    return message_id, message.as_bytes().replace(b"\n", b"\r\n")


def with_from(message: bytes, before: str, after: str) -> bytes:
    """The message with another From, just as it is given: a library would correct it."""
    return message.replace(f"From: {before}\r\n".encode(), f"From: {after}\r\n".encode(), 1)


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


def find(client: IMAPClient, folder: str, message_id: str, patience: float = DELIVERY) -> list[int]:
    """The message's UIDs in the folder, waited for so many seconds; [] if it does not come."""
    client.select_folder(folder)
    end = time.monotonic() + patience
    while not (uids := client.search(["HEADER", "Message-ID", message_id])) and time.monotonic() < end:
        time.sleep(0.1)
        client.noop()
    return uids


def remove(client: IMAPClient, folder: str, message_id: str) -> None:
    if uids := find(client, folder, message_id, 0):
        client.add_flags(uids, [b"\\Deleted"], silent=True)
        client.uid_expunge(uids)


def words(error: Exception) -> str:
    """What the server said, out of the bytes literal that imaplib may leave in its errors."""
    text = verdicts.words(error)
    for mark in ("b'", 'b"'):
        if text.startswith(mark):
            text = text[2:-1]
    return text or type(error).__name__
