"""The faults, as they are in faults/*.toml: a file for each chapter."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from classroom.people import ClassError

FOLDER = Path(__file__).parent / "faults"
WORTH = 10  # points of an exercise that was solved without a hint
COSTS = (2, 3, 4)  # points that the first, second and third hint cost


@dataclass(frozen=True)
class Fault:
    """`harm` and `undo` are shell scripts of root's on the host. `undo` runs when the files of `keep` are back as they were."""

    id: str  # tells no more than the symptom does
    chapter: int
    symptom: str  # as a user tells it
    harm: str
    undo: str
    hints: tuple[str, ...]  # the last one may name the fault
    telling: tuple[str, ...]  # words that only the last hint may use
    claims: tuple[str, ...]  # checks that have to fail, and to pass again afterwards
    was: str  # what it was, for afterwards
    step: str  # the step that explains it: postfix.submission
    source: str  # where it has happened to somebody, or the manual's warning
    keep: tuple[str, ...] = ()  # files of the host that `harm` changes
    touches: tuple[str, ...] = ()  # what it takes away from others: no two faults of a round touch the same

    def points(self, hints: int) -> int:
        return WORTH - sum(COSTS[:hints])


@cache
def every() -> dict[str, Fault]:
    """All faults by their id, in the order of the chapters."""
    found = {}
    for file in sorted(FOLDER.glob("*.toml")):
        for id, one in tomllib.loads(file.read_text(encoding="utf-8")).items():
            given: dict[str, Any] = {key: tuple(it) if isinstance(it, list) else it for key, it in one.items()}
            found[id] = Fault(id=id, chapter=int(file.name[0]), **given)
    return found


def named(id: str) -> Fault:
    if id not in every():
        raise ClassError(f"There is no exercise {id!r}.", "python -m classroom exercise list")
    return every()[id]


def offered(passed: Iterable[str], chapter: int | None = None) -> list[Fault]:
    """The faults that this host can have: all of their claims are proven there."""
    there = set(passed)
    return [one for one in every().values() if there.issuperset(one.claims) and chapter in (None, one.chapter)]
