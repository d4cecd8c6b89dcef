"""Which lines belong to the message. Short queue ids are reused, a process serves many messages, and a Message-ID may come twice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from postmaster.read.events import Event


@dataclass
class QueueEntry:
    """One message in the queue, from its first line to "removed"."""

    queue: str
    events: list[Event] = field(default_factory=list)
    greeting: list[Event] = field(default_factory=list)  # the same smtpd process before it: connect, TLS

    @property
    def at(self) -> float:
        return self.events[0].at

    @property
    def end(self) -> float:
        return self.events[-1].at

    @property
    def message_id(self) -> str:
        return next((event.message_id for event in self.events if event.kind == "message-id"), "")

    def of(self, *kinds: str) -> list[Event]:
        return [event for event in self.events if event.kind in kinds]

    def first(self, *kinds: str) -> Event | None:
        return next(iter(self.of(*kinds)), None)


def of(events: Sequence[Event]) -> list[QueueEntry]:
    """The entries of each queue id, in the order of time: a short id is reused."""
    alive: dict[str, QueueEntry] = {}
    found: list[QueueEntry] = []
    for event in events:
        if not event.queue or event.queue == "NOQUEUE" or not event.line.by_postfix:
            continue
        entry = alive.get(event.queue)
        # "removed" is the last line; a new client or pickup means that we missed it
        if entry is None or (event.kind in ("client", "pickup") and entry.of("message-id", "removed")):
            entry = alive[event.queue] = QueueEntry(event.queue)
            found.append(entry)
        entry.events.append(event)
        if event.kind == "removed":
            alive.pop(event.queue)
    for entry in found:
        entry.greeting = greeting(events, entry.first("client"))
    return found


def greeting(events: Sequence[Event], client: Event | None) -> list[Event]:
    """The same process's lines about this connection, before the message had a queue id."""
    if client is None:
        return []
    said: list[Event] = []
    for event in events:
        if event is client:
            break
        if event.line.process == client.line.process:
            said = [] if event.kind == "connect" else [*said, event]
    return [event for event in said if event.kind == "tls"]


def chosen(entries: Iterable[QueueEntry], message_id: str, asked: str) -> list[QueueEntry]:
    """The entries with this Message-ID; without one, the latest entry of the queue id, and the entries that follow from it."""
    entries = list(entries)
    if message_id:
        return [entry for entry in entries if entry.message_id == message_id]
    known: list[QueueEntry] = [entry for entry in entries if entry.queue == asked][-1:]
    for entry in known:  # grows while it is walked
        ahead = {one for event in entry.events for one in event.leads_to}
        known += [one for one in entries if one.queue in ahead and one not in known and one.end >= entry.at]
    return sorted(known, key=lambda entry: entry.at)
