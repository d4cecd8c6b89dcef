"""From an id to a passport: search the host's log for its lines, and read the settings that belong to them."""

import re
import shlex
from collections.abc import Sequence

from checks.engine.target import Target
from postmaster.follow import decisions, graph, hops, queue_entries
from postmaster.model import NotFound, Passport
from postmaster.read import events, lines, settings
from postmaster.read.events import Event
from postmaster.read.log import JOURNAL, Log, sections

BEFORE, AFTER = 900, 600  # seconds around what the first search found: a long session; what comes after the folder
WAITING = 6 * 86400  # Postfix gives up after five days
ROUNDS = 4
QUEUE_ID = re.compile(r"[0-9A-Za-z]{6,20}")
ADVICE = """\
The log has a Message-ID only once the envelope was accepted: a message refused at RCPT has none (see below). An old message's
log may be gone. Copy the ID from the message's own headers, with or without < >; a queue id
is in its Received lines and in the bounce. On the host: {journal} | grep -F {word}"""


def passport(target: Target, asked: str, since: str = "") -> Passport:
    """The way of one message, by its Message-ID or one of its queue ids."""
    message_id, queue = understood(asked)
    log = Log(target, since)
    found = log.search([message_id or queue])
    if queue:
        kept = [event for event in events.read(found) if event.queue == queue or queue in event.leads_to]
        ids = [event.message_id for event in kept if event.queue == queue and event.kind == "message-id"]
        message_id = ids[-1] if ids and ids[-1].strip("<>") else ""
        found = [event.line for event in kept]
        if message_id:  # the first station may lie before this queue id
            found += log.search([message_id])
    if not found:
        raise NotFound(missing(log, asked, message_id or queue))
    window = (min(line.at for line in found) - BEFORE, max(line.at for line in found) + AFTER)
    followed(log, message_id, queue, window)
    if window[1] < log.now and waits(log.everything(), message_id, queue):  # it was deferred: look on
        log.asked.clear()
        window = (window[0], window[1] + WAITING)
        followed(log, message_id, queue, window)
    if not log.source.startswith("the journal"):
        log.again(window)
    told = log.everything()
    found_hops, notes = graph.build(told, host_settings(target, told), queue, message_id)
    if not found_hops:
        raise NotFound(missing(log, asked, message_id or queue))
    return Passport(asked, message_id, target.hostname, log.source, found_hops, notes)


def followed(log: Log, message_id: str, queue: str, window: tuple[float, float]) -> None:
    """From one id to the next, until no new one comes."""
    for _ in range(ROUNDS):
        if not log.search(further(log.everything(), message_id, queue), window):
            return


def waits(told: Sequence[Event], message_id: str, queue: str) -> bool:
    """Whether the message is still in the queue."""
    return any(not entry.of("removed") for entry in queue_entries.chosen(queue_entries.of(told), message_id, queue))


def understood(asked: str) -> tuple[str, str]:
    """(Message-ID, "") or ("", queue id)."""
    word = re.sub(r"^message-id:\s*", "", asked.strip(), flags=re.IGNORECASE)
    if QUEUE_ID.fullmatch(word):
        return "", word
    if not word or len(word) > 990 or re.search(r"[\s\x00-\x1f]", word):
        raise NotFound(
            f"{asked!r} is neither a Message-ID (<something@somewhere>) nor a queue id (letters and digits)."
        )
    return f"<{word.strip('<>')}>", ""


def further(told: Sequence[Event], message_id: str, queue: str) -> set[str]:
    """The ids that lead to more lines: queue ids, Amavis's, Dovecot's sessions, the smtpd process of the first hour."""
    known = {event.queue for event in told if event.message_id == message_id and event.queue} if message_id else {queue}
    for event in told if not message_id else ():  # without a Message-ID only Postfix's word tells what follows
        if event.queue in known and event.line.by_postfix:
            known |= set(event.leads_to)
    words: set[str] = set()
    for event in told:
        named = event.line.text if event.amavis and not event.line.by_postfix else ""
        ours = event.queue in known or bool(message_id and event.message_id == message_id)
        if not ours and not (named and any(one in named for one in {message_id, *known} - {""})):
            continue
        words |= {event.queue, event.amavis, event.session.partition(":")[0], *event.leads_to} - {"", "NOQUEUE"}
        if event.kind == "client":
            words |= {event.fields.get("orig_queue_id", ""), f"{event.line.process}: "}
        if event.kind == "judged" and "quarantine" in event.fields:
            words.add(event.fields["mail_id"])
    # before the queue there is no queue id: smtpd's answer names Amavis's job or what became of it
    words |= {
        f"{event.line.process}: "
        for event in told
        if event.kind.startswith("proxy-") and (event.amavis in words or set(event.leads_to) & words)
    }
    return words - {""}


def host_settings(target: Target, told: Sequence[Event]) -> settings.Settings:
    """The settings as they are now, and the transport of each domain that mail was delivered to."""
    by_domain: dict[str, str] = {}
    for event in told:
        if event.kind == "delivery" and not decisions.filtering(event.fields["relay"]):
            by_domain.setdefault(event.fields["to"].rpartition("@")[2], event.fields["to"])
    lookups = "".join(
        f"for map in $(postconf -xh transport_maps | tr , ' '); do row=$(timeout 5 postmap -q {shlex.quote(address)} $map) "
        f'&& echo {shlex.quote(domain)} "$row" && break; done 2>/dev/null\n'
        for domain, address in list(by_domain.items())[:5]
    )
    script = f"{settings.SCRIPT}echo '--- transports'\n{lookups}true"
    return settings.read(sections(target.shell(script, timeout=30)))


def missing(log: Log, asked: str, word: str) -> str:
    """The answer to an unknown id: id, places, advice, and the latest refusals, which leave no Message-ID."""
    where = f"the journal (facility mail{f', since {log.since}' if log.since else ''}{f', from {log.oldest} on' if log.oldest else ''})"
    day = (log.now - 86400, log.now + 60)
    found = events.read(log.search(["NOQUEUE: reject", "proxy-reject: "], day))
    refused = [f"  {lines.clock(e.at, date=True)[:19]}  {hops.short(e.fields['rest'], 150)}" for e in found[-5:]]
    text = f"No line of the log has {asked}.\nSearched on {log.target.hostname}: {where}, then /var/log/mail.log* and maillog*.\n"
    if not log.root:
        text += "The SSH user there is not root, and may see only the lines of his own in the journal.\n"
    text += ADVICE.format(journal=JOURNAL, word=shlex.quote(word))
    if refused:
        text += "\n".join(["\nRefused in the last 24 hours, before any queue id (UTC):", *refused])
    return text
