"""A round of exercises: the faults come, hints are given, the checks grade, and in the end it is told what it was."""

import base64
import shlex
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from subprocess import CalledProcessError
from typing import Any

from checks.engine import inventory
from classroom.exercise import choosing, faults, marks, record
from classroom.exercise.faults import Fault
from classroom.exercise.proof import OTHERWISE, Heard, claims, lacking, of_all, still_there, whole
from classroom.exercise.record import Record, Round
from classroom.people import ClassError
from lab import Host
from lab import host as host_of

HOW = {"something": "fixed", "nothing": "by itself"}


@dataclass
class Graded:
    """What the checks say now. `open` are the faults that are still there, `broken` what no longer holds beside them."""

    done: str  # what was done to the host since the start: marks.told
    solved: list[str]
    open: list[str]
    broken: list[str] = field(default_factory=list)
    ended: list[dict[str, Any]] = field(default_factory=list)  # the round's entries of the history


def lab_host(name: str = "") -> Host:
    """The mail host that is practised on. ClassError unless it is a lab's."""
    server = inventory.server(name)
    if not server.lab:
        raise ClassError(
            f"{server.name} is no lab host, and faults are put on those alone; nothing was changed.",
            "For the lab: unset MAILROOM_INVENTORY",
        )
    return host_of(server.name)


def start(
    ids: Sequence[str],
    *,
    chapter: int | None = None,
    seed: int = 0,
    count: int = 1,
    host: str = "",
    heard: Heard | None = None,
) -> tuple[Round, list[Fault]]:
    """Put faults on the host: these, or a choice by the seed. ClassError, and nothing is changed, where that cannot be."""
    kept = record.load()
    if kept.now:
        raise ClassError(
            "An exercise is going on already; nothing was changed.",
            "python -m classroom exercise symptom tells it again, `check` grades it, `give-up` ends it.",
        )
    wanted = [faults.named(id) for id in ids]
    if chapter is not None and chapter not in (there_are := {one.chapter for one in faults.every().values()}):
        raise ClassError(
            f"There is no exercise of chapter {chapter}; there are of {', '.join(map(str, sorted(there_are)))}."
        )
    with closing(lab_host(host)) as there:
        baseline = kept.was_whole(there.name, marks.read(there)) or whole(there.name, heard)
        offered = faults.offered((id for id, verdict in baseline.items() if verdict == "pass"), chapter)
        if wanted:
            if missing := [one for one in wanted if one not in offered]:
                raise ClassError(
                    f"{', '.join(one.id for one in missing)} cannot be put on this host; nothing was changed.",
                    *lacking(there.name, missing, baseline),
                )
            chosen = choosing.choose(wanted, seed, len(wanted), ())
        else:
            if not offered and (these := [one for one in faults.every().values() if one.chapter == chapter]):
                raise ClassError(
                    f"No exercise of chapter {chapter} can be put on this host; nothing was changed.",
                    *lacking(there.name, these, baseline),
                )
            before = kept.just_before() if kept.history else ()
            chosen = choosing.choose(offered, seed, count, before)
        this = Round(
            there.name,
            [one.id for one in chosen],
            seed,
            time.time(),
            baseline,
            kept=packed(there, [file for one in chosen for file in one.keep]),
        )
        kept.now = this
        kept.save()  # before the first change: whatever ends this now, give-up finds the way back
        try:
            for one in chosen:
                there.run("sh", stdin=f"set -e\n{one.harm}")
            unharmed = [id for id, proven in claims(there.name, chosen).items() if proven]
        except CalledProcessError as error:
            unharmed = [error.stderr.strip() or str(error)]
        if unharmed:
            put_back(there, this)
            why = f"This host shrugs the fault off ({', '.join(unharmed)})"
            if left := still_there(there.name, chosen):
                raise ClassError(
                    f"{why}, and {', '.join(left)} is not right again: give-up tries once more.", OTHERWISE
                )
            kept.now = None
            kept.save()
            raise ClassError(f"{why}; it was taken away again.")
        this.marks, this.started = marks.read(there), time.time()
        kept.save()
    return this, chosen


