"""A sending server of ours: it writes letters at a steady pace, tries again as a real one does, and keeps the books.

Its connections start on another lab host, so that it outlives the mail host and is a stranger to it.
"""

from __future__ import annotations

import itertools
import smtplib
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from checks.clients.mail import said, smtp
from checks.engine.target import Target
from lab import Host
from tests.faults.letters import Letter, write

CONNECTIONS = 3
WAITING = "find /var/spool/postfix/incoming /var/spool/postfix/active /var/spool/postfix/deferred -type f | wc -l"
AGAIN = 1.0  # seconds to the next attempt; real servers take minutes, and the suite has none


def attempt(target: Target, letter: Letter) -> None:
    """One attempt. What the server said stands in the letter; a lost connection raises OSError or SMTPException."""
    letter.tries += 1
    dotted = smtplib._quote_periods(letter.data)  # type: ignore[attr-defined]
    with smtp(target, 25 if letter.account is None else 587) as session:
        if letter.account is not None:
            session.login(*target.account(letter.account))
        for command in (f"MAIL FROM:<{letter.sender}>", f"RCPT TO:<{letter.to}>", "DATA"):
            code, text = session.docmd(command)
            if code >= 500:
                letter.refused = f"{command}: {said((code, text))}"
            if code >= 400:
                return
        session.send(dotted)
        letter.unknown += 1  # until there is a reply
        session.send(b".\r\n")
        code, text = session.getreply()
        letter.unknown -= 1
        if code == 250:
            letter.accepted += 1
        elif code >= 500:
            letter.refused = said((code, text))


def deliver(target: Target, letter: Letter, patience: float) -> bool:
    """Try until the server has said yes or no; whether it said yes."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            attempt(target, letter)
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code == 535:
                letter.refused = str(error)
        except (OSError, smtplib.SMTPException):
            pass
        if letter.accepted or letter.refused:
            break
        time.sleep(AGAIN)
    return bool(letter.accepted)


class Traffic:
    """Letters, so many a second at most, by several connections at once, until it is stopped.

    While the mail host has `most` letters in its queue, no new ones are written: what is measured is the fault, and not how
    many messages a second this machine can scan.
    """

    def __init__(self, target: Target, host: Host, pace: float = 5, most: int = 4, patience: float = 120) -> None:
        self.target, self.pace, self.patience = target, pace, patience
        self.host = Host(host.name, host.record, host.folder)  # a connection of its own
        self.most, self.queued = most, 0
        self.letters: list[Letter] = []
        self.phase = "before any fault"
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._next = time.monotonic()
        works = [self._watch, *[self._work] * CONNECTIONS]
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """No new letters; those on the way are tried to the end of their patience."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.host.close()

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            try:
                self.queued = int(self.host.run(WAITING, timeout=5).stdout)
            except Exception:  # it is down: its door says so too
                self.queued = 0

    def _work(self) -> None:
        while (wait := self._turn()) is not None:
            if self._stop.wait(wait):
                return
            if self.queued < self.most:
                deliver(self.target, self.new(next(self._numbers)), self.patience)

    def _turn(self) -> float | None:
        """Seconds until this connection's next letter."""
        with self._lock:
            now = time.monotonic()
            self._next = max(self._next + 1 / self.pace, now)
            return None if self._stop.is_set() else self._next - now

    def new(self, number: int) -> Letter:
        """Strangers write to both accounts; every fourth letter is foo's to bar, by submission."""
        (foo, _), (bar, _) = self.target.account(0), self.target.account(1)
        letter = write(bar, number, 0, foo) if number % 4 == 3 else write((foo, bar)[number % 2], number)
        letter.phase = self.phase
        with self._lock:
            self.letters.append(letter)
        return letter


def until(look: Callable[[], bool], patience: float, every: float = 0.2) -> float | None:
    """Seconds until `look` is true, whatever fails meanwhile; None if it never is."""
    begun = time.monotonic()
    while time.monotonic() - begun < patience:
        with suppress(Exception):  # the host may be down: that is no answer yet
            if look():
                return time.monotonic() - begun
        time.sleep(every)
    return None
