"""What moving a letter teaches: the move over IMAP, and what SpamAssassin's memory holds."""

import re
import time

from checks.clients import mail
from notebooks.workbench.host import remote
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.message.letters import Letter, opened
from notebooks.workbench.message.passport import located
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady, Trouble

DUMP = "cd / && runuser -u amavis -- sa-learn --dump magic"
PATIENCE = 20.0


@stoppable()
def bayes() -> html.Table:
    """How many letters SpamAssassin has learned as spam (nspam) and as no spam (nham), and from how many words (ntokens)."""
    return html.Table(
        ["", "so far"], learned().items(), "Bayes's memory: letters that were spam, that were not, and words"
    )


def learned() -> dict[str, int]:
    found = re.findall(r"(\d+) +\d+  non-token data: (\w+)$", remote.execute(DUMP).out, re.MULTILINE)
    counts = {name: int(count) for count, name in found}
    return {name: counts.get(name, 0) for name in ("nspam", "nham", "ntokens")}


@stoppable(
    "The letter may have been moved on {host}, and learned.",
    "where_is(…) says in which folder it is; move it from there.",
)
def move(letter: Letter | html.Note, folder: str) -> html.Shown:
    """Move a letter into another folder as its reader would, with a mail client; then wait for what it teaches.

    Only a move into or out of Junk teaches; that takes up to 20 seconds. Raises Trouble for a letter that is in the folder
    already, NotReady for one that its reader does not see.
    """
    if isinstance(letter, html.Note):
        return letter
    before = located(letter)
    if before.place == folder:
        raise Trouble(f"“{letter.subject}” is in {folder} already.", remedy="move it into another folder")
    counts = learned()
    with opened(letter.recipient) as client:
        found = mail.find(client, before.place, letter.message_id, 0)
        if not found:
            raise NotReady(f"“{letter.subject}” is not in {before.place}, as its reader sees it.", str(before))
        client.move(found, folder)
    begun, what = time.monotonic(), f"from {before.place} to {folder}, over IMAP"
    if "Junk" not in (before.place, folder):
        return html.Note("Moved.", what)
    while (after := learned()) == counts and time.monotonic() - begun < PATIENCE:
        time.sleep(0.5)
    if after == counts:
        why = f"{what}. It may have been learned before: twice is once."
        return html.Note("Moved; nothing was learned.", why, "warn")
    told = ", ".join(f"{name} {counts[name]} → {after[name]}" for name in ("nspam", "nham"))
    return html.Note("Moved, and learned.", f"{what}. {told}, {time.monotonic() - begun:.1f} s later", "good")
