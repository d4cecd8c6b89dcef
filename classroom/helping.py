"""reset, rewind and catch-up: one learner's host is put somewhere else, and no other host is touched."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from classroom import folder
from classroom.hub import telling
from classroom.people import Learner
from lab import names, snapshots

AT_ONCE = os.cpu_count() or 2  # a step keeps a core busy on this machine, for each host


@dataclass
class Helped:
    """What became of one learner's host, and what was said about it."""

    name: str
    ok: bool
    seconds: float
    said: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"seconds": round(self.seconds, 1)}


def reset(learner: Learner) -> Helped:
    """A bare host, as it came. The domain, the key, the passwords and the kept states stay."""
    begun = time.monotonic()
    snapshots.rewind(learner.name, snapshots.BARE)
    telling.tell()  # it has another key
    said = f"{learner.name} is bare: before the first step. Its domain, key and passwords are as they were."
    return Helped(learner.name, True, time.monotonic() - begun, said)


def rewind(learner: Learner, step: str) -> Helped:
    """The host as it was right after a step. What came later is lost."""
    done = program(learner, "notebooks.rewind", learner.name, step)
    telling.tell()
    return done


def catch_up(learners: Sequence[Learner], wanted: str, tell: Callable[[Helped], None]) -> list[Helped]:
    """All steps up to the end of a chapter, or up to a step; some learners side by side. `tell` hears of each that has ended."""

    def one(learner: Learner) -> Helped:
        helped = program(learner, "classroom.catching", learner.name, wanted)
        tell(helped)
        return helped

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, learners))


def program(learner: Learner, *words: str) -> Helped:
    """A program that sees the lab as the learner does."""
    begun = time.monotonic()
    command = [sys.executable, "-m", *words]
    done = subprocess.run(
        command,
        cwd=names.ROOT,
        env=folder.environment(learner),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stderr if done.returncode else done.stdout).strip()
    return Helped(learner.name, done.returncode == 0, time.monotonic() - begun, said)
