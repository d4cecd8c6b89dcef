"""A letter's whole way: written, submitted, delivered, read, filed, and cleaned up."""

from __future__ import annotations

import re
import time
from email.message import EmailMessage
from email.utils import formatdate
from uuid import uuid4

from imapclient import IMAPClient

from checks.mail import STRANGER, expect, imap, smtp
from checks.model import Failed, Warned, check
from checks.submission import LOGIN, log_in
from checks.target import Target

PATIENCE = 10.0
TRACE = "On the host: postqueue -p, and journalctl -u 'postfix*' for the message's id."


def letter(target: Target, sender: str, recipient: str) -> tuple[str, bytes]:
    """A message and its Message-ID, by which it is found and removed again."""
    mark = f"<{uuid4().hex}.mailroom-check@{target.domain}>"
    message = EmailMessage()
    message["From"], message["To"] = sender, recipient
    message["Subject"] = "mailroom check"
    message["Date"], message["Message-ID"] = formatdate(), mark
    message["Auto-Submitted"] = "auto-generated"  # no vacation answer, please
    message.set_content("Sent by python -m checks, which removes it again.")
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


@check("dovecot.restart.delivery", "foo writes to bar over submission; bar reads it over IMAPS",
       needs=LOGIN, remedy=TRACE)
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


@check("dovecot.restart.sent", "The client files its copy in Sent, and it stays with foo",
       needs=("login",), remedy="See chapter 4, mailboxes.")
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


@check("dovecot.restart.only_to_bar", "What is sent to bar reaches nobody else", negative=True,
       needs=LOGIN, remedy="Look for a catch-all in aliases, and at always_bcc.")
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


def on_disk(target: Target, recipient: str, owner: str) -> str:
    """Hand a letter to port 25 and look for its file on the host: chapter 2 has no Dovecot yet."""
    mark, message = letter(target, STRANGER, recipient)
    local, _, domain = owner.partition("@")
    folder = f"{target.mail_base}/{domain}/{local}"
    with smtp(target) as session:
        session.sendmail(STRANGER, [recipient], message)
    look = (f"find {folder}/new {folder}/cur -newermt '-1 minute' -type f "
            f"-exec grep -lF -- '{mark}' {{}} + 2>/dev/null | head -n 1")
    answer = target.shell(
        f"for try in $(seq {int(PATIENCE * 5)}); do file=$({look}); [ -n \"$file\" ] && break; "
        "sleep 0.2; done; [ -n \"$file\" ] && stat -c '%a %U:%G' \"$file\" && rm -f -- \"$file\"",
        may_fail=True, timeout=PATIENCE + 10)
    if not answer:
        raise Failed(f"no file of it below {folder} after {PATIENCE:.0f} s")
    return answer


@check("postgresql.restart.maildir", "A stranger's letter to foo becomes a file in the Maildir",
       needs=("ssh", "smtp", "postgresql"), remedy=TRACE, elsewhere=True)
def maildir(target: Target) -> str:
    foo = target.account(0)[0]
    return f"{foo}: {on_disk(target, foo, foo)}"


@check("postgresql.restart.private", "The delivered file is the mail owner's, and private",
       negative=True, needs=("ssh", "smtp", "postgresql"), elsewhere=True,
       remedy="Look at virtual_uid_maps, virtual_gid_maps and the umask of the delivery.")
def private(target: Target) -> str:
    bar = target.account(1)[0]
    mode, owner = on_disk(target, bar, bar).split()
    if owner.split(":")[0] != target.mail_owner or int(mode, 8) & 0o007:
        raise Failed(f"{mode} {owner}")
    return f"{mode} {owner}"


@check("postgresql.restart.postmaster", "Mail for postmaster, abuse and root reaches somebody",
       needs=("ssh", "smtp", "postgresql"), remedy=TRACE, elsewhere=True)
def postmaster(target: Target) -> str:
    foo = target.account(0)[0]
    reached = [f"postmaster@{target.domain}", f"abuse@{target.domain}", f"root@{target.hostname}"]
    for address in reached:
        on_disk(target, address, foo)
    return f"{', '.join(reached)} reach {foo}"


@check("postfix.restart.first_mail", "Postfix takes a first letter from a stranger",
       needs=("ssh", "smtp", "postgresql"), remedy=TRACE, elsewhere=True)
def first_mail(target: Target) -> str:
    mark, message = letter(target, STRANGER, f"postmaster@{target.hostname}")
    with smtp(target) as session:
        for command in ("MAIL FROM:<>", f"RCPT TO:<postmaster@{target.hostname}>"):
            expect(session.docmd(command), "250")
        reply = session.data(message)
    answer = expect(reply, "250 2.0.0")
    # It goes on to the postmaster's mailbox, which chapter 2 makes. Until then it waits in the
    # queue, for nobody and under a new id (local(8) sends it on): take it out, wherever it is.
    find = f"find {target.mail_base} -newermt '-1 minute' -type f -exec grep -lF -- '{mark}' {{}} +"
    # Only what has been put off: an id with a star is being worked on this moment.
    queued = "mailq | sed -nE 's/^([0-9A-Za-z]+) .*/\\1/p'"
    left = target.shell(
        f"for try in $(seq 40); do file=$({find} 2>/dev/null | head -n 1); "
        '[ -n "$file" ] && rm -f -- "$file" && exit; '
        f"for id in $({queued}); do "
        f"postcat -qh $id 2>/dev/null | grep -qF -- '{mark}' && postsuper -d $id && exit; "
        "done; sleep 0.2; done; echo lost", may_fail=True, timeout=PATIENCE + 10)
    if left.endswith("lost"):
        raise Warned(f"{answer}, but it is neither in a mailbox nor in the queue")
    return answer
