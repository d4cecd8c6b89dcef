"""Letters: send one, look into a mailbox, and follow the way of one through the factory."""

from __future__ import annotations

import re
import smtplib
import time
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from checks.clients import mail
from checks.engine.verdicts import Failed
from notebooks.workbench.host import remote, snapshots, where
from notebooks.workbench.message import belt
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady, Trouble

SINCE = 60  # seconds of log before the letter was handed in


@dataclass(repr=False)
class Letter(html.Shown):
    """A letter that was handed in, and how the server answered."""

    sender: str
    recipient: str
    subject: str
    port: int
    message_id: str
    sent: float
    answer: str = ""
    lines: list[str] = field(default_factory=list)

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
    letter = Letter(sender, recipient, subject, port, make_msgid(domain="runbook.example.net"), time.time())
    target = here.target()
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Date"], message["Message-ID"] = formatdate(localtime=True), letter.message_id
    message.set_content(text)
    try:
        with mail.smtp(target, port) as session:
            if port != 25:
                session.login(sender, here.secrets("accounts")[sender])
            session.mail(sender)
            code, said = session.rcpt(recipient)
            if code < 400:
                code, said = session.data(message.as_bytes())
            letter.answer = f"{code} {said.decode(errors='replace')}"
    except (OSError, smtplib.SMTPException, Trouble, Failed) as error:
        raise NotReady(
            "The letter could not be handed in.", remote.masked(str(error)), "factory() shows what runs"
        ) from None
    except KeyError:
        raise Trouble(f"There is no account {sender}.", "Strangers send on port 25: send(…, port=25).") from None
    finally:
        target.close()
    return letter


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


def journey(letter: Letter, wait: float = 10.0) -> belt.Journey:
    """The way of a letter: what the log says of it, station by station, and whether its reader has it."""
    end = time.monotonic() + wait
    while True:
        stations = _stations(letter)
        ends = ("delivered", "bounced", "refused", "held by the workers")
        if any(station.name in ends for station in stations) or time.monotonic() > end:
            break
        time.sleep(0.3)
    if any(station.name == "delivered" for station in stations):
        stations.append(_fetched(letter))
    return belt.Journey(letter.message_id, letter.subject, stations)


def _stations(letter: Letter) -> list[belt.Station]:
    since = f"@{int(letter.sent) - SINCE}"
    out = remote.execute(
        f"journalctl -u 'postfix*' --since {since} -o short-precise --no-hostname --no-pager"
    ).out.splitlines()
    # more than one where the workers of chapter 3 take it from the belt and put it back
    queues = re.findall(rf": ([0-9A-Za-z]{{6,}}): message-id={re.escape(letter.message_id)}", "\n".join(out))
    if not queues:
        return [belt.Station("handed in", letter.answer, f"{letter.sender}, port {letter.port}")] + (
            [belt.Station("refused", letter.answer, "no queue id: the belt never took it")]
            if letter.answer[:1] in "45"
            else []
        )
    found: list[belt.Station] = []
    for number, queue in enumerate(dict.fromkeys(queues)):
        stations = belt.stations([line for line in out if f" {queue}: " in line], queue, letter.port)
        if number:  # handed back: its journey goes on, it does not begin again
            stations = [one for one in stations if one.name not in ("received", "queue manager")]
            stations = [replace(one, name="back " + one.name) if one.name == "on the belt" else one for one in stations]
        found += stations
    return [one for one in found if one.name != "off the belt"] + [one for one in found if one.name == "off the belt"][
        -1:
    ]


def _fetched(letter: Letter) -> belt.Station:
    """Ask for it as its reader would."""
    try:
        with opened(letter.recipient) as client:
            for folder in ("INBOX", "Junk"):
                if folder != "INBOX" and not client.folder_exists(folder):
                    continue
                client.select_folder(folder, readonly=True)
                if found := client.search(["HEADER", "Message-ID", letter.message_id]):
                    data = client.fetch(found, ["RFC822.SIZE"])[found[0]]
                    where_to = "" if folder == "INBOX" else f" in {folder}"
                    return belt.Station(
                        "read",
                        f"uid {found[0]}, {data[b'RFC822.SIZE']} bytes{where_to}",
                        f"{letter.recipient} by IMAP over TLS, port 993",
                    )
            return belt.Station(
                "not in the INBOX", "the reader does not see it", "mail_home or the userdb's path?", good=False
            )
    except (OSError, NotReady, Failed) as error:
        return belt.Station(
            "not read yet", remote.masked(str(error)), "the front desk is not open (chapter 4)", good=None
        )


def opened(name: str):  # type: ignore[no-untyped-def]  # a context manager of the checks' IMAPClient
    """The mailbox of one account, over TLS."""
    snapshots.wait()
    here = where.place()
    target, address = here.target(), full(name, here)
    ours = [known for known in target.accounts if known.endswith("@" + target.domain)]
    if address not in ours:
        raise NotReady(f"There is no account {address}.", f"There are: {', '.join(ours)}")
    return mail.imap(target, ours.index(address), port=993)
