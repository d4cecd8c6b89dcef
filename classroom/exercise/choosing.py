"""Which faults a round has: by a seed, and none that the learner had just before."""

import random
from collections.abc import Sequence

from classroom.exercise.faults import Fault
from classroom.people import ClassError

MOST = 5  # at once; more would hide each other


def choose(offered: Sequence[Fault], seed: int, count: int, before: Sequence[str]) -> list[Fault]:
    """As many faults as asked for, that do not get in each other's way. ClassError where there are not so many."""
    if not 1 <= count <= MOST:
        raise ClassError(f"--count {count} is not from 1 to {MOST}; nothing was changed.")
    left = sorted((one for one in offered if one.id not in before), key=lambda one: one.id)
    random.Random(seed).shuffle(left)
    chosen: list[Fault] = []
    for one in left:
        if len(chosen) < count and not any(set(one.touches) & set(other.touches) for other in chosen):
            chosen.append(one)
    if len(chosen) < count:
        what = "another exercise" if count == 1 else f"{count} exercises that can be together"
        raise ClassError(
            f"There is no choice of {what} for this host; nothing was changed.",
            "Those of the last round are left out. A smaller --count, no --chapter, or more chapters on the host give more.",
        )
    return chosen
