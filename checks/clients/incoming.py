"""Messages that a stranger brings to port 25, and what became of them: each is sent once in a run, whoever asks."""

import email
import email.policy
import shlex
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from uuid import uuid4

from checks.clients import amavis, mail
from checks.clients.samples import EICAR, GTUBE
from checks.engine import Failed, Target, conditions, once_a_run

FORGED = "forged-by-a-stranger"


@dataclass(frozen=True)
class Delivered:
    """What port 25 answered, and the file that the message became; no path where there is none."""

    message_id: str
    reply: str
    path: str
    text: str

    @property
    def refused(self) -> bool:
        return not self.reply.startswith("250")

    @property
    def message(self) -> EmailMessage:
        if not self.path:
            raise Failed(
                f"port 25 said {self.reply}" if self.refused else f"it did not arrive within {mail.DELIVERY:.0f} s"
            )
        return email.message_from_string(self.text, policy=email.policy.default)

    @property
    def folder(self) -> str:
        """INBOX, or the Maildir++ name of the folder that the file stands in."""
        inside = self.path.rsplit("/", 3)[-3]
        return inside[1:] if inside.startswith(".") else "INBOX"


def forged_fields(target: Target) -> Sequence[tuple[str, str]]:
    """Header fields that only our own workers may write; a stranger writes them all the same."""
    fields = [
        ("X-Spam-Flag", "YES"),
        ("X-Spam-Status", f"Yes, score=99 {FORGED}"),
        ("Authentication-Results", f"{target.hostname}; dkim=pass header.d={FORGED}.example"),
    ]
    # without a virus scanner nobody here speaks of viruses, and Amavis leaves what others say of them
    return [*fields, ("X-Virus-Scanned", FORGED)] if conditions.has(target, "antivirus") else fields


@once_a_run
def ordinary(target: Target) -> Delivered:
    """An ordinary message, but for the forged fields in it. Its author's domain asks nobody to file what nothing proves."""
    made = mail.compose(target, target.unasked, target.foo, *forged_fields(target))
    return deliver(target, target.foo, *made, sender=target.unasked)


@once_a_run
def unproved(target: Target) -> Delivered:
    """The same by an author whose domain does ask for that."""
    return deliver(target, target.bar, *mail.compose(target, target.stranger, target.bar))


@once_a_run
def spam(target: Target) -> Delivered:
    """Spam by definition, which says of itself that it is none."""
    no = (("X-Spam-Flag", "NO"), ("X-Spam-Status", f"No, score=-9 {FORGED}"))
    return deliver(target, target.foo, *mail.compose(target, target.stranger, target.foo, *no, text=GTUBE))


def deliver(target: Target, recipient: str, message_id: str, message: bytes, sender: str = "") -> Delivered:
    """Brought by a stranger, or with this envelope sender."""
    reply = offer(target, sender or target.stranger, recipient, message)
    path, text = collect(target, message_id, recipient) if reply.startswith("250") else ("", "")
    return Delivered(message_id, reply, path, text)


def offer(target: Target, sender: str, recipient: str, message: bytes) -> str:
    """The reply to DATA, or the refusal before it."""
    with mail.smtp(target) as session:
        try:
            session.sendmail(sender, [recipient], message)
        except smtplib.SMTPDataError as error:
            reply = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
            return mail.said((error.smtp_code, reply))
    return "250"


def files(folder: str, message_id: str) -> str:
    """The shell's command that lists a message's files below a folder. Dovecot's caches, which hold its headers, are left out."""
    return (
        f"find {shlex.quote(folder)} -type f '(' -path '*/new/*' -o -path '*/cur/*' ')' "
        f"-newermt '-2 minutes' -exec grep -lF -- {shlex.quote(message_id)} {{}} + 2>/dev/null"
    )


def folder_of(target: Target, owner: str) -> str:
    """Where the owner's mail is; "" is anybody's."""
    local, _, domain = owner.partition("@")
    return f"{target.mail_home}/{domain}/{local}" if owner else target.mail_home


def owner_of(target: Target, path: str) -> str:
    """Whose file this is."""
    domain, local = path.removeprefix(f"{target.mail_home}/").split("/")[:2]
    return f"{local}@{domain}"


def collect(
    target: Target, message_id: str, owner: str, patience: float = mail.DELIVERY, show: str = "cat --"
) -> tuple[str, str]:
    """The message's path and what `show` prints of it, "" both if it does not come within `patience` seconds.

    Then it is removed. On the disk, as Dovecot comes later.
    """
    found = target.shell(
        f"for try in $(seq {max(1, int(patience * 10))}); do file=$({files(folder_of(target, owner), message_id)} | head -n 1); "
        f'[ -n "$file" ] && text=$({show} "$file") && {mail.REMOVED} && echo "$file" && printf "%s" "$text" && break; sleep 0.1; done',
        may_fail=True,
        timeout=patience + 15,
    )
    path, _, text = found.partition("\n")
    return path, text


def stored(target: Target, recipient: str, owner: str) -> tuple[str, str]:
    """A stranger writes to the recipient: whose mailbox it reaches, the owner's or with "" anybody's; and the file's mode and owner."""
    message_id, message = mail.compose(target, target.stranger, recipient)
    if not (reply := offer(target, target.stranger, recipient, message)).startswith("250"):
        raise Failed(f"port 25 said {reply}")
    path, shown = collect(target, message_id, owner, show="stat -c '%a %U:%G'")
    if not path:
        raise Failed(f"no file of it below {folder_of(target, owner)} after {mail.DELIVERY:.0f} s")
    return owner_of(target, path), shown


@dataclass(frozen=True)
class Infected:
    """What became of a message with a virus: the reply, the file that holds it, and whoever got it all the same."""

    reply: str
    held: str
    reached: str
    answered: str


@once_a_run
def infected(target: Target) -> Infected:
    """EICAR from a stranger whom nobody else knows, to bar."""
    sender, (bar, _) = target.stranger.replace("@", f"-{uuid4().hex}@"), target.account(1)
    message_id, message = mail.compose(target, sender, bar, mail.PERSON, attached=EICAR)
    folder = amavis.settings(target)["quarantine"]
    reply = offer(target, sender, bar, message)
    where = target.shell(
        f"for try in $(seq {int(mail.DELIVERY * 10)}); do found=$(grep -rlF -- '{message_id}' {folder} | head -n 1); "
        f'[ -n "$found" ] || found=$({files(folder_of(target, bar), message_id)} | head -n 1); '
        '[ -n "$found" ] && rm -- "$found" 2>/dev/null && echo "$found" && break; sleep 0.1; done',
        may_fail=True,
        timeout=mail.DELIVERY + 15,
    )
    reached = "" if where.startswith(folder) else where or collect(target, message_id, bar, 0)[0]
    answered = target.shell(  # once Amavis has done with it: a bounce comes after the copy in quarantine
        f"for try in $(seq {int(mail.DELIVERY * 10)}); do mailq | grep -q '^[0-9A-Za-z].* {sender}$' || break; sleep 0.1; done; "
        f"journalctl -q --no-pager -o cat --since '-2 minutes' -u 'postfix*' | grep -F 'to=<{sender}>' | "
        f"grep -v 'orig_to' | tail -n 1; mailq | grep -F ' {sender}' | head -n 1",
        may_fail=True,
        timeout=mail.DELIVERY + 15,
    )
    return Infected(reply, where if where.startswith(folder) else "", reached, answered)
