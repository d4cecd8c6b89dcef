"""A message's whole way: submitted, delivered, read, filed."""

import re
import time

from checks.clients import host, mail, tls
from checks.engine import Failed, Target, claim, negative


@claim(
    "{foo} writes to {bar} over submission; {bar} reads it over IMAPS",
    needs="submission smtp-tls sending",
    remedy=mail.TRACE,
)
def delivery(target: Target) -> str:
    mark, message = mail.compose(target, target.foo, target.bar)
    with mail.imap(target, 1, port=993) as reader:
        try:
            begun = time.monotonic()
            mail.submit(target, message, target.bar)
            uids = mail.find(reader, "INBOX", mark)
            took = time.monotonic() - begun
            if len(uids) != 1:
                raise Failed(f"{len(uids)} copies after {took:.1f} s")
            text = reader.fetch(uids, ["BODY.PEEK[]"])[uids[0]][b"BODY[]"].decode(errors="replace")
        finally:
            mail.remove(reader, "INBOX", mark)
    received = re.search(r"Received: from (\S+ \(.*?\))", text, re.S)
    if "with ESMTPSA" not in text:
        raise Failed("its Received line does not say ESMTPSA: sent without TLS or login")
    origin = " ".join(received[1].split()) if received else "unknown"
    return f"arrived {took:.2f} s after the first word, from {origin}"


@claim("The client files its copy in Sent, and it stays with {foo}", needs="login", remedy="See chapter 4, mailboxes.")
def sent(target: Target) -> str:
    mark, message = mail.compose(target, target.foo, target.bar)
    with mail.imap(target, 0) as writer:
        try:
            writer.append("Sent", message, [b"\\Seen"])
            if len(mail.find(writer, "Sent", mark, 2)) != 1:
                raise Failed("appended to Sent, but it is not there")
        finally:
            mail.remove(writer, "Sent", mark)
    return "APPEND, found by its Message-ID, removed"


@negative("No old certificate is still in Dovecot's memory", needs="ssh dovecot", remedy="systemctl restart dovecot")
def certificate_loaded(target: Target) -> str:
    return tls.loaded(target, 993)


@negative(
    "What is sent to {bar} reaches nobody else",
    needs="submission smtp-tls sending",
    remedy="Look for a catch-all in aliases, and at always_bcc.",
)
def only_to_bar(target: Target) -> str:
    target.two_accounts("there is nobody else")
    mark, message = mail.compose(target, target.foo, target.bar)
    with mail.imap(target, 0) as writer, mail.imap(target, 1) as reader:
        try:
            mail.submit(target, message, target.bar)
            if not mail.find(reader, "INBOX", mark):
                raise Failed(f"it did not even reach {target.bar}")
            if mail.find(writer, "INBOX", mark, 0):
                raise Failed(f"{target.foo} has it in INBOX too")
        finally:
            mail.remove(reader, "INBOX", mark)
            mail.remove(writer, "INBOX", mark)
    return f"not in the INBOX of {target.foo}"


@negative("Dovecot has not complained since it was started", needs="ssh imap", remedy="journalctl -u dovecot -p err")
def no_errors(target: Target) -> str:
    return host.complaints(target, "dovecot", r"(Error|Fatal|Panic): ")
