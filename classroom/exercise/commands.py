"""python -m classroom exercise …: what is typed, and what is said."""

import argparse
import json
import os
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

from checks.engine.verdicts import CannotStart
from classroom import folder
from classroom.exercise import doing, faults, record
from classroom.exercise.faults import Fault
from classroom.exercise.proof import FEW, OTHERWISE
from classroom.people import ClassError
from lab.progress import busy
from notebooks.workbench.step.steps import CHAPTERS

NUMBERS = {number: chapter for chapter, number in CHAPTERS.items()}
SEEN = {
    "nothing": "Nothing has changed on the host since the fault came: no setting, no daemon, no row.",
    "run": "A run of mailroom has changed this host since the fault came.",
    "deploy": "The whole deploy has changed this host since the fault came.",
    "rewound": "The host was rewound since the fault came.",
}
SO = {
    "nothing": "It has healed by itself: no points.",
    "run": "One step and all of them look alike here: half the points.",
    "deploy": "It puts everything right that it knows, and nobody looked for the fault: no points.",
    "rewound": "The fault went with all else that was done: no points.",
}
Told = tuple[dict[str, Any], str, int]  # as JSON, in words, and the exit code


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    top = commands.add_parser("exercise", help="a fault on your own server: find it and put it right")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, (_, about) in VERBS.items():
        one = verbs.add_parser(verb, parents=[common], help=about)
        one.add_argument("--learner", metavar="NAME", help="a learner of the class; else the lab that is up")
        if verb == "start":
            one.add_argument("ids", nargs="*", metavar="ID", help="these; else a choice is made")
            one.add_argument("--chapter", type=int, metavar="N", help="one of that chapter")
            one.add_argument("--seed", type=int, metavar="N", help="the same choice again, on the same host")
            one.add_argument("--count", type=int, default=1, metavar="N", help="several at once")
            one.add_argument("--host", default="", metavar="NAME", help="which mail host of the lab (the first)")
        if verb == "hint":
            one.add_argument("id", nargs="?", default="", metavar="ID", help="which, where several are going on")


def run(options: argparse.Namespace) -> int:
    """One verb, in the lab that MAILROOM_LAB_DIR names, or in the place of --learner."""
    if options.learner:
        folder.use()
        os.environ["MAILROOM_LAB_DIR"] = str(folder.place(folder.member(options.learner)))
    try:
        data, text, code = VERBS[options.verb][0](options)
    except (CannotStart, OSError) as error:
        raise ClassError(str(error)) from None
    print(json.dumps(data, indent=2, ensure_ascii=False) if options.json else text)
    return code


def listed(options: argparse.Namespace) -> Told:
    history = record.load().history
    solved = {one["id"] for one in history if one["points"]}
    rows = [
        {"id": one.id, "chapter": one.chapter, "symptom": one.symptom, "solved": one.id in solved}
        for one in faults.every().values()
    ]
    lines: list[str] = []
    for number in dict.fromkeys(one.chapter for one in faults.every().values()):
        lines.append(f"Chapter {number}")
        mine = [row for row in rows if row["chapter"] == number]
        lines += [f"  {'✓' if row['solved'] else ' '} {row['id']:<22} “{row['symptom']}”" for row in mine]
    return {"exercises": rows}, "\n".join(lines), 0


def start(options: argparse.Namespace) -> Told:
    seed = options.seed if options.seed is not None else random.randrange(10_000)
    with busy("asking whether the server is whole, and putting a fault on it"):
        this, chosen = doing.start(
            options.ids, chapter=options.chapter, seed=seed, count=options.count, host=options.host
        )
    told = symptoms(chosen, this.hints)
    text = (
        f"{told}\n\nSomething is wrong on {this.host}. Find it and put it right, in whatever way you like.\n"
        f"{faults.WORTH} points each; the hints cost {', '.join(map(str, faults.COSTS))}. "
        "python -m classroom exercise hint | check | give-up"
    )
    return as_dict(this, chosen), text, 0


def symptom(options: argparse.Namespace) -> Told:
    kept = record.load()
    chosen, this = doing.going_on(kept), kept.going_on()
    return as_dict(this, chosen), symptoms(chosen, this.hints), 0


def symptoms(chosen: list[Fault], hints: dict[str, int]) -> str:
    lines = []
    for one in chosen:
        lines.append(f"{one.id}: “{one.symptom}”")
        lines += [f"  hint {n}: {text}" for n, text in enumerate(one.hints[: hints.get(one.id, 0)], 1)]
    return "\n".join(lines)


