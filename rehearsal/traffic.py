"""Letters that arrive while a server is upgraded, and the seconds in which a port of it does not answer.

Strangers' letters come from the lab's world, whose Postfix tries again as any other one does; people's own come by submission, and a
client tries again until its letter is taken.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from uuid import uuid4

from lab import Host

STRANGER = "alice@example.net"
PORTS = (25, 587, 993)
EVERY = 2.0  # seconds between two letters of strangers
OWN = 6.0  # and between two of people's own: Postfix takes 60 logins a minute
LOOK = 0.5  # seconds between two looks at a port
PATIENCE = 3.0  # seconds until a port that says nothing counts as away; a busy host may take one


@dataclass
class Port:
    """How long a port was away: the longest time and all of them, in seconds."""

    number: int
    away: list[float] = field(default_factory=list)
    asked: int = 0

    @property
    def longest(self) -> float:
        return max(self.away, default=0.0)

    @property
    def all(self) -> float:
        return sum(self.away)


@dataclass
class Traffic:
    """What was sent, to whom, by its mark; what nobody took in the end, and how the ports did."""

    sent: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)  # for good, by mark: what was said
    ports: dict[int, Port] = field(default_factory=lambda: {number: Port(number) for number in PORTS})

    def lost(self, places: dict[str, int]) -> list[str]:
        """Marks that are nowhere, of those that somebody took. `places`: how many copies of each there are."""
        return [mark for mark in self.sent if not places.get(mark) and mark not in self.refused]


def letter(sender: str, to: str) -> tuple[str, bytes]:
    """A letter, and the mark in its Message-ID."""
    mark, made = uuid4().hex, EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, f"While you were upgraded, {mark[:8]}"
    made["Date"], made["Message-ID"] = formatdate(), f"<{mark}@{sender.partition('@')[2]}>"
    made.set_content("A letter.\n")
    return mark, made.as_bytes()


@contextmanager
def running(host: Host, world: Host, to: Sequence[str], account: tuple[str, str]) -> Iterator[Traffic]:
    """Letters to these people, from strangers and from this account (address and password), until the block ends."""
    traffic, over = Traffic(), threading.Event()
    with ThreadPoolExecutor(2 + len(PORTS)) as pool:
        workers = [
            pool.submit(strangers, traffic, world, to, over),
            pool.submit(own, traffic, host, to, account, over),
            *(pool.submit(watched, traffic.ports[number], host, over) for number in PORTS),
        ]
        try:
            yield traffic
        finally:
            over.set()
    for one in workers:
        one.result()  # a worker that ended early has proven nothing: its error is this rehearsal's
    world.run("postqueue -f")


def strangers(traffic: Traffic, world: Host, to: Sequence[str], over: threading.Event) -> None:
    """Handed to the world's Postfix, which brings them; what it has put off it tries again at once, as if its time had come."""
    number = 0
    while not over.wait(EVERY):
        person = to[number % len(to)]
        mark, text = letter(STRANGER, person)
        world.run(["sendmail", "-f", STRANGER, person], stdin=text.decode())
        traffic.sent[mark] = person
        number += 1
        if number % 5 == 0:
            world.run("postqueue -f")


def own(traffic: Traffic, host: Host, to: Sequence[str], account: tuple[str, str], over: threading.Event) -> None:
    """By submission; a letter that is not taken is tried again until it is."""
    number = 0
    while not over.wait(OWN):
        person = to[number % len(to)]
        mark, text = letter(account[0], person)
        number += 1
        while True:
            try:
                submit(host, account, person, text)
                traffic.sent[mark] = person
                break
            except smtplib.SMTPResponseException as said:
                if said.smtp_code >= 500:
                    traffic.sent[mark] = person
                    traffic.refused[mark] = f"{said.smtp_code} {said.smtp_error!r}"
                    break
            except (OSError, smtplib.SMTPException) as error:
                if isinstance(error, smtplib.SMTPRecipientsRefused) and any(
                    code >= 500 for code, _ in error.recipients.values()
                ):
                    traffic.sent[mark] = person
                    traffic.refused[mark] = str(error.recipients)
                    break
            if over.wait(OWN):
                traffic.sent[mark] = person  # it may have been taken, and the answer lost
                traffic.refused[mark] = "it was not taken before the end"
                return


def submit(host: Host, account: tuple[str, str], to: str, text: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", host.record["ports"]["587"], timeout=20) as client:
        client.starttls(context=careless())
        client.login(*account)
        client.sendmail(account[0], [to], text)


def careless() -> ssl.SSLContext:
    """TLS with whatever certificate: whose it is, the checks ask."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def watched(port: Port, host: Host, over: threading.Event) -> None:
    """Note how long the port was away each time it was. An answer is a greeting, on 993 inside TLS."""
    answered, here = time.monotonic(), True  # away since its last answer
    while not over.wait(LOOK):
        now = time.monotonic()
        port.asked += 1
        if greets(host.record["ports"][str(port.number)], port.number):
            if not here:
                port.away.append(now - answered)
            answered, here = now, True
        else:
            here = False
    if not here:
        port.away.append(time.monotonic() - answered)


def greets(where: int, number: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", where), timeout=PATIENCE) as plain:
            client = careless().wrap_socket(plain) if number == 993 else plain
            answer = client.recv(64)
            with suppress(OSError):
                client.sendall(b"x LOGOUT\r\n" if number == 993 else b"QUIT\r\n")
                client.recv(64)
            return answer.startswith((b"220 ", b"* OK"))
    except OSError:
        return False
