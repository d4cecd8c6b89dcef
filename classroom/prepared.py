"""States from which catch-up takes seconds: a reference host is led to the end of a chapter, and kept without what is its own.

A learner's host that is put into such a state gets its own names and secrets, and then the deploy itself, which judges every file
as on any other host. So it ends as the ordinary way would have it (tests/live/test_class.py holds the two side by side).
"""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from classroom import catching, folder
from classroom.people import ClassError, Learner
from lab import Host, life, snapshots
from lab.engine import find

REFERENCE = Learner("reference", "the reference host")
# Those whose keys and passwords are known to stay behind. Chapter 4 is kept without chapter 3, as catch-up leads there.
CHAPTERS = {"1": "postfix", "2": "postgresql", "4": "dovecot"}
HERE = Path(__file__).parent
WIPE, SETTLE = (HERE / name for name in ("wipe.sh", "settle.sh"))


def prepare(wanted: str, apply: Callable[[Sequence[Learner], str], str], say: Callable[[str], None]) -> float:
    """Keep the end of this chapter for the class's releases; the seconds it took. `apply` leads hosts there, and says what failed."""
    begun, number = time.monotonic(), catching.number_of(wanted)
    if number not in CHAPTERS:
        raise ClassError(
            f"{wanted} cannot be prepared.", f"Those that can: chapter {', '.join(CHAPTERS)}. Nothing was changed."
        )
    folder.present()
    for suite in sorted({host["suite"] for host in folder.records().values()}):
        say(f"leading a reference host ({suite}) to the end of chapter {number}; about two minutes")
        if REFERENCE.name in folder.records():  # of a run that was stopped
            life.remove(REFERENCE.name, keep=True)
        life.up({REFERENCE.name: suite}, suite, {REFERENCE.name: "mail"}, domains={REFERENCE.name: REFERENCE.domain})
        try:
            if why := apply([REFERENCE], f"chapter {number}"):
                raise ClassError(f"The reference host did not come to the end of chapter {number}.", why)
            alone(WIPE, REFERENCE)
            snapshots.take(REFERENCE.name, title(number), stay=True)
        finally:
            life.remove(REFERENCE.name, keep=True)
    return time.monotonic() - begun


def title(number: str) -> str:
    return f"end of chapter {number}"


def alone(script: Path, learner: Learner, *words: str) -> None:
    """Run one of the two scripts on a host; secrets go in by standard input."""
    host: Host = folder.host(learner)
    try:
        secrets = json.loads((folder.place(learner) / "secrets.json").read_text())
        given = "".join(f"{name} {secret}\n" for name, secret in secrets.items())
        host.run(["sh", "-c", script.read_text(), script.name, *words], stdin=given)
    finally:
        host.close()


def images() -> dict[tuple[str, str], str]:
    """What was prepared: its image, by release and chapter."""
    kept = {(one.suite, one.title): one.image for one in snapshots.listed(find()) if one.host == REFERENCE.name}
    return {(suite, n): image for (suite, at), image in kept.items() for n in CHAPTERS if at == title(n)}


def best(suite: str, beyond: str, there: dict[tuple[str, str], str]) -> str:
    """The image of the last prepared chapter at or before this one; "" where there is none."""
    return next((there[suite, n] for n in sorted(CHAPTERS, reverse=True) if n <= beyond and (suite, n) in there), "")


def chapter_of(image: str, there: dict[tuple[str, str], str]) -> int:
    return next(int(n) for (_, n), one in there.items() if one == image)


def become(learners: dict[Learner, str]) -> None:
    """Put learners' hosts into these states, with names and secrets of their own. What was on them is gone."""
    snapshots.become({one.name: image for one, image in learners.items()})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: alone(SETTLE, one, REFERENCE.domain, one.domain), learners))


def keep(learners: Sequence[Learner], name: str) -> None:
    """The hosts as they are now, so that nothing is lost."""
    for one in learners:
        snapshots.take(one.name, name, stay=True)


def suite_of(learner: Learner) -> str:
    return str(folder.records()[learner.name]["suite"])
