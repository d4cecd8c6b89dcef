"""What one line of the log says, in a few words. The formats are those of Postfix 3.5 to 3.10, Amavis 2.12 and 2.13, Dovecot 2.3 and 2.4.

Postfix and Amavis name a message by ids of their own; an Event gathers every id that its line carries.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from postmaster.read.lines import Line

QUEUE = r"[0-9A-Za-z]{6,20}"  # short ids are hexadecimal, long ones (enable_long_queue_ids) are not
# Before the queue, the answer to a filtered message comes with or without NOQUEUE in front.
BY_QUEUE = re.compile(rf"(?:(?P<queue>{QUEUE}|NOQUEUE): |(?=proxy-))(?P<rest>.*)", re.DOTALL)
# What a line of Postfix's says: by which daemon ("": any), in which words, and the kind of event; named groups are its fields.
BY_POSTFIX = (
    ("cleanup", r"message-id=(?P<message_id>.*)", "message-id"),
    ("cleanup", r"resent-message-id=(?P<message_id>.*)", "resent"),
    ("cleanup", r"(reject|milter-reject):", ""),
    ("smtpd", r"client=", "client"),
    ("smtpd", r"(reject|milter-reject|proxy-accept|proxy-reject)", ""),
    ("pickup", r"", "pickup"),
    ("qmgr", r"from=.*queue active", "active"),
    ("qmgr", r"from=", "expired"),
    ("qmgr", r"removed$", "removed"),
    ("", r"to=<(?P<to>[^>]*)>, (?:orig_to=<(?P<orig>[^>]*)>, )?relay=(?P<relay>[^,]+),.* "
         r"status=(?P<status>\w+) \((?P<reply>.*)\)$", "delivery"),
    ("", rf".*?(?P<kind>non-delivery|delay|delivery status) notification: (?P<queue>{QUEUE})", "notification"),
)  # fmt: skip
QUEUED_AS = re.compile(rf"(?:queued as|queued_as:|forwarded as) ({QUEUE}(?:[/,]{QUEUE})*)")
AMAVIS_ID = re.compile(r"\bid=((?:rel-)?[\w-]+)")
BY_AMAVIS = re.compile(r"\((?P<id>\d[\w-]*|rel-[\w-]+)\) (?P<rest>.*)", re.DOTALL)
JUDGED = re.compile(
    r"(?P<verdict>(?:Passed|Blocked) [A-Z][A-Z-]*)(?:-\d)?(?: \((?P<name>.*?)\))?(?: \{(?P<actions>[^}]*)\})?, "
)
BY_LMTP = re.compile(r"lmtp\((?P<user>[^)]*)\)<\d+><(?P<session>[^>]+)>: (?P<rest>.*)", re.DOTALL)
SAVED_BY = re.compile(r"<[^>]*> (?P<session>\S+) Saved")


@dataclass
class Event:
    """What a line says, and the ids that it carries; "" where it has none of that kind."""

    line: Line
    kind: str  # client, message-id, active, delivery, removed, judged, trouble, sieve, …
    queue: str = ""
    message_id: str = ""
    amavis: str = ""  # Amavis's own id of the job: 14834-03
    session: str = ""  # Dovecot's LMTP session
    leads_to: tuple[str, ...] = ()  # queue ids that come after
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def at(self) -> float:
        return self.line.at


def read(lines: Iterable[Line]) -> list[Event]:
    """The events of these lines, without those that say nothing about a message or its connection."""
    return [event for line in lines if (event := understood(line))]


def understood(line: Line) -> Event | None:
    if line.program.startswith("amavis"):
        return of_amavis(line)
    if line.program.startswith("dovecot"):
        return of_dovecot(line)
    return of_postfix(line) if line.by_postfix else None


def of_postfix(line: Line) -> Event | None:
    match = BY_QUEUE.match(line.text)
    if not match:
        if line.daemon == "smtpd" and " TLS connection established from " in line.text:
            return Event(line, "tls", fields={"tls": line.text.partition(": ")[2]})
        return Event(line, "connect") if line.daemon == "smtpd" and line.text.startswith("connect from") else None
    queue, rest = match["queue"] or "NOQUEUE", match["rest"]
    event = Event(line, "other", queue, leads_to=leading(rest), fields={"rest": rest})
    for daemon, words, kind in BY_POSTFIX:
        if daemon in ("", line.daemon) and (found := re.match(words, rest, re.DOTALL)):
            event.kind = kind or found[1]
            event.fields |= {key: value or "" for key, value in found.groupdict().items()}
            break
    event.message_id = event.fields.pop("message_id", "")
    if event.kind == "client":
        event.fields.update(re.findall(r"(\w+)=([^,\s]*)", rest))
    elif line.daemon == "qmgr":
        event.fields.update(re.findall(r"(from|size|nrcpt)=<?([^>,\s]*)", rest))
    said = event.fields.get("reply", "")
    event.session = (SAVED_BY.search(said) or {"session": ""})["session"]
    event.amavis = (AMAVIS_ID.search(rest if event.kind.endswith(("reject", "accept")) else said) or ("", ""))[1]
    return event


def of_amavis(line: Line) -> Event | None:
    match = BY_AMAVIS.match(line.text)
    if not match:
        return None
    rest = match["rest"]
    event = Event(line, "other", amavis=match["id"], leads_to=leading(rest), fields={"rest": rest})
    if found := JUDGED.match(rest):
        event.kind = "judged"
        event.fields.update({key: value or "" for key, value in found.groupdict().items()})
        event.fields.update(amavis_fields(rest))
        event.queue = event.fields.pop("Queue-ID", "")
        event.message_id = event.fields.pop("Message-ID", "")
        event.fields["to"] = (re.search(r" -> ((?:<[^>]*>,?)+)", rest) or ("", ""))[1]
    elif found := re.match(r"Quarantined message release.*?: (\S+) (<[^>]*>) -> ((?:<[^>]*>,?)+)", rest):
        event.kind = "released"
        event.fields.update(mail_id=found[1], to=found[3])
    elif found := re.match(r"mailroom door: filed for (\S+(?: \S+)*?): (.*)", rest):
        event.kind = "door"
        event.fields.update(author=found[1], said=found[2])
    elif "TROUBLE" in rest or "ALL VIRUS SCANNERS FAILED" in rest:
        event.kind = "trouble"
    return event


def amavis_fields(rest: str) -> dict[str, str]:
    """quarantine, Queue-ID, Message-ID, mail_id, Hits and so on of Amavis's own line about a message."""
    found = dict(re.findall(r", ([A-Za-z_-]+): (<[^>]*>|[^,\s]+)", rest))
    # the policy banks that were loaded, in front of the client's address: "ORIGINATING LOCAL [198.18.0.1]"
    banks = re.search(r"[},] ((?:[A-Z][\w.-]* )+)[\[<]", rest)
    found["bank"] = banks[1].split(" ")[0] if banks else ""
    return found


def of_dovecot(line: Line) -> Event | None:
    match = BY_LMTP.match(line.text)
    if not match:
        return None
    rest = match["rest"]
    event = Event(line, "lmtp", session=match["session"], fields={"user": match["user"], "rest": rest})
    if found := re.search(r"msgid=(<[^>]*>|[^:]*): (.*)", rest, re.DOTALL):
        event.message_id, said = found[1].strip(), found[2]
        event.kind = "sieve" if rest.startswith("sieve:") else "saved"
        event.fields["said"] = said
        if folder := re.search(r"(?:stored mail into mailbox|saved mail to) '?([^'\n]+)'?", said):
            event.fields["folder"] = folder[1]
    return event


def leading(rest: str) -> tuple[str, ...]:
    """The queue ids under which the message goes on."""
    return tuple(dict.fromkeys(one for found in QUEUED_AS.findall(rest) for one in re.split("[/,]", found)))
