"""Conversations as an attacker has them: bytes on the wire, from the lab's client, and what became of them."""

from __future__ import annotations

import base64
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from itertools import islice
from typing import Any, TypeVar
from uuid import uuid4

from checks.engine.target import Target
from lab import Host
from tests.live import traffic

FOO, BAR = "foo@example.test", "bar@example.test"
STRANGER, OUTSIDE = "stranger@example.net", "somebody@example.org"
T = TypeVar("T")
DOORS = {25: "", 587: "starttls", 465: "wrapped"}


class Wire:
    """A connection to the server that sends what it is told, byte by byte. A closed one reads as ""."""

    def __init__(self, target: Target, port: int, tls: str = "", patience: float = 15) -> None:
        host, local = target.vantage.endpoint(target.address, port)
        self.socket: socket.socket = socket.create_connection((host, local), patience)
        self.left = b""
        if tls == "wrapped":
            self.wrap()
        self.greeting = self.line()
        assert self.greeting, f"port {port} does not greet: is the server up?"
        if tls == "starttls":
            self.ask("EHLO client.example.net")
            self.ask("STARTTLS")
            self.wrap()

    def wrap(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)

    def put(self, data: bytes) -> None:
        with suppress(OSError):
            self.socket.sendall(data)

    def line(self) -> str:
        """The next line, without its end."""
        while b"\n" not in self.left:
            try:
                piece = self.socket.recv(65536)
            except OSError:
                piece = b""
            if not piece:
                line, self.left = self.left, b""
                return line.decode(errors="replace")
            self.left += piece
        line, _, self.left = self.left.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    def reply(self) -> str:
        """An SMTP reply, its lines joined."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return " ".join(lines)

    def ask(self, line: str | bytes) -> str:
        self.put((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self.reply()

    def tagged(self, line: str | bytes, tag: str = "a") -> str:
        """The answer to an IMAP command, its untagged lines included."""
        self.put(f"{tag} ".encode() + (line.encode() if isinstance(line, str) else line) + b"\r\n")
        lines = [self.line()]
        while lines[-1] and not lines[-1].startswith((f"{tag} ", "+ ")):
            lines.append(self.line())
        return "\n".join(lines)

    def rest(self, seconds: float = 2) -> str:
        """Everything that comes within so many seconds."""
        self.socket.settimeout(seconds)
        lines = []
        while line := self.line():
            lines.append(line)
        return "\n".join(lines)

    def close(self) -> None:
        with suppress(OSError):
            self.socket.close()


@contextmanager
def wire(target: Target, port: int, tls: str | None = None, patience: float = 15) -> Iterator[Wire]:
    """A connection, with the TLS that is usual at the door unless told otherwise."""
    opened = Wire(target, port, DOORS.get(port, "") if tls is None else tls, patience)
    try:
        yield opened
    finally:
        opened.close()


def plain(user: str, password: str) -> str:
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def log_in(session: Wire, target: Target, number: int = 0) -> None:
    user, password = target.account(number)
    session.ask("EHLO client.example.net")
    for _ in range(8):  # Postfix weighs so many logins a minute from one address
        reply = session.ask(f"AUTH PLAIN {plain(user, password)}")
        if "too many AUTH" not in reply:
            break
        time.sleep(10)
    assert reply.startswith("235"), reply


def letter(*fields: tuple[str, str], sender: str = FOO, to: str = BAR, text: str = "A letter.") -> tuple[str, bytes]:
    """A letter as it goes over the wire, and its mark. A field given here stands in the place of ours."""
    mark = uuid4().hex
    given = {name.lower().strip() for name, _ in fields}
    ours = [("From", sender), ("To", to), ("Subject", f"A letter, {mark[:8]}")]
    ours += [("Date", formatdate()), ("Message-ID", f"<{mark}@example.net>")]
    lines = [f"{name}: {value}" for name, value in ours if name.lower() not in given]
    lines += [f"{name}: {value}" for name, value in fields if value is not None]
    return mark, ("\r\n".join(lines) + f"\r\n\r\n{text}\r\n").encode("utf-8", "surrogateescape")


def hand_over(session: Wire, sender: str, to: str, content: bytes) -> str:
    """A whole transaction: the first refusal, or the reply to the letter. An address in <> is sent as it is."""
    for command in (f"MAIL FROM:{bracketed(sender)}", f"RCPT TO:{bracketed(to)}", "DATA"):
        reply = session.ask(command)
        if not reply.startswith(("2", "3")):
            session.ask("RSET")
            return reply
    session.put(content + b".\r\n")
    return session.reply()


def batched(every: Iterable[T], size: int) -> Iterator[list[T]]:
    """The same, in lists of so many (itertools has it from Python 3.12 on)."""
    there = iter(every)
    while some := list(islice(there, size)):
        yield some


def side_by_side(do: Callable[..., object], cases: Iterable[tuple[Any, ...]]) -> None:
    """Do it with each of these at once: a server makes who fails wait, and the waiting is not what is tested."""
    given = list(cases)
    with ThreadPoolExecutor(max_workers=len(given)) as pool:
        list(pool.map(lambda case: do(*case), given))


def bracketed(address: str) -> str:
    return address if address.startswith("<") else f"<{address}>"


@dataclass
class Family:
    """One kind of attack: what was tried, and by which of its members somebody got in."""

    tried: int = 0
    got_in: list[str] = field(default_factory=list)

    def judge(self, name: str, got_in: bool, evidence: str = "") -> None:
        self.tried += 1
        if got_in:
            self.got_in.append(f"{name}: {evidence}".strip(": "))

    def count(self, count: Callable[..., None], name: str, suite: str) -> None:
        """Into the report first; then it has to be nobody."""
        inside = len(self.got_in)
        count("attacks", name, suite, tried=self.tried, refused=self.tried - inside, got_in=inside)
        assert self.tried
        assert not self.got_in, "\n".join(self.got_in)


def arrived(host: Host, world: Host, marks: Iterable[str], patience: float = 30) -> dict[str, list[str]]:
    """Where each letter ended once nothing is on its way any more: mailboxes here, and everything out there."""
    traffic.settled(world, host, patience=patience)  # in both directions: a letter may be between the two looks
    traffic.settled(host, world, patience=patience)
    time.sleep(0.3)  # the last one leaves the queue a moment before its file has its name
    wanted = list(marks)
    here = traffic.places(host, wanted)
    there = traffic.places(world, wanted, "/var/mail")
    return {mark: here[mark] + [f"world:{path}" for path in there[mark]] for mark in wanted}


@contextmanager
def broken(host: Host, done: str) -> Iterator[None]:
    """Postfix broken on purpose by a shell line, and put back."""
    host.run(
        f"rm -rf /root/kept; mkdir /root/kept; cp -a /etc/postfix /root/kept; {done}; postfix reload 2>/dev/null; sleep 1"
    )
    try:
        yield
    finally:
        host.run("rm -rf /etc/postfix; cp -a /root/kept/* /etc; postfix reload 2>/dev/null; sleep 1")
