"""A letter's whole way: written, submitted, delivered, read, filed, and cleaned up."""

from __future__ import annotations

import re
import time
from email.message import EmailMessage
from email.utils import formatdate
from uuid import uuid4

from imapclient import IMAPClient

from checks.mail import expect, imap, smtp
from checks.model import Failed, check
from checks.submission import LOGIN, log_in
from checks.target import Target

PATIENCE = 10.0
# Another check's session may move a letter from new to cur between two commands; then it is looked for once more.
REMOVED = 'rm -- "$file" 2>/dev/null'
TEXT = "Sent by python -m checks, which removes it again."
TRACE = "On the host: postqueue -p, and journalctl -u 'postfix*' for the message's id."


def letter(
    target: Target, sender: str, recipient: str, *headers: tuple[str, str], text: str = TEXT, attached: bytes = b""
) -> tuple[str, bytes]:
    """A message and its Message-ID, by which it is found and removed again."""
    mark = f"<{uuid4().hex}.mailroom-check@{target.domain}>"
    message = EmailMessage()
    message["From"], message["To"] = sender, recipient
    message["Subject"] = "mailroom check"
    message["Date"], message["Message-ID"] = formatdate(), mark
    if not headers:
        message["Auto-Submitted"] = "auto-generated"  # no vacation answer, please
    for name, value in headers:
        message[name] = value
    message.set_content(text)
    if attached:  # not by a name that is banned for itself: what is asked about is what is in it
        message.add_attachment(attached, "application", "octet-stream", filename="sample.txt")
    return mark, message.as_bytes().replace(b"\n", b"\r\n")


def found(client: IMAPClient, folder: str, mark: str, patience: float = PATIENCE) -> list[int]:
    """The message's UIDs, waiting for it to arrive."""
    client.select_folder(folder)
    end = time.monotonic() + patience
    while not (uids := client.search(["HEADER", "Message-ID", mark])):
        if time.monotonic() >= end:
            break
        time.sleep(0.1)
        client.noop()
    return uids


def remove(client: IMAPClient, folder: str, mark: str) -> None:
    client.select_folder(folder)
    uids = client.search(["HEADER", "Message-ID", mark])
    if uids:
        client.add_flags(uids, [b"\\Deleted"], silent=True)
        client.uid_expunge(uids)


@check(
    "dovecot.restart.delivery", "foo writes to bar over submission; bar reads it over IMAPS", needs=LOGIN, remedy=TRACE
)
def delivery(target: Target) -> str:
    (foo, password), (bar, _) = target.account(0), target.account(1)
    mark, message = letter(target, foo, bar)
    with imap(target, 1, port=993) as reader:
        try:
            begun = time.monotonic()
            with smtp(target, 587) as session:
                expect(log_in(session, foo, password), "235")
                session.sendmail(foo, [bar], message)
            uids = found(reader, "INBOX", mark)
            took = time.monotonic() - begun
            if len(uids) != 1:
                raise Failed(f"{len(uids)} copies after {took:.1f} s")
            text = reader.fetch(uids, ["BODY.PEEK[]"])[uids[0]][b"BODY[]"].decode(errors="replace")
        finally:
            remove(reader, "INBOX", mark)
    received = re.search(r"Received: from (\S+ \(.*?\))", text, re.S)
    if "with ESMTPSA" not in text:
        raise Failed("its Received line does not say ESMTPSA: sent without TLS or login")
    origin = " ".join(received[1].split()) if received else "unknown"
    return f"arrived {took:.2f} s after the first word, from {origin}"


@check(
    "dovecot.restart.sent",
    "The client files its copy in Sent, and it stays with foo",
    needs=("login",),
    remedy="See chapter 4, mailboxes.",
)
def sent(target: Target) -> str:
    (foo, _), (bar, _) = target.account(0), target.account(1)
    mark, message = letter(target, foo, bar)
    with imap(target, 0) as writer:
        try:
            writer.append("Sent", message, [b"\\Seen"])
            if len(found(writer, "Sent", mark, 2)) != 1:
                raise Failed("appended to Sent, but it is not there")
        finally:
            remove(writer, "Sent", mark)
    return "APPEND, found by its Message-ID, removed"


@check(
    "dovecot.restart.only_to_bar",
    "What is sent to bar reaches nobody else",
    negative=True,
    needs=LOGIN,
    remedy="Look for a catch-all in aliases, and at always_bcc.",
)
def only_to_bar(target: Target) -> str:
    (foo, password), (bar, _) = target.account(0), target.account(1)
    mark, message = letter(target, foo, bar)
    with imap(target, 0) as writer, imap(target, 1) as reader:
        try:
            with smtp(target, 587) as session:
                expect(log_in(session, foo, password), "235")
                session.sendmail(foo, [bar], message)
            if not found(reader, "INBOX", mark):
                raise Failed(f"it did not even reach {bar}")
            if foo != bar and found(writer, "INBOX", mark, 0):
                raise Failed(f"{foo} has it in INBOX too")
        finally:
            remove(reader, "INBOX", mark)
            remove(writer, "INBOX", mark)
    return f"not in the INBOX of {foo}"
