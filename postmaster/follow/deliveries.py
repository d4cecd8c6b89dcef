"""The stations after the queue manager: Amavis and the delivery agents, down to the folder."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from postmaster.follow import decisions, folders
from postmaster.follow.decisions import Decided
from postmaster.follow.hops import SPAM, Way, mood_of, short
from postmaster.model import Hop
from postmaster.read.events import Event

AGENTS = {"virtual": "Postfix virtual", "lmtp": "Dovecot LMTP", "local": "Postfix local", "smtp": "Postfix smtp"}
TAKEN = {"virtual": "into the Maildir", "lmtp": "taken by Dovecot"}
ACTIONS = {"Discarded": "discarded", "Rejected": "refused", "Bounced": "the sender is told"}  # Amavis's words, and ours


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
    what = TAKEN.get(daemon, short(reply)) if status == "sent" else short(reply)
    agent, verdict = AGENTS.get(daemon, f"Postfix {daemon}"), "delivered" if status == "sent" else status
    decided = Decided(setting, chapter, step)
    hop = way.add(
        group.events, after, agent, verdict, decided, what=what, mood=mood_of(status), recipients=group.recipients
    )
    for queue in group.first.leads_to if daemon == "local" else ():
        way.sources[queue], hop.verdict = hop, f"forwarded as {queue}"
    if status == "sent" and daemon == "virtual":
        folders.foldered(way, hop, group.events, "INBOX", group.recipients)
    if status == "sent" and daemon == "lmtp":
        folders.sieved(way, hop, group.events)
    return hop


def judged(way: Way, group: Group, after: Hop) -> Hop:
    """Amavis's verdict; from Postfix's line alone where Amavis's own is missing."""
    ours = {event.amavis for event in group.events} - {""}
    if found := verdict_on(way, ours, group.first.leads_to):
        return verdict_hop(way, found, after, group.recipients, group.events)
    trouble = [event for event in way.events if event.kind == "trouble" and event.amavis in ours]
    reply, status = group.first.fields["reply"], group.first.fields["status"]
    failed = "virus_scan FAILED" in reply or "VIRUS SCANNERS" in reply
    refused = status != "sent" and "Connection refused" in reply
    setting = way.settings.perl("virus_scanners_failure_is_fatal") if failed else ""
    step = "clamav" if failed else "amavis"
    decided = Decided(setting or way.settings.main("content_filter"), 3, step)
    what = "Amavis does not answer: " + short(reply) if refused else short(reply)
    told = {"what": what, "mood": mood_of(status), "recipients": group.recipients, "at": group.first.at}
    verdict = "passed" if status == "sent" else status
    hop = way.add([*trouble, *group.events], after, "Amavis", verdict, decided, **told)
    way.sources |= dict.fromkeys(group.first.leads_to, hop)
    return hop


def verdict_on(way: Way, jobs: Collection[str], queues: Collection[str]) -> Event | None:
    """Amavis's line about one of these jobs of its own, or about what went on under one of these queue ids."""
    judged = (event for event in way.events if event.kind == "judged")
    return next((one for one in judged if one.amavis in jobs or set(one.leads_to) & set(queues)), None)


def verdict_hop(
    way: Way, event: Event, after: Hop | None, recipients: tuple[str, ...], more: Sequence[Event] = ()
) -> Hop:
    fields = event.fields
    verdict, name, hits, bank = fields["verdict"], fields["name"], fields.get("Hits", "-"), fields["bank"]
    held = fields.get("quarantine", "").rpartition("/")[2]
    signed = re.search(r"dkim_sd=[^:,\s]*:([^,\s]+)", fields["rest"])
    took = re.search(r"(\d+) ms$", fields["rest"].strip())
    door = next((one for one in way.events if one.kind == "door" and one.amavis == event.amavis), None)
    words = [
        name,
        f"hits {hits}" if hits != "-" else "",
        f"quarantine {held}" if held else "",
        *(word for action, word in ACTIONS.items() if action in fields["actions"]),
        f"DKIM of {signed[1]}" if signed else "",
        "as one who has logged in" if bank == "ORIGINATING" else "",
        f"filed for {door.fields['author']}, which asks for that (DMARC)" if door else "",
        f"took {took[1]} ms" if took else "",
    ]
    blocked, odd = verdict.startswith("Blocked"), verdict in (*SPAM, "Passed UNCHECKED")
    hop = way.add(
        [*([door] if door else ()), event, *more],
        after,
        "Amavis",
        verdict,
        decisions.at_the_door(door.fields["said"]) if door else decisions.judging(verdict, hits, bank, way.settings),
        what=", ".join(filter(None, words)),
        mood="bad" if blocked else "warn" if odd else "good",
        queue=event.queue,
        recipients=recipients,
        until=event.at,
        held=held,
        at=max(event.at - int(took[1]) / 1000 if took else event.at, after.at if after else 0.0),
    )
    way.sources |= dict.fromkeys([*event.leads_to, f"mail {fields.get('mail_id', '')}"], hop)
    return hop
