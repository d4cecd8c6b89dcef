"""Where catch-up leads to: "chapter 2" is its last step."""

import re
from collections.abc import Sequence

from notebooks.workbench.show.errors import Trouble
from notebooks.workbench.step import steps
from notebooks.workbench.step.rewinding import OPTIONAL
from notebooks.workbench.step.steps import CHAPTERS, Step


def number_of(wanted: str) -> str:
    """ "2" of "chapter 2"; "" of a step's name."""
    found = re.fullmatch(r"(?:chapter )?(\d)", wanted.strip().lower())
    return found[1] if found else ""


def last_of(wanted: str, every: Sequence[Step]) -> Step:
    """The last step of "chapter 2", or the step of that name. Trouble where there is none."""
    number = number_of(wanted)
    found = [one for one in every if number and str(CHAPTERS[one.chapter]) == number]
    if number and not found:
        raise Trouble(f"There is no chapter {number}.", remedy=f"There are: {', '.join(map(str, CHAPTERS.values()))}")
    return found[-1] if found else steps.find(wanted, every)


def up_to(last: Step, every: Sequence[Step], left_out: bool) -> list[Step]:
    """The steps that lead there; without the chapter that one may leave out, where chapter 4 is wanted of a host that has none of it."""
    wanted = list(every[: every.index(last) + 1])
    if last.chapter == "dovecot" and left_out:
        return [one for one in wanted if one.chapter != OPTIONAL]
    return wanted
