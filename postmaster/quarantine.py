"""The mail that Amavis holds: list it, show its envelope and the reason, deliver it after all."""

import argparse
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from email import message_from_string
from email.header import decode_header, make_header
from email.message import Message
from shutil import get_terminal_size
from textwrap import wrap

from checks.engine.target import Target
from postmaster.model import NotFound
from postmaster.read.lines import clock
from postmaster.read.log import sections
from postmaster.text import people

MOST = 500  # newest first
# Debian keeps the configuration in /etc/amavis, Red Hat in /etc/amavisd; the last word on the folder counts
FOLDER = """dir=$(cat /etc/amavis/conf.d/* /etc/amavisd/amavisd.conf 2>/dev/null | grep -E '^ *[$]QUARANTINEDIR *=' | \
grep -oE '/[A-Za-z0-9/._-]+' | tail -n 1)
dir=${dir:-/var/lib/amavis/virusmails}; cd "$dir" 2>/dev/null || { echo "--- none $dir"; exit 0; }
echo "--- folder $dir"
"""
# Headers only: the contents are for the reader alone.
LIST = f"""{FOLDER}find . -type f -printf '%T@ %s %P\\n' | sort -rn | head -n {MOST} | while read -r at size path; do
echo "--- file $at $size $path"; zcat -f -- "$path" | sed '/^[[:space:]]*$/q' | head -c 20000; echo; done"""
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{5,80}")


@dataclass
class Held:
    """A message in quarantine: `at` in seconds since 1970, `size` in bytes as stored, nothing of its body."""

    id: str  # the file's name
    mail_id: str
    at: float
    size: int
    sender: str  # of the envelope
    recipients: list[str]
    subject: str
    reason: str
    message_id: str
    details: Mapping[str, str] = field(default_factory=dict)
    path: str = ""


def held(target: Target) -> list[Held]:
    """Everything in quarantine, newest first."""
    found = []
    for head, rows in sections(target.shell(LIST, timeout=60)).items():
        if head.startswith("none "):
            raise NotFound(
                f"There is no quarantine on {target.hostname}: {head[5:]} does not exist. Chapter 3 makes it: "
                "pyinfra inventory.py deploys/mailserver.py"
            )
        if head.startswith("file "):
            _, at, size, path = head.split(" ", 3)
            found.append(one(float(at), int(size), path, "\n".join(rows)))
    return found


def one(at: float, size: int, path: str, text: str) -> Held:
    """A file of the quarantine by its headers. Amavis's own are above the first Received; anybody may have written those below."""
    above, _, below = text.partition("\nReceived:")
    ours, theirs = message_from_string(above + "\n\n"), message_from_string("Received:" + below + "\n\n")
    alerts = [words(alert) for alert in ours.get_all("X-Amavis-Alert", [])]
    score = words(ours.get("X-Spam-Score", ""))
    kind = path.rpartition("/")[2].partition("-")[0]
    spam = f"SPAM, score {score}" if score else kind
    reason = "; ".join(alerts) or (
        "not scanned to its end: too deep, too large or ambiguous" if kind == "unchecked" else spam
    )
    return Held(
        id=path.rpartition("/")[2],
        mail_id=words(ours.get("X-Quarantine-ID", "")).strip("<>"),
        at=at,
        size=size,
        sender=words(ours.get("X-Envelope-From", "")).strip("<>"),
        recipients=re.findall(r"<([^>]*)>", words(ours.get("X-Envelope-To", ""))),
        subject=decoded(theirs, "Subject"),
        reason=reason,
        message_id=words(theirs.get("Message-ID", "")),
        details={
            "From": decoded(theirs, "From"),
            "To": decoded(theirs, "To"),
            "X-Spam-Status": words(ours.get("X-Spam-Status", "")),
        },
        path=path,
    )


def decoded(message: Message, name: str) -> str:
    raw = str(message.get(name, ""))
    try:
        return words(str(make_header(decode_header(raw))))
    except (LookupError, UnicodeError, ValueError):  # an unknown charset
        return words(raw)


def words(text: str) -> str:
    """On one line, without characters that would command the terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in " ".join(str(text).split()))


def find(target: Target, asked: str) -> Held:
    name = asked.strip().rpartition("/")[2]
    every = held(target) if WORD.fullmatch(name) else []
    found = [item for item in every if name in (item.id, item.mail_id, item.id.removesuffix(".gz"))]
    if not found:
        raise NotFound(
            f"The quarantine has no {asked!r}; nothing was changed.\n"
            f"Searched {len(every)} messages on {target.hostname}. `python -m postmaster quarantine` lists them: take the ID "
            "whole (virus-5mMRHWlt9jx5), or the quarantine name of the message's passport."
        )
    return found[0]


def release(target: Target, item: Held) -> str:
    """Amavis delivers it unchanged; returns the new queue id. amavisd-release always exits with 0, so its words count."""
    answer = target.shell(f"amavisd-release {shlex.quote(item.path)}", may_fail=True, timeout=60)
    if not (done := re.search(r"^250 .*?queued as (\w+)", answer, re.MULTILINE)):
        raise NotFound(
            f"Amavis did not release {item.id}: {words(answer) or 'no answer'}\n"
            "Is it running, and does its socket exist? On the host: systemctl status amavis; ls -l /var/lib/amavis/amavisd.sock"
        )
    return done[1]


def command(target: Target, options: argparse.Namespace) -> int:
    """What was asked for, on stdout: as JSON or in words."""
    data: object
    if options.action == "list":
        items = held(target)
        data, told = [asdict(item) for item in items], listed(target, items)
    else:
        item = find(target, options.id)
        data, told = asdict(item), described(item)
        if options.action == "release":
            queue = release(target, item)
            data = {"released": item.id, "queue": queue, "recipients": item.recipients}
            told = f"{item.id} is on its way to {', '.join(item.recipients)} as {queue}; a copy stays in quarantine.\n"
            told += f"Follow it: python -m postmaster passport {queue}"
    print(json.dumps(data, indent=2, ensure_ascii=False) if options.json else told)
    return 0


def listed(target: Target, items: list[Held]) -> str:
    rows, width = [], max(get_terminal_size().columns, 28)
    for item in items:
        rows.append(f"{item.id}  {clock(item.at, date=True)[:16]} UTC, {item.size} bytes")
        way = f"{item.sender or '<>'} → {people(item.recipients, 2)}"
        for row in (way, item.subject, item.reason.partition(";")[0]):
            rows += wrap(row, width, initial_indent=" " * 4, subsequent_indent=" " * 4, break_on_hyphens=False)
    return "\n".join(rows) or f"The quarantine of {target.hostname} is empty."


def described(item: Held) -> str:
    rows = {
        "ID": item.id,
        "held since": f"{clock(item.at, date=True)[:19]} UTC",
        "reason": item.reason,
        "envelope from": item.sender or "<>",
        "envelope to": ", ".join(item.recipients),
        **item.details,
        "subject": item.subject,
        "Message-ID": item.message_id,
        "bytes": str(item.size),
    }
    told = "\n".join(f"{key:>14}  {value}" for key, value in rows.items() if value)
    return f"{told}\n\nTo deliver it after all: python -m postmaster quarantine release {item.id}"
