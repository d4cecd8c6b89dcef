"""What has become of a letter: in a mailbox, in the queue, in quarantine, or nowhere; and what was written on it."""

from __future__ import annotations

import email
import email.policy
import re
import shlex
import time
from dataclasses import dataclass

from notebooks.workbench.host import remote, where
from notebooks.workbench.message.letters import Letter
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotExpected

PATIENCE = 25.0  # SpamAssassin may ask the DNS, and wait
# Everywhere a letter can be, by its Message-ID; the queue by the envelope, as its files are not text.
LOOK = """cd /
for file in $(grep -rlF -- "$id" "$home" 2>/dev/null | grep -E '/(new|cur)/'); do echo "mailbox $file"; done
for file in $(grep -rlF -- "$id" /var/lib/amavis/virusmails 2>/dev/null); do echo "quarantine $file"; done
for q in $(postqueue -p 2>/dev/null | sed -nE 's/^([0-9A-Za-z]+)[*!]? .*/\\1/p'); do
    postcat -qh "$q" 2>/dev/null | grep -qF -- "$id" && echo "queue $q $(postqueue -p | grep -A1 "^$q" | tail -n 1)"
done
true
"""
ON_ITS_WAY = "on its way"
OURS = ("X-Spam", "X-Virus", "Authentication-Results", "X-Amavis")


@dataclass(repr=False)
class Fate(html.Shown):
    """Where a letter is, or was last seen."""

    letter: Letter
    place: str  # "INBOX", "Junk", "queue", "quarantine", "nowhere"
    detail: str
    path: str = ""

    @property
    def rests(self) -> bool:
        """Delivered, held, or put off with a reason; not on its way any more."""
        return bool(self.path) or (self.place == "queue" and ON_ITS_WAY not in self.detail)

    def __str__(self) -> str:
        return f"“{self.letter.subject}” is in: {self.place}\n  {self.detail}"

    def body(self) -> str:
        kind = {"queue": "warn", "quarantine": "warn", "nowhere": "bad"}.get(self.place, "good")
        subject, detail = html.escape(self.letter.subject), html.escape(self.detail)
        return html.box(f"✉ {subject}: <b class=h>{html.escape(self.place)}</b><div class=dim>{detail}</div>", kind)


def look(letter: Letter) -> Fate:
    """One look, everywhere."""
    here = where.place()
    script = f"id={shlex.quote(letter.message_id)} home={shlex.quote(here.data['mail_home'])}\n{LOOK}"
    found = [line.partition(" ")[::2] for line in remote.execute(script).out.splitlines()]
    places = dict(reversed(found))
    if path := places.get("mailbox"):
        folder = path.rsplit("/", 3)[-3]
        return Fate(letter, folder[1:] if folder.startswith(".") else "INBOX", path, path)
    if path := places.get("quarantine"):
        return Fate(letter, "quarantine", path, path)
    if line := places.get("queue"):
        queue, _, why = line.partition(" ")
        # a line in brackets says why it waits; without one it is being worked on
        return Fate(letter, "queue", f"{queue} {why.strip()}" if why.strip()[:1] == "(" else f"{queue}, {ON_ITS_WAY}")
    return Fate(letter, "nowhere", f"neither in a mailbox nor held nor waiting on {here.name}")


def settle(letter: Letter, patience: float = PATIENCE) -> Fate:
    """Look until the letter has come to rest: delivered, held, refused, or put off with a reason."""
    end = time.monotonic() + patience
    while True:
        found = look(letter)
        if found.rests or letter.answer[:1] in ("4", "5") or time.monotonic() > end:
            return found
        time.sleep(0.3)


def where_is(letter: Letter | html.Note, *, expect: str | tuple[str, ...] = ()) -> html.Shown:
    """Where a letter has come to rest: a folder of its reader, the queue, the quarantine, or nowhere."""
    if isinstance(letter, html.Note):
        return letter
    wanted = (expect,) if isinstance(expect, str) else expect
    end = time.monotonic() + PATIENCE
    found = settle(letter, PATIENCE)
    while wanted and found.place not in wanted and time.monotonic() < end:
        time.sleep(0.3)
        found = look(letter)
    if wanted and found.place not in wanted:
        raise NotExpected(f"The letter is not in: {' or '.join(wanted)}", str(found), "journey(letter) shows its way")
    return found


def take_out(letter: Letter | html.Note) -> html.Shown:
    """Remove a letter of an experiment, wherever it is: from its reader's folder, or from quarantine."""
    if isinstance(letter, html.Note):
        return letter
    where.lab_only(where.place(), "Taking out letters")
    found = look(letter)
    if found.path:
        remote.execute(f"rm -f -- {shlex.quote(found.path)}")
    return html.Note("Taken out.", f"“{letter.subject}” was in: {found.place}", "good")


def headers(letter: Letter | html.Note, pattern: str = "|".join(OURS)) -> html.Shown:
    """What stands on a letter that was delivered: the header fields whose name the regular expression finds."""
    if isinstance(letter, html.Note):
        return letter
    found = settle(letter)
    if not found.path:
        return found
    # not masked: a signature is no secret, and looks like one
    text = remote.execute(f"sed '/^$/q' {shlex.quote(found.path)}").out
    message = email.message_from_string(text, policy=email.policy.compat32)
    rows = [
        f"{name}: {' '.join(str(value).split())}"
        for name, value in message.items()
        if re.match(pattern, name, re.IGNORECASE)
    ]
    return html.Text("\n".join(rows) or "(no such field)", f"{found.place}: {found.path}")
