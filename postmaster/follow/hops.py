"""From events to hops, one station after another. Pure: lines and settings in, hops out."""

import re
from collections.abc import Sequence
from typing import Any

from postmaster.follow import decisions
from postmaster.follow.decisions import Decided
from postmaster.follow.queue_entries import QueueEntry
from postmaster.model import Hop, Mood, clipped
from postmaster.read.events import Event
from postmaster.read.settings import Settings

SPAM = ("Passed SPAM", "Passed SPAMMY")


class Way:
    """The hops as they are found, and where each id came from."""

    def __init__(self, events: Sequence[Event], settings: Settings) -> None:
        self.events, self.settings = events, settings
        self.hops: list[Hop] = []
        self.sources: dict[str, Hop] = {}  # queue id or Amavis's id: the hop that leads to it
        # the port that Amavis handed each one back to
        self.ports = {
            queue: found[1]
            for event in events
            for queue in event.leads_to
            if (found := re.search(r"MTA\(smtp:\[[^]]*\]:(\d+)\)", event.fields.get("rest", "")))
        }
        self.spam = any(event.fields.get("verdict") in SPAM for event in events)

    def add(
        self, events: Sequence[Event], after: Hop | None, station: str, verdict: str, decided: Decided, **more: Any
    ) -> Hop:
        """The hop that these lines tell of: at the time of the first one, and in the queue of the hop before, if not told."""
        told = {
            "at": events[0].at,
            "until": events[-1].at,
            "queue": after.queue if after else "",
            "lines": [str(event.line) for event in events],
        }
        number = after.number if after else None
        hop = Hop(len(self.hops) + 1, number, station=station, verdict=verdict, **{**told, **vars(decided), **more})
        self.hops.append(hop)
        return hop

    def received(self, entry: QueueEntry, after: Hop | None) -> Hop:
        """smtpd or pickup, then cleanup: a message gets its queue id."""
        event = entry.first("client", "pickup") or entry.events[0]
        fields, service = event.fields, event.line.service
        again = "orig_queue_id" in fields or (after is not None and event.kind == "client")
        if event.kind == "pickup":
            what = "written on this host (sendmail)" if not after else "written by Sieve's redirect"
            decided = Decided("sendmail on this host", 1, "restart")
            hop = self.add([event], after, "Postfix pickup", "taken", decided, what=what)
        elif event.kind == "client" and again:
            port = self.ports.get(entry.queue) or self.settings.port(service)
            decided = Decided(self.settings.of_service(f"127.0.0.1:{port}", "content_filter"), 3, "reinjection")
            what = f"comes back on port {port}, checked"
            hop = self.add([event], after, "Re-injection", f"new queue id {entry.queue}", decided, what=what)
        elif event.kind == "client":
            hop = self.greeted(event, entry.greeting, after)
        else:  # the log begins in the middle
            what = "how it came in is not in the log"
            hop = self.add([event], after, "Postfix", "in the queue", Decided(), what=what)
        hop.queue = entry.queue
        for event in entry.of("reject", "milter-reject"):
            self.refused(event, hop, decisions.refusal(event.fields["rest"], self.settings, service))
        return self.cleaned(entry, hop)

    def refused(self, event: Event, after: Hop | None, decided: Decided) -> Hop:
        """A refusal in the SMTP session: the sending server has to tell its user."""
        rest = event.fields["rest"]
        what, to = short(rest), tuple(re.findall(r" to=<([^>]*)>", rest)[:1])
        return self.add([event], after, "Postfix smtpd", "refused", decided, what=what, mood="bad", recipients=to)

    def greeted(self, event: Event, greeting: Sequence[Event], after: Hop | None) -> Hop:
        fields, service = event.fields, event.line.service
        login = fields.get("sasl_username", "")
        tls = re.search(r"(TLSv[\d.]+)", greeting[-1].fields["tls"]) if greeting else None
        words = [fields["client"], tls[1] if tls else "no TLS", f"logged in as {login}" if login else "no login"]
        decided = decisions.reception(service, login, self.settings)
        name = f"Postfix smtpd, port {self.settings.port(service)}"
        return self.add([*greeting, event], after, name, "accepted", decided, what=", ".join(words), at=event.at)

    def cleaned(self, entry: QueueEntry, hop: Hop) -> Hop:
        """cleanup looks at the headers and expands addresses."""
        events = entry.of("message-id")
        if not events:
            return hop
        rows = dict.fromkeys(
            f"{one.fields['orig']} → {one.fields['to']}"
            for one in entry.of("delivery")
            if one.fields["orig"] and one.line.daemon != "local"
        )
        if rows:
            said = ", ".join(list(rows)[:3]) + (f" and {len(rows) - 3} more" if len(rows) > 3 else "")
            decided = Decided(f"virtual_alias_maps: aliases {said}", 2, "accounts")
            what = f"{len(rows)} address{'es' if len(rows) > 1 else ''} expanded"
        else:
            decided = Decided(self.settings.main("virtual_alias_maps"), 2, "delivery")
            what = "no alias expanded"
            client = entry.first("client")
            port = self.ports.get(entry.queue) if client and hop.station == "Re-injection" else ""
            service = f"127.0.0.1:{port}" if port else client.line.service if client else "pickup"
            override = self.settings.of_service(service, "receive_override_options")
            if "no_address_mappings" in override:
                decided, what = Decided(override, 3, "filter"), "aliases wait until after the filter"
        ident = events[0].message_id.strip("<>")
        verdict = "headers read" if ident else "headers read, no Message-ID"
        return self.add(events[:1], hop, "Postfix cleanup", verdict, decided, what=what)

    def ended(self, entry: QueueEntry, after: Hop) -> None:
        """A message that will not be delivered any more, and the letters about it."""
        for event in entry.of("expired"):
            decided = Decided(self.settings.main("maximal_queue_lifetime"), 1, "restart")
            what = short(event.fields["rest"])
            self.add([event], after, "Postfix qmgr", "expired", decided, what=what, mood="bad")
        for event in entry.of("notification"):
            kind, queue = event.fields["kind"], event.fields["queue"]
            sender = next((one.fields["from"] for one in entry.of("active")), "")
            what = f"a letter to {sender or 'the sender'}, who is on the envelope: passport {queue}"
            self.add([event], after, "Postfix bounce", f"{kind} notification", Decided(), what=what, mood="warn")


def mood_of(status: str) -> Mood:
    return "good" if status == "sent" else "warn" if status == "deferred" else "bad"


def short(text: str, most: int = 200) -> str:
    """A refusal without the addresses and the greeting at its end, which are shown elsewhere."""
    text = text.partition(": ")[2] if text.startswith(("reject", "proxy", "milter")) else text
    return clipped(re.sub(r"; from=<.*", "", text), most)
