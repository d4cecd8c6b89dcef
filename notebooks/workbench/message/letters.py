"""Letters: send one, and look into a mailbox."""

import smtplib
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import Any

from checks.clients import mail
from checks.engine.verdicts import Failed, words
from notebooks.workbench.host import remote, where
from notebooks.workbench.host.stopping import SECOND, SENT, stoppable
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
        head = f"{self.sender} -> {self.recipient}, “{self.subject}”, port {self.port}"
        return f"{head}: {self.answer}\n{self.message_id}"

    def body(self) -> str:
        title, sender, recipient, answer, message_id = map(
            html.escape, (self.subject, self.sender, self.recipient, self.answer, self.message_id)
        )
        head = f"✉ <b class=h>{title}</b> {sender} → {recipient}, port {self.port}"
        return html.box(f"{head}<div>{answer}</div><div class=dim><code>{message_id}</code></div>")


@stoppable(SENT, SECOND)
def send(
    sender: str, recipient: str, subject: str = "Hello", *, port: int = 587, text: str = "Hello from the runbook.\n"
) -> Letter:
    """Hand in a letter: with TLS and a login on 587 and 465, as a stranger's server would on 25.

    A refusal is an answer of the letter. Raises NotReady where no answer came, Trouble for a sender without an account.
    """
    here = where.place()
    sender, recipient = full(sender), full(recipient)
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
        why = remote.masked(words(error))
        raise NotReady("The letter could not be handed in.", why, "factory() shows what runs") from None
    except KeyError:
        raise Trouble(f"There is no account {sender}.", "Strangers send on port 25: send(…, port=25).") from None
    return letter


def written(letter: Letter, text: str, **more: str) -> EmailMessage:
    """The letter itself, with the fields that every letter has, and more."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = letter.sender, letter.recipient, letter.subject
    message["Date"], message["Message-ID"] = formatdate(localtime=True), letter.message_id
    for name, value in more.items():
        message[name] = value
    message.set_content(text)
    return message


def full(name: str) -> str:
    return name if "@" in name else f"{name}@{where.place().domain}"


@stoppable()
def mailbox(name: str, folder: str = "INBOX") -> html.Table:
    """What is in a mailbox, as its owner sees it over IMAP: uid, sender, subject, size in bytes and date of each letter."""
    rows = []
    with opened(name) as client:
        client.select_folder(folder, readonly=True)
        for uid, data in sorted(client.fetch(client.search(), ["ENVELOPE", "RFC822.SIZE"]).items()):
            envelope = data[b"ENVELOPE"]
            subject = (envelope.subject or b"").decode(errors="replace")
            rows.append(
                [uid, envelope.from_[0] if envelope.from_ else "?", subject, data[b"RFC822.SIZE"], envelope.date]
            )
    return html.Table(["uid", "from", "subject", "bytes", "date"], rows, f"{full(name)}, {folder}")


@stoppable()
def files(name: str) -> html.Text:
    """The same mailbox as files: mode, owner, size and name of all that is in its Maildir on the host's disk."""
    local, _, domain = full(name).partition("@")
    folder = f"{where.place().data['mail_home']}/{domain}/{local}"
    command = f"cd {folder} && find . -mindepth 1 -not -name 'dovecot*' -printf '%M %u %8s  %P\\n' | sort -k4"
    done = remote.execute(command)
    return html.Text(done.out or "(no Maildir yet: Postfix makes it at the first delivery)", folder)


def opened(name: str) -> AbstractContextManager[Any]:
    """An IMAPClient in the mailbox of one account, over TLS; NotReady where there is no such account."""
    target, address = where.place().target(), full(name)
    ours = [known for known in target.accounts if known.endswith("@" + target.domain)]
    if address not in ours:
        raise NotReady(f"There is no account {address}.", f"There are: {', '.join(ours)}")
    return mail.imap(target, ours.index(address), port=993)
