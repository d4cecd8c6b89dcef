"""The stations after the queue manager: Amavis and the delivery agents, down to the folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from postmaster.follow import decisions, folders
from postmaster.follow.decisions import Decided
from postmaster.follow.hops import SPAM, Way, mood_of, short
from postmaster.model import Hop, Mood
from postmaster.read.events import Event

AGENTS = {"virtual": "Postfix virtual", "lmtp": "Dovecot LMTP", "local": "Postfix local", "smtp": "Postfix smtp"}


@dataclass
class Group:
    """Recipients with the same outcome."""

    key: tuple[str, ...]
    events: list[Event] = field(default_factory=list)

    @property
    def recipients(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(event.fields["to"] for event in self.events))

    @property
    def first(self) -> Event:
        return self.events[0]


def grouped(deliveries: Sequence[Event]) -> list[Group]:
    found: dict[tuple[str, ...], Group] = {}
    for event in deliveries:
        reply = event.fields["reply"]
        if event.fields["status"] == "sent" and event.line.daemon != "smtp":
            reply = ""  # a transaction for each recipient, or one for all: the same happened
        reply = re.sub(r"\bid=[\w-]+|<[^>]*>", "", reply)
        key = (event.line.daemon, event.fields["relay"], event.fields["status"], reply, *event.leads_to)
        found.setdefault(key, Group(key)).events.append(event)
    return list(found.values())


def delivered(way: Way, group: Group, after: Hop) -> Hop:
    """The hop of this group, and those below it."""
    if decisions.filtering(group.first.fields["relay"]):
        return judged(way, group, after)
    daemon, status, reply = group.first.line.daemon, group.first.fields["status"], group.first.fields["reply"]
    relay = group.first.fields["relay"]
    chapter, step = decisions.AGENTS.get(daemon, (1, "restart"))
    setting = {
        "virtual": way.settings.main("virtual_mailbox_maps"),
        "lmtp": "lmtp:unix:" + (re.search(r"\[(private/[^]]*)\]", relay) or ("", relay))[1],
        "local": f"alias_maps: {group.first.fields['orig'] or group.first.fields['to']}",
        "smtp": f"relay {relay}" if relay != "none" else "MX of the domain, by DNS",
    }.get(daemon, daemon)
    what = short(reply) if status != "sent" or daemon == "smtp" else reply_in_words(daemon, reply)
    hop = way.add(
        group.events,
        after,
        AGENTS.get(daemon, f"Postfix {daemon}"),
        "delivered" if status == "sent" else status,
        Decided(setting, chapter, step),
        what=what,
        mood=mood_of(status),
        queue=group.first.queue,
        recipients=group.recipients,
    )
    for queue in group.first.leads_to if daemon == "local" else ():
        way.sources[queue], hop.verdict = hop.number, f"forwarded as {queue}"
    if status == "sent" and daemon == "virtual":
        folders.foldered(way, hop, group.events, "INBOX", group.recipients)
    if status == "sent" and daemon == "lmtp":
        folders.sieved(way, hop, group.events)
    return hop


def reply_in_words(daemon: str, reply: str) -> str:
    return {"virtual": "into the Maildir", "lmtp": "taken by Dovecot"}.get(daemon, short(reply))


def judged(way: Way, group: Group, after: Hop) -> Hop:
    """Amavis's verdict; from Postfix's line alone where Amavis's own is missing."""
    ours = {event.amavis for event in group.events} - {""}
    found = [
        event
        for event in way.events
        if event.kind == "judged" and (event.amavis in ours or set(event.leads_to) & set(group.first.leads_to))
    ]
    if found:
        return verdict_hop(way, found[0], after, group.recipients, group.events)
    trouble = [event for event in way.events if event.kind == "trouble" and event.amavis in ours]
    reply, status = group.first.fields["reply"], group.first.fields["status"]
    failed = "virus_scan FAILED" in reply or "VIRUS SCANNERS" in reply
    refused = status != "sent" and "Connection refused" in reply
    setting = way.settings.perl("virus_scanners_failure_is_fatal") if failed else ""
    step = "clamav" if failed else "amavis"
    decided = Decided(setting or way.settings.main("content_filter"), 3, step)
    what = "Amavis does not answer: " + short(reply) if refused else short(reply)
    hop = way.add(
        [*trouble, *group.events],
        after,
        "Amavis",
        "passed" if status == "sent" else status,
        decided,
        what=what,
        mood=mood_of(status),
        queue=group.first.queue,
        recipients=group.recipients,
        at=group.first.at,
        until=group.events[-1].at,
    )
    for queue in group.first.leads_to:
        way.sources[queue] = hop.number
    return hop


def verdict_hop(
    way: Way, event: Event, after: Hop | None, recipients: tuple[str, ...], more: Sequence[Event] = ()
) -> Hop:
    fields = event.fields
    verdict, name, hits, bank = fields["verdict"], fields["name"], fields.get("Hits", "-"), fields["bank"]
    words = [name] if name else []
    words += [f"hits {hits}"] if hits != "-" else []
    held = fields.get("quarantine", "").rpartition("/")[2]
    words += [f"quarantine {held}"] if held else []
    words += ["discarded"] if "Discarded" in fields["actions"] else []
    words += ["refused"] if "Rejected" in fields["actions"] else []
    words += ["the sender is told"] if "Bounced" in fields["actions"] else []
    words += [f"DKIM of {signed[1]}"] if (signed := re.search(r"dkim_sd=[^:,\s]*:([^,\s]+)", fields["rest"])) else []
    words += ["as one who has logged in"] if bank == "ORIGINATING" else []
    took = re.search(r"(\d+) ms$", fields["rest"].strip())
    words += [f"took {took[1]} ms"] if took else []
    mood: Mood = (
        "bad" if verdict.startswith("Blocked") else "warn" if verdict in (*SPAM, "Passed UNCHECKED") else "good"
    )
    hop = way.add(
        [event, *more],
        after,
        "Amavis",
        verdict,
        decisions.judging(verdict, hits, bank, way.settings),
        what=", ".join(words),
        mood=mood,
        queue=event.queue,
        recipients=recipients,
        until=event.at,
        held=held,
    )
    hop.at = max(event.at - int(took[1]) / 1000 if took else event.at, after.at if after else 0.0)
    for one in (*event.leads_to, f"mail {fields.get('mail_id', '')}"):
        way.sources[one] = hop.number
    return hop
