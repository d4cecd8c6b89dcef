"""A message's whole way: submitted, delivered, read, filed."""

import re
import time

from checks.clients import host, mail, tls
from checks.engine.check import check
from checks.engine.target import Target
from checks.engine.verdicts import Failed


@check(
    "foo writes to bar over submission; bar reads it over IMAPS", needs="submission smtp-tls sending", remedy=mail.TRACE
)
def delivery(target: Target) -> str:
    (foo, password), (bar, _) = target.account(0), target.account(1)
    mark, message = mail.compose(target, foo, bar)
    with mail.imap(target, 1, port=993) as reader:
        try:
            begun = time.monotonic()
            with mail.smtp(target, 587) as session:
                mail.expect(mail.log_in(session, foo, password), "235")
                session.sendmail(foo, [bar], message)
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


@check("The client files its copy in Sent, and it stays with foo", needs="login", remedy="See chapter 4, mailboxes.")
def sent(target: Target) -> str:
    (foo, _), (bar, _) = target.account(0), target.account(1)
    mark, message = mail.compose(target, foo, bar)
    with mail.imap(target, 0) as writer:
        try:
            writer.append("Sent", message, [b"\\Seen"])
            if len(mail.find(writer, "Sent", mark, 2)) != 1:
                raise Failed("appended to Sent, but it is not there")
        finally:
            mail.remove(writer, "Sent", mark)
    return "APPEND, found by its Message-ID, removed"


@check(
    "No old certificate is still in Dovecot's memory",
    negative=True,
    needs="ssh dovecot",
    remedy="systemctl restart dovecot",
)
def certificate_loaded(target: Target) -> str:
    return tls.loaded(target, 993)


@check(
    "What is sent to bar reaches nobody else",
    negative=True,
    needs="submission smtp-tls sending",
    remedy="Look for a catch-all in aliases, and at always_bcc.",
)
def only_to_bar(target: Target) -> str:
    (foo, password), (bar, _) = target.account(0), target.account(1)
    mark, message = mail.compose(target, foo, bar)
    with mail.imap(target, 0) as writer, mail.imap(target, 1) as reader:
        try:
            with mail.smtp(target, 587) as session:
                mail.expect(mail.log_in(session, foo, password), "235")
                session.sendmail(foo, [bar], message)
            if not mail.find(reader, "INBOX", mark):
                raise Failed(f"it did not even reach {bar}")
            if foo != bar and mail.find(writer, "INBOX", mark, 0):
                raise Failed(f"{foo} has it in INBOX too")
        finally:
            mail.remove(reader, "INBOX", mark)
            mail.remove(writer, "INBOX", mark)
    return f"not in the INBOX of {foo}"


@check(
    "Dovecot has not complained since it was started",
    negative=True,
    needs="ssh imap",
    remedy="journalctl -u dovecot -p err",
)
def no_errors(target: Target) -> str:
    return host.complaints(target, "dovecot", r"(Error|Fatal|Panic): ")
