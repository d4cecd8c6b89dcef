"""How long mail takes end to end after something died: by a stranger on 25 and by a user on 587, until it is read by IMAP."""

from __future__ import annotations

import smtplib
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from imapclient.exceptions import IMAPClientError

from checks.clients.mail import imap
from checks.engine.target import Target
from checks.engine.verdicts import Failed
from tests.faults.letters import MARK, Letter, write
from tests.faults.sender import attempt

AGAIN = 0.5  # seconds: an impatient sender, but not one of more than 60 logins a minute, whom Postfix refuses
GONE = (OSError, smtplib.SMTPException, IMAPClientError, Failed)


@dataclass
class Flow:
    """One letter each way, begun at the same moment: `taken` and `read` are seconds after it, None for never."""

    letters: tuple[Letter, ...]
    taken: list[float | None] = field(default_factory=list)
    read: list[float | None] = field(default_factory=list)

    @property
    def seconds(self) -> float | None:
        """Until both were read."""
        return None if None in self.read else max(one for one in self.read if one is not None)


def flow(target: Target, patience: float) -> Flow:
    """A stranger's letter to foo and foo's to bar, tried again until they are taken, and read by a new login."""
    (foo, _), (bar, _) = target.account(0), target.account(1)
    number = time.monotonic_ns() % 100_000
    made = Flow((write(foo, number), write(bar, number + 1, 0, foo)))
    begun = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        for taken, read in pool.map(
            lambda reader: _follow(target, reader, made.letters[reader], begun, patience), range(len(made.letters))
        ):
            made.taken.append(taken)
            made.read.append(read)
    return made


def _follow(
    target: Target, reader: int, letter: Letter, begun: float, patience: float
) -> tuple[float | None, float | None]:
    taken = None
    while time.monotonic() - begun < patience:
        with suppress(*GONE):
            if taken is None:
                attempt(target, letter)
                taken = time.monotonic() - begun if letter.accepted else None
            if taken is not None and _there(target, reader, letter):
                return taken, time.monotonic() - begun
        time.sleep(AGAIN)
    return taken, None


def _there(target: Target, reader: int, letter: Letter) -> bool:
    with imap(target, reader, port=993) as client:
        client.select_folder("INBOX", readonly=True)
        return bool(client.search(["HEADER", MARK.decode().rstrip(": "), letter.mark]))
