"""reset, rewind and catch-up: some learners' hosts are put somewhere else, and no other host is touched."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from classroom import board, catching, folder, prepared
from classroom.hub import telling
from classroom.people import ClassError, Learner
from lab import names, snapshots
from notebooks.workbench.step.rewinding import OPTIONAL
from notebooks.workbench.step.steps import CHAPTERS

FIRST = "postfix.install"  # before it there is nothing that a learner could miss
KEPT = "before catch-up"  # a host as it was when it was put into a prepared state


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
    """The host as it was right after a step, or as it was kept. What came later is lost."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "notebooks.rewind", learner.name, step],
        cwd=names.ROOT,
        env=folder.environment(learner),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    telling.tell()
    said = (done.stderr if done.returncode else done.stdout).strip()
    return Helped(learner.name, done.returncode == 0, time.monotonic() - begun, said)


def catch_up(
    learners: Sequence[Learner], wanted: str, say: Callable[[str], None], in_place: bool = False
) -> list[Helped]:
    """All steps up to the end of a chapter, or up to a step, on these hosts side by side.

    A host that lacks some of them, and has nothing beyond, is put into the state that was prepared, if one was; as it was it is kept
    under KEPT. Any other one is worked on as it is: nothing is lost there, and nothing is done twice.
    """
    begun, number = time.monotonic(), catching.number_of(wanted)
    if number and int(number) not in CHAPTERS.values():
        raise ClassError(
            f"There is no chapter {number}; nothing was changed.",
            f"There are: {', '.join(map(str, CHAPTERS.values()))}.",
        )
    replaced = {} if in_place or not number else from_prepared(learners, number, say)
    before = time.monotonic() - begun
    ours = {one.name for one in replaced}
    return [helped(one, before, wanted, one["name"] in ours) for one in apply(learners, wanted)]


def from_prepared(learners: Sequence[Learner], number: str, say: Callable[[str], None]) -> dict[Learner, str]:
    """Put those who are behind into the best prepared state; which ones, with its image."""
    there = prepared.images()
    states = {one: prepared.best(prepared.suite_of(one), number, there) for one in learners}
    if not any(states.values()):
        return {}
    answers = {one["name"]: one for one in board.answers([one.name for one in learners])}
    replaced = {
        one: image
        for one, image in states.items()
        if image and behind(answers[one.name], prepared.chapter_of(image, there))
    }
    if kept := [one for one in replaced if answers[one.name]["steps"].get(FIRST) != "never"]:
        say(f"keeping {len(kept)} as they are now: rewind NAME {KEPT!r} brings one back")
        prepared.keep(kept, KEPT)
    if replaced:
        say(f"putting {len(replaced)} into the prepared state")
        prepared.become(replaced)
        telling.tell()
    return replaced


def behind(answer: dict[str, Any], number: int) -> bool:
    """Whether the host would lose nothing beyond a chapter, and lacks something up to there. One that the deploy refuses is as good as
    lost; one that does not answer is for `reset`."""
    if answer.get("state", "asked") != "asked":
        return bool(answer["state"] == "refused")
    steps = answer["steps"]
    beyond = [
        one
        for one in steps
        if CHAPTERS[board.chapter_of(one)] > number or (number > 2 and board.chapter_of(one) == OPTIONAL)
    ]
    # not "changed": a step that only takes something away is that on a bare host, too
    return all(steps[one] != "done" for one in beyond) and any(steps[one] != "done" for one in steps.keys() - beyond)


def helped(one: dict[str, Any], asked: float, wanted: str, replaced: bool) -> Helped:
    """What applying.py says of one host, in words."""
    if not one["ok"]:
        return Helped(one["name"], False, asked + one["seconds"], one["said"])
    count = one["changed"]
    what = f"{count} change{'s' * (count != 1)}" if count else "nothing had to be changed"
    how = ", from the prepared state" if replaced else ""
    return Helped(one["name"], True, asked + one["seconds"], f"{wanted}: {what}{how}")


def apply(learners: Sequence[Learner], wanted: str) -> list[dict[str, Any]]:
    """All steps up to there, in one run for all; what became of each. ClassError where there is no such step."""
    done = subprocess.run(
        [sys.executable, "-m", "classroom.applying", wanted, *(one.name for one in learners)],
        cwd=names.ROOT,
        env=os.environ | board.ALL_HOSTS,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ClassError("Nothing was applied.", done.stderr.strip()[-2000:] or "No reason was given.")
    return [json.loads(line) for line in done.stdout.splitlines()]


def failed(learners: Sequence[Learner], wanted: str) -> str:
    """The same for `prepare`: "", or why not."""
    return "\n".join(one["said"] for one in apply(learners, wanted) if not one["ok"])