def as_dict(this: record.Round, chosen: list[Fault]) -> dict[str, Any]:
    """Without what would give it away: claims, and the hints that were not asked for."""
    return {
        "host": this.host,
        "seed": this.seed,
        "started": this.started,
        "exercises": [
            {
                "id": one.id,
                "chapter": one.chapter,
                "symptom": one.symptom,
                "hints": list(one.hints[: this.hints.get(one.id, 0)]),
                "points": one.points(this.hints.get(one.id, 0)),
            }
            for one in chosen
        ],
    }


def hint(options: argparse.Namespace) -> Told:
    fault, number, text, points = doing.hint(options.id)
    data = {"id": fault.id, "hint": number, "of": len(fault.hints), "text": text, "points": points}
    return data, f"Hint {number} of {len(fault.hints)}: {text}\n{points} points are left.", 0


def check(options: argparse.Namespace) -> Told:
    with busy("asking the server"):
        graded = doing.check()
    data = {
        "done": graded.done,
        "solved": graded.solved,
        "open": graded.open,
        "broken": graded.broken,
        "ended": [entry(one) for one in graded.ended],
    }
    lines = [f"✖ Still: “{faults.named(id).symptom}” ({id})" for id in graded.open]
    lines += [f"✓ {id} is right again." for id in graded.solved if graded.open]
    if graded.broken:
        lines.append("The complaint is gone, but something that held before does not now:")
        lines += [f"✖ {title}" for title in graded.broken[:FEW]]
        lines += [f"  and {len(graded.broken) - FEW} more"] * (len(graded.broken) > FEW)
    if graded.ended:
        lines.append(endings(graded.ended))
        lines += [f"{SEEN[how]} {SO[how]}" for how in SO if how == graded.done]
    elif graded.done in SEEN and (graded.open or graded.done != "nothing"):
        lines.append(SEEN[graded.done])
    return data, "\n".join(lines), 0 if graded.ended else 1


def entry(one: dict[str, Any]) -> dict[str, Any]:
    """An entry of the history, with what it was: that is told when it has ended."""
    fault = faults.named(one["id"])
    return one | {"was": fault.was, "step": fault.step, "source": fault.source}


def endings(ended: list[dict[str, Any]]) -> str:
    lines = []
    for one in ended:
        fault, (minutes, seconds) = faults.named(one["id"]), divmod(one["seconds"], 60)
        sign = "–" if one["how"] == "given up" else "✓"
        lines.append(f"{sign} {one['id']}: {one['how']} after {minutes}:{seconds:02} min, {one['points']} points")
        number, name = CHAPTERS[fault.step.partition(".")[0]], fault.step.partition(".")[2]
        lines += [f"  It was: {fault.was}", f"  Explained in chapter {number}, {name} [{fault.step}]"]
        lines.append(f"  It happens: {fault.source}")
    return "\n".join(lines)


def give_up(options: argparse.Namespace) -> Told:
    with busy("putting the server right"):
        ended, left = doing.give_up()
    text = endings(ended)
    if left:
        text += f"\n✖ {', '.join(left)} is not right yet. {OTHERWISE}"
    return {"ended": [entry(one) for one in ended], "open": left}, text, 1 if left else 0


def history(options: argparse.Namespace) -> Told:
    found = record.load().history
    lines = [f"{sum(one['points'] for one in found)} points"]
    for one in found:
        when = datetime.fromtimestamp(one["started"]).strftime("%Y-%m-%d %H:%M")
        hints = f"{one['hints']} hint{'' if one['hints'] == 1 else 's'}"
        lines.append(
            f"{when}  {one['id']:<22} {one['how']:<9} {one['seconds'] // 60:>3} min  {hints:<8} {one['points']:>2} points"
        )
    data = {"points": sum(one["points"] for one in found), "exercises": [entry(one) for one in found]}
    return data, "\n".join(lines) if found else "No exercise has ended yet.", 0


VERBS: dict[str, tuple[Callable[[argparse.Namespace], Told], str]] = {
    "list": (listed, "all of them by chapter, as a user tells them"),
    "start": (start, "put a fault on the server"),
    "symptom": (symptom, "what was complained about, and the hints so far"),
    "hint": (hint, "the next hint; it costs points"),
    "check": (check, "is it right again?"),
    "give-up": (give_up, "put it right, and say what it was"),
    "history": (history, "what was done, and its points"),
}
