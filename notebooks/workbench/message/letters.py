"""Letters: send one, and look into a mailbox."""

from __future__ import annotations

import smtplib
from contextlib import closing
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid

from checks.clients import mail
from checks.engine.verdicts import Failed
from notebooks.workbench.host import remote, snapshots, where
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady, Trouble


@dataclass(repr=False)
class Letter(html.Shown):
    """A letter that was handed in, and how the server answered."""

    sender: str
    recipient: str
    subject: str
    port: int
    message_id: str
    answer: str = ""

    @property
    def refused(self) -> bool:
        return self.answer[:1] in ("4", "5")

    def __str__(self) -> str:
        return (
            f"{self.sender} -> {self.recipient}, “{self.subject}”, port {self.port}: {self.answer}\n{self.message_id}"
        )

    def body(self) -> str:
        return html.box(
            f"✉ <b class=h>{html.escape(self.subject)}</b> {html.escape(self.sender)} → {html.escape(self.recipient)}, "
            f"port {self.port}<div>{html.escape(self.answer)}</div><div class=dim><code>{html.escape(self.message_id)}</code></div>"
        )


def send(
    sender: str, recipient: str, subject: str = "Hello", *, port: int = 587, text: str = "Hello from the runbook.\n"
) -> Letter:
    """Hand in a letter: with TLS and a login on 587 and 465, as a stranger's server would on 25."""
    snapshots.wait()
    here = where.place()
    sender, recipient = full(sender, here), full(recipient, here)
    letter = Letter(sender, recipient, subject, port, make_msgid(domain="runbook.example.net"))
    try:
        with closing(here.target()) as target, mail.smtp(target, port) as session:
            if port != 25:
                session.login(sender, here.secrets("accounts")[sender])
            session.mail(sender)
            code, said = session.rcpt(recipient)
            if code < 400:
                code, said = session.data(written(letter, text).as_bytes(policy=SMTP))
            letter.answer = f"{code} {said.decode(errors='replace')}"
    except (OSError, smtplib.SMTPException, Trouble, Failed) as error:
        raise NotReady(
            "The letter could not be handed in.", remote.masked(str(error)), "factory() shows what runs"
        ) from None
    except KeyError:
        raise Trouble(f"There is no account {sender}.", "Strangers send on port 25: send(…, port=25).") from None
    return letter


def written(letter: Letter, text: str) -> EmailMessage:
    """The letter itself, with the fields that every letter has."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = letter.sender, letter.recipient, letter.subject
    message["Date"], message["Message-ID"] = formatdate(localtime=True), letter.message_id
    message.set_content(text)
    return message


def full(name: str, here: where.Place) -> str:
    return name if "@" in name else f"{name}@{here.domain}"


def mailbox(name: str, folder: str = "INBOX") -> html.Table:
    """What is in a mailbox, as its owner sees it over IMAP."""
    here = where.place()
    rows = []
    with opened(name) as client:
        client.select_folder(folder, readonly=True)
        for number, data in sorted(client.fetch(client.search(), ["ENVELOPE", "RFC822.SIZE"]).items()):
            envelope = data[b"ENVELOPE"]
            sender = envelope.from_[0] if envelope.from_ else None
            who = f"{sender.mailbox.decode()}@{sender.host.decode()}" if sender else "?"
            rows.append(
                [number, who, (envelope.subject or b"").decode(errors="replace"), data[b"RFC822.SIZE"], envelope.date]
            )
    return html.Table(["uid", "from", "subject", "bytes", "date"], rows, f"{full(name, here)}, {folder}")


def files(name: str) -> html.Text:
    """The same mailbox as files: the Maildir on the host's disk."""
    here = where.place()
    local, _, domain = full(name, here).partition("@")
    folder = f"{here.data['mail_home']}/{domain}/{local}"
    done = remote.execute(
        f"cd {folder} && find . -mindepth 1 -not -name 'dovecot*' -printf '%M %u %8s  %P\\n' | sort -k4"
    )
    return html.Text(done.out or "(no Maildir yet: Postfix makes it at the first delivery)", folder)


def opened(name: str):  # type: ignore[no-untyped-def]  # a context manager of the checks' IMAPClient
    """The mailbox of one account, over TLS."""
    snapshots.wait()
    here = where.place()
    target, address = here.target(), full(name, here)
    ours = [known for known in target.accounts if known.endswith("@" + target.domain)]
    if address not in ours:
        raise NotReady(f"There is no account {address}.", f"There are: {', '.join(ours)}")
    return mail.imap(target, ours.index(address), port=993)
