"""The board: who has done which steps, who is at what, and since when. All hosts are asked side by side."""

import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from classroom import folder
from classroom.people import ClassError, Learner
from lab import names, state
from notebooks.workbench.step.rewinding import OPTIONAL
from notebooks.workbench.step.steps import CHAPTERS

ALL_HOSTS = {
    "MAILROOM_INVENTORY": str(names.ROOT / "inventories/learners.py")
}  # for a program that asks or changes them
LONG, TIMES = 300.0, 3.0  # seconds, and times the median: who is at one step for longer is stuck
SINCE = "board.json"  # what the board said last: how long somebody has been at a step


@dataclass
class Row:
    """One learner. `steps` are by id: done, changed, never or unknown (classroom/asking.py)."""

    learner: Learner
    steps: dict[str, str] = field(default_factory=dict)
    state: str = "asked"  # or away (no SSH), or refused (the deploy says why)
    why: str = ""
    busy: bool = False  # it installs packages right now
    since: float = 0.0  # when `done` was last another number

    @property
    def done(self) -> int:
        return sum(state == "done" for state in self.steps.values())

    @property
    def at(self) -> str:
        """The first step that is not done; "" where there is none, or none is known. A chapter left out is not waited for."""
        beyond = [state for step, state in self.steps.items() if CHAPTERS[chapter_of(step)] > CHAPTERS[OPTIONAL]]
        later = "done" in beyond
        for step, found in self.steps.items():
            if found != "done" and not (later and chapter_of(step) == OPTIONAL and self.count(OPTIONAL)[0] == 0):
                return step
        return ""

    def count(self, chapter: str) -> tuple[int, int]:
        """How many of a chapter's steps are done, and how many there are."""
        found = [state for step, state in self.steps.items() if chapter_of(step) == chapter]
        return found.count("done"), len(found)

    def changed(self, chapter: str) -> bool:
        """Whether something of the chapter was done and is otherwise now."""
        return not self.busy and any(
            state in ("changed", "unknown") for step, state in self.steps.items() if chapter_of(step) == chapter
        )

    def as_dict(self) -> dict[str, Any]:
        """Without what only the whole board knows."""
        chapters = {str(n): dict(zip(("done", "of"), self.count(one), strict=True)) for one, n in CHAPTERS.items()}
        return {
            "name": self.learner.name,
            "called": self.learner.called,
            "state": self.state,
            "why": self.why,
            "busy": self.busy,
            "done": self.done,
            "at": self.at,
            "since": round(self.since),
            "chapters": chapters,
            "steps": self.steps,
        }


@dataclass
class Board:
    """All rows, when they were asked for, and how long that took."""

    rows: list[Row]
    at: float
    seconds: float

    @property
    def patience(self) -> float:
        """Seconds at one step from which on somebody is stuck: far above the class's median, so that a break is nobody's."""
        passed = [self.at - row.since for row in self.rows if row.state == "asked" and row.at]
        return max(LONG, TIMES * median(passed)) if passed else LONG

    def trouble(self, row: Row) -> str:
        """ "error": the host does not answer, or the deploy refuses it; "stuck": at one step for too long; or ""."""
        if row.state != "asked":
            return "error"
        return "stuck" if row.at and not row.busy and self.at - row.since >= self.patience else ""

    @property
    def wanting(self) -> list[Row]:
        """Who may want help, the longest first."""
        return sorted((row for row in self.rows if self.trouble(row)), key=lambda row: row.since)

    def as_dict(self) -> dict[str, Any]:
        return {
            "at": round(self.at),
            "seconds": round(self.seconds, 1),
            "learners": [row.as_dict() | {"trouble": self.trouble(row)} for row in self.rows],
        }


def chapter_of(step: str) -> str:
    return step.partition(".")[0]


def number_of(step: str) -> str:
    """ "chapter 4, tls" for dovecot.tls."""
    chapter, _, name = step.partition(".")
    return f"chapter {CHAPTERS[chapter]}, {name.replace('_', ' ')}" if step else ""


def place_of(row: Row) -> str:
    """What a learner is at, in words."""
    return "installing packages" if row.busy else number_of(row.at) or "all done"


def ask() -> Board:
    """One question to each host. Raises ClassError where none can be asked."""
    learners, begun = folder.present(), time.monotonic()
    found = answers()
    board = Board(rows(learners, found, kept(), time.time()), time.time(), time.monotonic() - begun)
    keep(board)
    return board


def answers(only: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What each host says of its steps (classroom/asking.py), or only these. Raises ClassError where none can be asked."""
    told = subprocess.run(
        [sys.executable, "-m", "classroom.asking", *only],
        cwd=names.ROOT,
        env=os.environ | ALL_HOSTS,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        why = (told.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ClassError(
            f"The hosts could not be asked: {why}", "The same `make class` again puts right what is missing."
        )
    return [json.loads(line) for line in told.stdout.splitlines()]


def rows(
    learners: Sequence[Learner], answers: Sequence[dict[str, Any]], before: dict[str, Any], now: float
) -> list[Row]:
    """A row for each learner, also where no answer came. `before` says how many steps were done when: {"ada": [12, 1795380000]}."""
    by_name = {one["name"]: one for one in answers}
    found = []
    for learner in learners:
        one = by_name.get(learner.name, {"state": "away", "why": "there is no such host in the lab"})
        row = Row(learner, one.get("steps", {}), one.get("state", "asked"), one.get("why", ""), one.get("busy", False))
        done, since = before.get(learner.name, (-1, now))
        # one that does not answer for a while has not lost its steps
        row.since = since if row.done == done or row.state != "asked" else now
        found.append(row)
    return found


def kept() -> dict[str, Any]:
    try:
        return dict(json.loads(state.path(SINCE).read_text()))
    except (OSError, ValueError):
        return {}


def keep(board: Board) -> None:
    found = {row.learner.name: [row.done, row.since] for row in board.rows if row.state == "asked"}
    state.write(SINCE, state.as_json(kept() | found))


def as_csv(board: Board) -> str:
    """A line for each learner, and a column for each step."""
    steps = list(dict.fromkeys(step for row in board.rows for step in row.steps))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["name", "host", "state", "done", "at", "minutes", *steps])
    for row in board.rows:
        minutes = round((board.at - row.since) / 60)
        cells = [row.steps.get(step, "") for step in steps]
        writer.writerow([row.learner.called, row.learner.name, row.state, row.done, number_of(row.at), minutes, *cells])
    return out.getvalue()


def minutes(board: Board, row: Row) -> str:
    """How long nothing has become done, in words as short as a board has room for."""
    passed = round((board.at - row.since) / 60)
    if passed < 1:
        return "now"
    return f"{passed} min" if passed < 90 else f"{passed / 60:.0f} h"
