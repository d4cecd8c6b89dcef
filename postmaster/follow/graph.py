"""Events of one message into a passport: which hop follows which."""

import re
from collections.abc import Sequence

from postmaster.follow import decisions, deliveries, queue_entries
from postmaster.follow.decisions import Decided
from postmaster.follow.hops import Way
from postmaster.follow.queue_entries import QueueEntry
from postmaster.model import Hop
from postmaster.read.events import Event
from postmaster.read.settings import Settings

REDIRECTED = 5.0  # seconds between Sieve's redirect and the pickup of what it wrote


def build(events: Sequence[Event], settings: Settings, asked: str, message_id: str) -> tuple[list[Hop], list[str]]:
    """The hops in the order of time, and notes for the reader."""
    every = queue_entries.of(events)
    chosen = queue_entries.chosen(every, message_id, asked)
    jobs = {event.amavis for event in events if event.kind in ("judged", "trouble") and ours(event, chosen, message_id)}
    way = Way([event for event in events if event.kind != "judged" or event.amavis in jobs], settings)
    for event in way.events:
        if event.kind in ("proxy-accept", "proxy-reject") and (event.amavis in jobs or leads(event, chosen)):
            before_the_queue(way, event)
    for entry in chosen:
        after = source(way, entry)
        queued(way, entry, way.received(entry, after))
    return in_time(way.hops), notes(chosen, every, asked, way.hops)


def ours(event: Event, chosen: Sequence[QueueEntry], message_id: str) -> bool:
    same = bool(message_id) and event.message_id == message_id
    return same or any(event.queue == entry.queue for entry in chosen)


def leads(event: Event, chosen: Sequence[QueueEntry]) -> bool:
    return any(entry.queue in event.leads_to for entry in chosen)


def before_the_queue(way: Way, end: Event) -> None:
    """smtpd_proxy_filter: Amavis answers while the sender waits; a queue id comes only after it."""
    said = [event for event in way.events if event.at <= end.at and event.line.process == end.line.process]
    client = next((event for event in reversed(said) if event.kind == "client"), None)
    hop = way.greeted(client, queue_entries.greeting(way.events, client), None) if client else None
    decided = Decided(way.settings.of_service(end.line.service, "smtpd_proxy_filter"), 3, "filter")
    if hop:
        hop.verdict, hop.setting, hop.chapter, hop.step = "asks Amavis first", decided.setting, 3, "filter"
    if judged := deliveries.verdict_on(way, {end.amavis}, end.leads_to):
        hop = deliveries.verdict_hop(way, judged, hop, tuple(re.findall("<([^>]*)>", judged.fields["to"])))
    if end.kind == "proxy-reject":
        way.refused(end, hop, decided)
    if hop:
        way.sources |= dict.fromkeys(end.leads_to, hop)


def source(way: Way, entry: QueueEntry) -> Hop | None:
    """The hop from which this queue id came; None if it came from outside."""
    if found := way.sources.get(entry.queue):
        return found
    if resent := entry.first("resent"):
        for event in way.events:
            held = event.fields.get("mail_id", "")
            if event.kind == "released" and f"<{held}-{event.amavis.removeprefix('rel-')}@" in resent.message_id:
                after = way.sources.get(f"mail {held}")
                decided = Decided("amavisd-release, by the postmaster", 3, "quarantine")
                return way.add([event], after, "Quarantine", "released", decided, what=held, mood="warn", queue="")
    client = entry.first("client")
    if client and (origin := client.fields.get("orig_queue_id")):
        before = [hop for hop in way.hops if hop.queue == origin]
        return before[-1] if before else None
    if entry.first("pickup"):
        for hop in way.hops:
            if hop.verdict.startswith("redirect") and abs(hop.at - entry.at) < REDIRECTED:
                return hop
    return None


def queued(way: Way, entry: QueueEntry, after: Hop) -> None:
    """The queue manager's attempts. A failure that repeats is one hop with a count."""
    attempts = entry.of("active")
    known: dict[tuple[str, ...], Hop] = {}
    for number, attempt in enumerate(attempts):
        until = attempts[number + 1].at if number + 1 < len(attempts) else float("inf")
        # a retry may be logged a moment before its predecessor's outcome: the clock of another process
        groups = deliveries.grouped([event for event in entry.of("delivery") if attempt.at <= event.at < until])
        if number and groups and all(group.key in known for group in groups):
            for group in groups:
                again = known[group.key]
                again.times, again.until = again.times + 1, group.events[-1].at
                again.lines += [str(event.line) for event in group.events]
            continue
        waiting = [hop for hop in known.values() if hop.verdict == "deferred"]
        manager = managed(way, entry, attempt, groups, waiting[-1] if number and waiting else after, number)
        known = {group.key: deliveries.delivered(way, group, manager) for group in groups}
    way.ended(entry, (known and list(known.values())[-1]) or after)


def managed(
    way: Way, entry: QueueEntry, attempt: Event, groups: Sequence[deliveries.Group], after: Hop, number: int
) -> Hop:
    relays = [group.first.fields["relay"] for group in groups]
    domains = list(dict.fromkeys(one.rpartition("@")[2] for group in groups for one in group.recipients))
    client = entry.first("client")
    service = client.line.service if client else "pickup" if entry.first("pickup") else ""
    decided = decisions.routing(relays, [group.first.line.daemon for group in groups], domains, service, way.settings)
    count = int(attempt.fields.get("nrcpt") or 0)
    what = f"{attempt.fields.get('size', '?')} bytes, {count} recipient{'s' if count != 1 else ''}"
    verdict = "queued" if not number else f"tried again ({number + 1}.)"
    if not groups:
        verdict, what = "waits", what + ", nobody has it yet"
    return way.add([attempt], after, "Postfix qmgr", verdict, decided, what=what)


def in_time(hops: list[Hop]) -> list[Hop]:
    """Numbered anew in the order of time; each hop comes after its predecessor."""
    order = sorted(hops, key=lambda hop: (hop.at, hop.number))
    placed: list[Hop] = []
    while order:  # clocks of processes differ by microseconds: what follows stays behind
        hop = next(one for one in order if one.after is None or any(one.after == other.number for other in placed))
        order.remove(hop)
        placed.append(hop)
    new = {hop.number: number for number, hop in enumerate(placed, 1)}
    for hop in placed:
        hop.number, hop.after = new[hop.number], new[hop.after] if hop.after else None
    return placed


def notes(chosen: Sequence[QueueEntry], every: Sequence[QueueEntry], asked: str, hops: Sequence[Hop]) -> list[str]:
    ways = sum(hop.after is None for hop in hops)
    others = sum(entry.queue == asked and entry not in chosen for entry in every)
    found = [f"It came in {ways} times under this Message-ID."] if ways > 1 else []
    if others:
        more = f"{others} other message{'s' if others > 1 else ''}"
        found.append(f"The queue id {asked} was used by {more} too; this is the latest.")
    return found
