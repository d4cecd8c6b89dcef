"""What the checks say of a host: whether it is whole, whether a fault is there, and whether it can be put there at all."""

from collections.abc import Callable, Sequence

import checks
from checks.engine import inventory
from classroom.exercise.faults import Fault
from classroom.people import ClassError

# What a daemon's log says of its past: a fault is in there until the daemon is started anew, also when it has gone.
PAST = "*.no_errors"
WITH_WORLD = 6  # the chapter whose parts are switched off in a lab without a world
FEW = 5  # things that do not hold; one cause has many
OTHERWISE = "What can put the whole server right: .venv/bin/python -m deploys mailserver (or dovecot)"
Heard = Callable[[checks.Result], None]  # is told each verdict as it comes


def verdicts(name: str, only: Sequence[str] = (), heard: Heard | None = None) -> dict[str, checks.Result]:
    return {one.id: one for one in checks.run(checks.lab_target(name), only, skip=[PAST], on_result=heard)}


def of_all(name: str, heard: Heard | None = None) -> dict[str, checks.Result]:
    """The verdicts of all checks. What few fail are asked a second time: a machine that was busy for a moment is nobody's fault."""
    found = verdicts(name, heard=heard)
    failed = [id for id, one in found.items() if one.verdict == "fail"]
    return found | (verdicts(name, failed, heard) if 0 < len(failed) <= FEW else {})


def claims(name: str, chosen: Sequence[Fault]) -> dict[str, bool]:
    """Of each claim of these faults whether it is proven."""
    wanted = list(dict.fromkeys(id for one in chosen for id in one.claims))
    found = verdicts(name, wanted)
    return {id: id in found and found[id].verdict == "pass" for id in wanted}


def still_there(name: str, chosen: Sequence[Fault]) -> list[str]:
    """Which of these faults the checks still find."""
    proven = claims(name, chosen)
    return [one.id for one in chosen if not all(proven[id] for id in one.claims)]


def whole(name: str, heard: Heard | None = None) -> dict[str, str]:
    """The verdicts of all checks. ClassError where one fails: the learner would look for two faults, and be graded for one."""
    found = of_all(name, heard)
    failed = [one for one in found.values() if one.verdict == "fail"]
    if failed:
        raise ClassError(
            f"This server is not whole, so no fault was put on it; nothing was changed. {len(failed)} checks fail:",
            *(f"  {one.title} [{one.id}]" for one in failed[:FEW]),
            "What is wrong, with the remedy: .venv/bin/python -m checks --short",
            OTHERWISE,
        )
    return {id: one.verdict for id, one in found.items()}


def lacking(name: str, these: Sequence[Fault], baseline: dict[str, str]) -> list[str]:
    """Why these faults are not for a host with such verdicts, and what to do: their proof has to hold before it can be broken."""
    titles = {one.id: one.title for one in checks.selected()}
    unproven = [id for id in dict.fromkeys(id for one in these for id in one.claims) if baseline.get(id) != "pass"]
    lines = ["What they break has to be proven first, and this is not:"]
    lines += [f"  {titles[id]} [{id}]" for id in unproven[:FEW]]
    lines += [f"  and {len(unproven) - FEW} more"] * (len(unproven) > FEW)
    if any(one.chapter == WITH_WORLD for one in these) and not inventory.server(name).world:
        return [*lines, "Chapter 6 also needs a world to be believed by. Both: make mailserver"]
    return [*lines, OTHERWISE]