def packed(host: Host, files: Sequence[str]) -> str:
    """These files as tar, in base64."""
    if not files:
        return ""
    names = shlex.join(sorted(file.lstrip("/") for file in set(files)))
    text = host.run(f"tar -C / -czf - {names} | base64 -w0").stdout
    base64.b64decode(text, validate=True)
    return text


def put_back(host: Host, this: Round) -> None:
    """The files as they were, then each fault's own undo, the last fault first. Whether all is right then, the checks say: an undo
    may meet a host that has lost what it wants to put right."""
    if this.kept:
        host.run("base64 -d | tar -C / -xzpf -", stdin=this.kept)
    for id in reversed(this.faults):
        host.run("sh", stdin=faults.named(id).undo, check=False)


def hint(this_one: str = "") -> tuple[Fault, int, str, int]:
    """The next hint for a fault: (fault, which hint, the hint, points that are left)."""
    kept = record.load()
    this = kept.going_on()
    fault = one_of(this, this_one)
    given = this.hints.get(fault.id, 0)
    if given == len(fault.hints):
        raise ClassError(
            f"All {given} hints for {fault.id} were given: python -m classroom exercise symptom tells them again.",
            "give-up puts it right, and says what it was.",
        )
    this.hints[fault.id] = given + 1
    kept.save()
    return fault, given + 1, fault.hints[given], fault.points(given + 1)


def one_of(this: Round, id: str) -> Fault:
    if not id and len(this.faults) > 1:
        raise ClassError(f"There are {len(this.faults)}: {', '.join(this.faults)}.", "Say which one the hint is for.")
    if id and id not in this.faults:
        raise ClassError(f"{id} is not going on.", f"There is: {', '.join(this.faults)}.")
    return faults.named(id or this.faults[0])


def check(heard: Heard | None = None) -> Graded:
    """Ask the checks. The round ends when all of its claims hold, and all others that did before."""
    kept = record.load()
    this = kept.going_on()
    chosen = [faults.named(id) for id in this.faults]
    with closing(lab_host(this.host)) as there:
        done = marks.told(this.marks, marks.read(there), this.started)
    left = still_there(this.host, chosen)
    graded = Graded(done, [id for id in this.faults if id not in left], left)
    if left:
        return graded
    found = of_all(this.host, heard)
    graded.broken = [
        one.title for id, one in found.items() if one.verdict == "fail" and this.baseline.get(id) in ("pass", "warn")
    ]
    if not graded.broken:
        how = HOW.get(done, done)
        with closing(lab_host(this.host)) as there:
            kept.is_whole(this.host, marks.read(there), {id: one.verdict for id, one in found.items()})
        graded.ended = kept.end(how, {one.id: points(one, this, how) for one in chosen})
    return graded


def points(fault: Fault, this: Round, how: str) -> int:
    """All of them for what was fixed by hand, half for a run of mailroom that may have been one step, none for more than that."""
    full = fault.points(this.hints.get(fault.id, 0))
    return {"fixed": full, "run": full // 2}.get(how, 0)


def give_up() -> tuple[list[dict[str, Any]], list[str]]:
    """Put the host right, and end the round without points: its entries, and the faults that are there all the same."""
    kept = record.load()
    this = kept.going_on()
    chosen = [faults.named(id) for id in this.faults]
    with closing(lab_host(this.host)) as there:
        # on a host that was made anew these files would be those of another server
        if not this.marks or this.marks.get("container") == marks.read(there).get("container"):
            put_back(there, this)
    left = still_there(this.host, chosen)
    return kept.end("given up", {}), left


def going_on(kept: Record) -> list[Fault]:
    return [faults.named(id) for id in kept.going_on().faults]
