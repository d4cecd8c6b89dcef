"""What moving a letter teaches: the move over IMAP, and what SpamAssassin's memory holds."""

from __future__ import annotations

import re
import time

from notebooks.workbench.host import remote, snapshots
from notebooks.workbench.message.letters import Letter, opened
from notebooks.workbench.message.passport import located
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady, Trouble

DUMP = "cd / && runuser -u amavis -- sa-learn --dump magic"
PATIENCE = 20.0


def bayes() -> html.Table:
    """How many letters SpamAssassin has learned from, as spam and as no spam."""
    counts = learned()
    rows = [(name, counts[name]) for name in ("nspam", "nham", "ntokens")]
    return html.Table(["", "so far"], rows, "Bayes's memory: letters that were spam, that were not, and words")


def learned() -> dict[str, int]:
    done = remote.execute(DUMP)
    found = {
        name: int(count) for count, name in re.findall(r"(\d+) +\d+  non-token data: (\w+)$", done.out, re.MULTILINE)
    }
    return {"nspam": 0, "nham": 0, "ntokens": 0} | found


def move(letter: Letter | html.Note, folder: str) -> html.Shown:
    """Move a letter into another folder as its reader would, with a mail client; then wait for what it teaches."""
    if isinstance(letter, html.Note):
        return letter
    snapshots.wait()
    before = located(letter)
    if before.place == folder:
        raise Trouble(f"“{letter.subject}” is in {folder} already.", remedy="move it into another folder")
    counts = learned()
    with opened(letter.recipient) as client:
        client.select_folder(before.place)
        found = client.search(["HEADER", "Message-ID", letter.message_id])
        if not found:
            raise NotReady(f"“{letter.subject}” is not in {before.place}, as its reader sees it.", str(before))
        client.move(found, folder)
    begun, end = time.monotonic(), time.monotonic() + PATIENCE
    while "Junk" in (before.place, folder) and (after := learned()) == counts and time.monotonic() < end:
        time.sleep(0.5)
    what = f"from {before.place} to {folder}, over IMAP"
    if "Junk" not in (before.place, folder):
        return html.Note("Moved.", what)
    if after == counts:
        return html.Note(
            "Moved; nothing was learned.", f"{what}. It may have been learned before: twice is once.", "warn"
        )
    told = ", ".join(f"{name} {counts[name]} → {after[name]}" for name in ("nspam", "nham"))
    return html.Note("Moved, and learned.", f"{what}. {told}, {time.monotonic() - begun:.1f} s later", "good")
