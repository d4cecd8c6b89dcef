"""A passport: the hops of one message, as a tree that branches where its recipients part."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

PASSING = ("Postfix cleanup", "Postfix qmgr", "Postfix pickup", "Re-injection", "Amavis", "Dovecot LMTP")
# Where a message is after each verdict. "delivered" without a folder: on another server.
ENDS = {
    "deferred": "queue",
    "delay notification": "queue",
    "non-delivery notification": "bounced",
    "delivered": "elsewhere",
}
Mood = Literal["good", "warn", "bad"]


class NotFound(Exception):
    """No such message, or no such thing in quarantine: what was looked for, where, and what to do."""


@dataclass
class Hop:
    """What happened to the message, or to the copies for some recipients, at one station."""

    number: int
    after: int | None  # the hop before this one; None where the message came in
    at: float  # seconds since 1970
    station: str  # Postfix smtpd, Amavis, Sieve, …
    verdict: str  # accepted, Passed CLEAN, deferred, …
    what: str = ""
    setting: str = ""  # the setting that decided, as it is on the host now
    chapter: int = 0
    step: str = ""
    mood: Mood = "good"
    queue: str = ""  # Postfix's queue id at this station
    recipients: tuple[str, ...] = ()
    until: float = 0.0  # of the last one, where several are told as one
    times: int = 1
    folder: str = ""
    held: str = ""  # its name in quarantine
    lines: list[str] = field(default_factory=list)


@dataclass
class Passport:
    """The way of one message, and where the log that tells it was read."""

    asked: str
    message_id: str
    host: str
    source: str  # which log told it
    hops: list[Hop]
    notes: list[str] = field(default_factory=list)

    @property
    def began(self) -> float:
        return min(hop.at for hop in self.hops)

    def milliseconds(self, hop: Hop) -> float:
        """How long after its beginning."""
        return (hop.at - self.began) * 1000

    def following(self, hop: Hop | None) -> list[Hop]:
        """The hops right after this one; after None those where the message came in."""
        return [one for one in self.hops if one.after == (hop.number if hop else None)]

    def walked(self, hop: Hop | None = None, depth: int = 0) -> Iterator[tuple[int, Hop]]:
        """All hops, each before what follows from it. A lone follower stays at the same depth."""
        after = self.following(hop)
        for one in after:
            yield depth, one
            yield from self.walked(one, depth + (len(self.following(one)) > 1))

    @property
    def ends(self) -> list[Hop]:
        """The hops that nothing follows."""
        return [hop for hop in self.hops if not self.following(hop)]

    @property
    def ended(self) -> bool:
        """Whether no copy is on its way any more: every end is a folder, a refusal, or a wait."""
        return not any(hop.station in PASSING and hop.mood == "good" for hop in self.ends)

    @property
    def places(self) -> list[str]:
        """Where its copies are, each place once: a folder, "queue", "quarantine", "bounced", "elsewhere" or another verdict."""
        return list(dict.fromkeys(filter(None, map(place_of, self.ends))))

    @property
    def folders(self) -> dict[str, list[str]]:
        """Where it ended: {"foo@example.test": ["INBOX"]}."""
        found: dict[str, list[str]] = {}
        for hop in self.hops:
            for one in hop.recipients if hop.folder else ():
                found.setdefault(one, []).append(hop.folder)
        return found

    def log(self) -> list[str]:
        """The log's own lines, each once."""
        return list(dict.fromkeys(line for hop in self.hops for line in hop.lines))

    def as_dict(self) -> dict[str, Any]:
        """The passport for JSON; each hop also with its milliseconds since the first one."""
        about = ("asked", "message_id", "host", "source", "began", "folders", "notes")
        hops = [{**asdict(hop), "milliseconds": round(self.milliseconds(hop), 3)} for hop in self.hops]
        return {**{name: getattr(self, name) for name in about}, "hops": hops}


def clipped(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def place_of(hop: Hop) -> str:
    """The place of a message after this last hop; "" where there is no copy, as after a vacation answer."""
    if hop.folder or hop.held:
        return hop.folder or "quarantine"
    if hop.station in PASSING and hop.mood == "good":
        return "queue"
    return ENDS.get(hop.verdict, hop.verdict if hop.mood == "bad" else "")
