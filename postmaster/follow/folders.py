"""The last stations: Sieve, and the folder."""

import re
from collections.abc import Sequence

from postmaster.follow import decisions
from postmaster.follow.decisions import Decided
from postmaster.follow.hops import Way, short
from postmaster.model import Hop, Mood
from postmaster.read.events import Event

SPECIAL = ("Trash", "Sent", "Drafts", "Junk")


def sieved(way: Way, hop: Hop, deliveries: Sequence[Event]) -> None:
    """Dovecot's actions for the recipients of this LMTP transaction, each action once."""
    sessions = {event.session for event in deliveries} - {""}
    same: dict[str, list[Event]] = {}
    for event in way.events:
        if event.kind in ("sieve", "saved") and event.session in sessions:
            same.setdefault(event.fields["said"], []).append(event)
            hop.at = min(hop.at, event.at)
    for said, events in same.items():
        users = tuple(dict.fromkeys(event.fields["user"] for event in events))
        folder, after = events[0].fields.get("folder", ""), hop
        if events[0].kind == "sieve":
            verdict, what, mood = action(said, folder)
            decided = decisions.filing(folder, said, way.spam, way.settings)
            after = way.add(events, hop, "Sieve", verdict, decided, what=what, mood=mood, recipients=users)
        if folder and "failed" not in said:
            foldered(way, after, events, folder, users)


def foldered(way: Way, after: Hop, events: Sequence[Event], folder: str, users: tuple[str, ...]) -> None:
    if after.station == "Postfix virtual":
        decided = Decided(way.settings.main("virtual_mailbox_base"), 2, "delivery")
    elif folder in SPECIAL:
        decided = Decided(f"mailbox {folder} {{ auto = subscribe }}", 4, "mailboxes")
    else:
        decided = Decided("the userdb's path of the mailbox", 4, "sql")
    way.add(events[-1:], after, "Folder", folder, decided, recipients=users, folder=folder)


def action(said: str, folder: str) -> tuple[str, str, Mood]:
    """The script's action: a word or two, the details, and the mood."""
    if folder and "failed" not in said:
        return (f"fileinto {folder}", "", "good") if "fileinto" in said else ("keep", "", "good")
    if found := re.search(r"forwarded to (<[^>]*>)", said):
        return f"redirect to {found[1].strip('<>')}", "", "good"
    if found := re.search(r"sent (?:vacation )?response to (<[^>]*>)", said):
        return "vacation answer", f"to {found[1].strip('<>')}: a letter of its own", "good"
    if "vacation" in said:
        why = re.sub(r"^.*?vacation action: |discarding vacation response (for|to)? ?", "", said)
        return "no vacation answer", short(why, 120), "good"
    if "discard" in said.lower():
        return "discard", "nothing follows", "warn"
    mood: Mood = "bad" if "failed" in said or "rror" in said else "warn"
    return short(said, 40), short(said) if len(said) > 40 else "", mood
