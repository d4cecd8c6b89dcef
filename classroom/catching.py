"""python -m classroom.catching ada "chapter 2": all steps up to there, on the host of a learner's place. A part of catch-up.

It is a program of its own, since it sees the lab as the learner does (MAILROOM_LAB_DIR). What is done already is not done twice, and
what the learner has done beyond it stays.
"""

import re
import sys

from lab.errors import LabError
from notebooks.workbench.host import where
from notebooks.workbench.show.errors import Trouble
from notebooks.workbench.step import applying, rewinding, steps


def last_of(wanted: str) -> steps.Step:
    """The last step of "chapter 2", or the step of that name."""
    chapter = re.fullmatch(r"(?:chapter )?(\d)", wanted.strip().lower())
    found = [one for one in steps.every() if chapter and str(steps.CHAPTERS[one.chapter]) == chapter[1]]
    if chapter and not found:
        raise Trouble(
            f"There is no chapter {chapter[1]}.", remedy=f"There are: {', '.join(map(str, steps.CHAPTERS.values()))}"
        )
    return found[-1] if found else steps.find(wanted)


def main(host: str, wanted: str) -> int:
    try:
        where.use(host)
        last = last_of(wanted)
        print(applying.run(last, rewinding.up_to(last)))
        return 0
    except (LabError, Trouble) as trouble:
        print(trouble, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
