"""What is going on, and what has been: exercise.json in the lab's folder, or in the learner's place of a class."""

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from classroom.people import ClassError
from lab import names, state

FILE = "exercise.json"
HOUR = 3600


@dataclass
class Round:
    """One or several faults at the same time, from their start to their end."""

    host: str
    faults: list[str]
    seed: int
    started: float
    baseline: dict[str, str]  # verdicts of all checks before, by id
    marks: dict[str, str] = field(default_factory=dict)  # classroom/exercise/marks.py
    hints: dict[str, int] = field(default_factory=dict)  # how many were given, by fault
    kept: str = ""  # the files before, as tar in base64


@dataclass
class Record:
    now: Round | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    whole: dict[str, Any] = field(default_factory=dict)  # the last time that all checks were made and held

    def going_on(self) -> Round:
        if self.now is None:
            raise ClassError("No exercise is going on.", "Begin one: python -m classroom exercise start")
        return self.now

    def just_before(self) -> list[str]:
        """The faults of the last round."""
        return [str(one["id"]) for one in self.history if one["started"] == self.history[-1]["started"]]

    def was_whole(self, host: str, marks: dict[str, str]) -> dict[str, str]:
        """All verdicts as they were within the hour, if nothing has changed on the host since; else none."""
        fresh = self.whole.get("host") == host and time.time() - self.whole["at"] < HOUR
        return dict(self.whole["baseline"]) if fresh and self.whole["marks"] == marks else {}

    def is_whole(self, host: str, marks: dict[str, str], baseline: dict[str, str]) -> None:
        self.whole = {"host": host, "marks": marks, "baseline": baseline, "at": time.time()}

    def end(self, how: str, points: dict[str, int]) -> list[dict[str, Any]]:
        """Write the round into the history. `how`: fixed, by itself, run, deploy, rewound or given up."""
        this = self.going_on()
        done = [
            {
                "id": id,
                "started": this.started,
                "seconds": round(time.time() - this.started),
                "hints": this.hints.get(id, 0),
                "points": points.get(id, 0),
                "how": how,
            }
            for id in this.faults
        ]
        self.history += done
        self.now = None
        self.save()
        return done

    def save(self) -> None:
        # The files that were kept can hold passwords: for their owner alone, as the secrets beside them.
        state.write(FILE, state.as_json(asdict(self)), mode=0o600)


def load() -> Record:
    file = path()
    if not file.exists():
        return Record()
    try:
        found = json.loads(file.read_text())
        return Record(Round(**found["now"]) if found["now"] else None, found["history"], found["whole"])
    except (ValueError, KeyError, TypeError):
        raise ClassError(f"{file} cannot be read as a record of exercises.", "Remove it to begin anew.") from None


def path() -> Path:
    return names.directory() / FILE
