"""The exercises in a notebook: start one, ask for a hint, have it checked, give it up. In a terminal: python -m classroom exercise."""

import functools
import random
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import checks
from checks.engine.verdicts import CannotStart
from classroom.exercise import doing, faults, record
from classroom.people import ClassError
from notebooks.workbench.experiment.complaints import Complaint, Ending, Grade, Overview
from notebooks.workbench.host import snapshots, where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import Trouble

P = ParamSpec("P")
R = TypeVar("R")
# What the messages of classroom/ say of the terminal, and what it is called in a cell.
CELLS = {
    "python -m classroom exercise symptom": "exercise()",
    "python -m classroom exercise start": "exercise()",
    "python -m classroom exercise list": "exercises()",
    "`check`": "check()",
    "`give-up`": "give_up()",
    "give-up ": "give_up() ",
    "A smaller --count, no --chapter,": "A smaller count, no chapter,",
    "--count": "count =",
}


def explained(function: Callable[P, R]) -> Callable[P, R]:
    """What the exercises refuse becomes Trouble: what is wrong, why, and which cell or command to run next."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            snapshots.wait()
            return function(*args, **kwargs)
        except (ClassError, CannotStart, OSError) as error:
            what, *rest = spoken(str(error)).splitlines() or [""]
            *why, remedy = rest or [""]
        raise Trouble(what, "\n".join(line.strip() for line in why), remedy) from None

    return wrapper


def spoken(text: str) -> str:
    for typed, cell in CELLS.items():
        text = text.replace(typed, cell)
    return text


@stoppable()
@explained
def exercises() -> html.Shown:
    """All exercises by chapter, as users tell them; those that were solved here, and the points."""
    return Overview(list(faults.every().values()), record.load())


@stoppable("A fault may be on {host} already.", "exercise() tells it, if there is one; give_up() puts it right.")
@explained
def exercise(
    id: str = "", *more: str, chapter: int | None = None, seed: int | None = None, count: int = 1
) -> html.Shown:
    """Put a fault on this host: this one, or a choice. One that is going on is told again. Trouble: it cannot be put here."""
    here, kept = where.place(), record.load()
    asked = id or more or chapter is not None or seed is not None or count != 1
    if kept.now and not asked:
        return Complaint(kept.now, doing.going_on(kept))
    where.lab_only(here, "Putting faults on a server")
    seed = random.randrange(10_000) if seed is None else seed
    ids = [one for one in (id, *more) if one]
    with progress.Progress(f"asking whether {here.name} is whole, and putting a fault on it") as shown:
        return Complaint(
            *doing.start(ids, chapter=chapter, seed=seed, count=count, host=here.name, heard=teller(shown)), new=True
        )


@stoppable()
@explained
def hint(id: str = "") -> html.Shown:
    """The complaint with one hint more; it costs points. Trouble: all were given, or it has to be said which of several."""
    doing.hint(id)
    kept = record.load()
    return Complaint(kept.going_on(), doing.going_on(kept))


@stoppable("Nothing was changed on {host}. A test letter may be left in a mailbox.")
@explained
def check() -> html.Shown:
    """Whether it is right again. The exercise ends when its proof holds and nothing else has broken."""
    this = record.load().going_on()
    with progress.Progress(f"asking {this.host}") as shown:
        return Grade(doing.check(teller(shown)), this)


@stoppable("{host} may be put right in part.", "{call} again.")
@explained
def give_up() -> html.Shown:
    """Put the host right, without points, and tell what it was."""
    with progress.Progress(f"putting {record.load().going_on().host} right"):
        ended, left = doing.give_up()
    return Ending(ended, left)


def teller(shown: progress.Progress) -> Callable[[checks.Result], None]:
    """Say each check while it is made: all of them take a minute."""
    return lambda one: shown.say(one.title)
