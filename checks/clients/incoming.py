"""Letters that a stranger brings to port 25, and what became of them: each is sent once in a run, whoever asks."""

from __future__ import annotations

import email
import email.policy
import shlex
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

from checks import applied
from checks.delivery import PATIENCE, REMOVED, letter
from checks.mail import STRANGER, said, smtp
from checks.model import Failed
from checks.samples import GTUBE
from checks.target import Target

FORGED = "forged-by-a-stranger"


@dataclass(frozen=True)
class Posted:
    """What port 25 answered, and the file that the letter became; no path where there is none."""

    mark: str
    reply: str
    path: str
    text: str

    @property
    def refused(self) -> bool:
        return not self.reply.startswith("250")

    @property
    def message(self) -> EmailMessage:
        if not self.path:
            raise Failed(f"port 25 said {self.reply}" if self.refused else f"it did not arrive within {PATIENCE:.0f} s")
        return email.message_from_string(self.text, policy=email.policy.default)

    @property
    def folder(self) -> str:
        """INBOX, or the Maildir++ name of the folder that the file stands in."""
        inside = self.path.rsplit("/", 3)[-3]
        return inside[1:] if inside.startswith(".") else "INBOX"


def forged(target: Target) -> Sequence[tuple[str, str]]:
    """Header fields that only our own workers may write; a stranger writes them all the same."""
    fields = [
        ("X-Spam-Flag", "YES"),
        ("X-Spam-Status", f"Yes, score=99 {FORGED}"),
        ("Authentication-Results", f"{target.hostname}; dkim=pass header.d={FORGED}.example"),
    ]
    # without a virus scanner nobody here speaks of viruses, and Amavis leaves what others say of them
    return fields if target.once(applied.NO_ANTIVIRUS) else [*fields, ("X-Virus-Scanned", FORGED)]


def clean(target: Target) -> Posted:
    """An ordinary letter, but for the forged fields in it."""
    foo = target.account(0)[0]
    return target.keep("clean", lambda: post(target, foo, *letter(target, STRANGER, foo, *forged(target))))


def gtube(target: Target) -> Posted:
    """Spam by definition, which says of itself that it is none."""
    foo = target.account(0)[0]
    no = (("X-Spam-Flag", "NO"), ("X-Spam-Status", f"No, score=-9 {FORGED}"))
    return target.keep("gtube", lambda: post(target, foo, *letter(target, STRANGER, foo, *no, text=GTUBE)))


def post(target: Target, recipient: str, mark: str, message: bytes) -> Posted:
    reply = hand_over(target, STRANGER, recipient, message)
    path, text = taken(target, mark, recipient) if reply.startswith("250") else ("", "")
    return Posted(mark, reply, path, text)


def hand_over(target: Target, sender: str, recipient: str, message: bytes) -> str:
    """The reply to DATA, or the refusal before it."""
    with smtp(target) as session:
        try:
            session.sendmail(sender, [recipient], message)
        except smtplib.SMTPDataError as error:
            reply = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
            return said((error.smtp_code, reply))
    return "250"


def files(target: Target, owner: str, mark: str) -> str:
    """The shell's command that lists the files of a letter, in whatever folder; Dovecot's own caches left out."""
    local, _, domain = owner.partition("@")
    folder = shlex.quote(f"{target.mail_base}/{domain}/{local}")
    return (
        f"find {folder} -type f '(' -path '*/new/*' -o -path '*/cur/*' ')' -newermt '-2 minutes' "
        f"-exec grep -lF -- {shlex.quote(mark)} {{}} + 2>/dev/null"
    )


def taken(target: Target, mark: str, owner: str, patience: float = PATIENCE) -> tuple[str, str]:
    """The letter's path and text, waited for and removed: on the disk, as chapter 3 comes before Dovecot."""
    found = target.shell(
        f"for try in $(seq {max(1, int(patience * 10))}); do file=$({files(target, owner, mark)} | head -n 1); "
        f'[ -n "$file" ] && text=$(cat -- "$file") && {REMOVED} && echo "$file" && printf "%s" "$text" && break; sleep 0.1; done',
        may_fail=True,
        timeout=patience + 15,
    )
    path, _, text = found.partition("\n")
    return path, text
