"""What the cells of the exercises show: the complaint with its hints, the verdict, the end, and the list of all."""

import time
from collections.abc import Sequence
from typing import Any

from classroom.exercise import faults
from classroom.exercise.commands import SEEN, SO
from classroom.exercise.doing import Graded
from classroom.exercise.faults import COSTS, WORTH, Fault
from classroom.exercise.proof import FEW, OTHERWISE
from classroom.exercise.record import Record, Round
from notebooks.workbench.show import html
from notebooks.workbench.step.steps import CHAPTERS, NOTEBOOKS

CELLS = "hint()  check()  give_up()"
HOW = {
    "by itself": "gone by itself",
    "run": "put right by a run of mailroom",
    "deploy": "put right by the whole deploy",
    "rewound": "gone with a rewind",
}
TITLES = {1: "Postfix", 2: "PostgreSQL", 3: "Amavis", 4: "Dovecot", 5: "Sieve", 6: "believed by the world"}


class Complaint(html.Shown):
    """What users complain about, with the hints that were given, and what an exercise is worth now."""

    def __init__(self, this: Round, chosen: Sequence[Fault], new: bool = False) -> None:
        self.this, self.chosen, self.new = this, list(chosen), new

    def given(self, one: Fault) -> int:
        return self.this.hints.get(one.id, 0)

    def next(self, one: Fault) -> str:
        """What the next hint costs."""
        given = self.given(one)
        return f"the next hint costs {COSTS[given]}" if given < len(COSTS) else "no hint is left"

    def about(self, one: Fault) -> str:
        worth = f"{one.points(self.given(one))} of {WORTH} points"
        return f"{one.id} · chapter {one.chapter} · {worth}, {self.next(one)}"

    def head(self) -> str:
        since = "" if self.new else f", for {lasted(round(time.time() - self.this.started))} now"
        return f"Something is wrong on {self.this.host}{since}. Find it and put it right, in whatever way you like."

    def __str__(self) -> str:
        told = []
        for one in self.chosen:
            told += [f"“{one.symptom}”", f"  {self.about(one)}"]
            told += [f"  hint {n}: {text}" for n, text in enumerate(one.hints[: self.given(one)], 1)]
        return "\n".join([*told, self.head(), CELLS])

    def body(self) -> str:
        told = "".join(html.box(self.drawn(one), "warn") for one in self.chosen)
        return f"{told}<div>{html.escape(self.head())}</div><div><code>{html.escape(CELLS)}</code></div>"

    def drawn(self, one: Fault) -> str:
        hints = [
            [f"<span class=dim>hint {n}</span>", html.escape(text)]
            for n, text in enumerate(one.hints[: self.given(one)], 1)
        ]
        listed = html.table([], hints) if hints else ""
        return f"{quoted(one.symptom)}{html.dim(self.about(one))}{listed}"


class Ending(html.Shown):
    """What it was, how long it took, and what it is worth; `left` is what giving up has not put right."""

    def __init__(self, ended: Sequence[dict[str, Any]], left: Sequence[str] = (), note: str = "") -> None:
        self.ended, self.left, self.note = list(ended), list(left), note

    def rows(self, one: dict[str, Any]) -> list[tuple[str, str]]:
        fault = faults.named(one["id"])
        chapter, _, name = fault.step.partition(".")
        return [
            ("It was", fault.was),
            ("Explained", f"chapter {CHAPTERS[chapter]}, {name}"),
            ("It happens", fault.source),
        ]

    def title(self, one: dict[str, Any]) -> str:
        return f"{one['id']}: {HOW.get(one['how'], one['how'])} after {lasted(one['seconds'])}, {one['points']} points"

    def undone(self) -> str:
        return f"{', '.join(self.left)} is not right yet. {OTHERWISE}" if self.left else ""

    def __str__(self) -> str:
        told = []
        for one in self.ended:
            told.append(f"{sign(one)} {self.title(one)}")
            told += [f"  {about}: {text}" for about, text in self.rows(one)]
        return "\n".join([*told, *filter(None, [self.note, self.undone()])])

    def body(self) -> str:
        told = "".join(self.drawn(one) for one in self.ended)
        left = html.box(html.lines(self.undone()), "bad") if self.left else ""
        return told + html.dim(self.note) + left

    def drawn(self, one: dict[str, Any]) -> str:
        fault = faults.named(one["id"])
        (_, was), (_, told), (_, source) = self.rows(one)
        cells = [
            html.escape(was),
            link(f"{NOTEBOOKS[fault.step.partition('.')[0]]}.ipynb", told) + f" <span class=dim>[{fault.step}]</span>",
            link(source, source),
        ]
        rows = [[f"<span class=dim>{name}</span>", cell] for (name, _), cell in zip(self.rows(one), cells, strict=True)]
        kind = "good" if one["points"] else ""
        head = f"<b class=h><span class={kind or 'dim'}>{sign(one)}</span> {html.escape(self.title(one))}</b>"
        return html.box(f"{head}{quoted(fault.symptom)}{html.table([], rows)}", kind)


class Grade(html.Shown):
    """What `check` has found: the complaint again, what else has broken, or the end."""

    def __init__(self, graded: Graded, this: Round) -> None:
        self.graded, self.this = graded, this

    def note(self) -> str:
        """What was noticed of the way, where there is something to say."""
        done = self.graded.done
        if self.graded.ended:
            return f"{SEEN[done]} {SO[done]}" if done in SO else ""
        return SEEN.get(done, "") if self.graded.open or done != "nothing" else ""

    def findings(self) -> list[html.Finding]:
        rows = [("✖", id, f"Still: “{faults.named(id).symptom}”", "") for id in self.graded.open]
        rows += [("✓", id, "is right again", "") for id in self.graded.solved if self.graded.open]
        rows += [("✖", "broken since", title, "") for title in self.graded.broken[:FEW]]
        more = len(self.graded.broken) - FEW
        return rows + ([("✖", "", f"and {more} more", "")] if more > 0 else [])

    def shown(self) -> html.Shown:
        if self.graded.ended:
            return Ending(self.graded.ended, note=self.note())
        what = (
            "Not right yet."
            if self.graded.open
            else "The complaint is gone, but something that held before does not now."
        )
        return html.Findings(what, self.findings(), tail="\n".join(filter(None, [self.note(), CELLS])))

    def __str__(self) -> str:
        return str(self.shown())

    def body(self) -> str:
        return self.shown().body()


class Overview(html.Shown):
    """All exercises by chapter, with a tick at those that were solved, and the points."""

    def __init__(self, every: Sequence[Fault], kept: Record) -> None:
        self.every, self.kept = list(every), kept
        self.best: dict[str, int] = {}
        for one in kept.history:
            self.best[one["id"]] = max(one["points"], self.best.get(one["id"], 0))

    def points(self, one: Fault) -> str:
        return str(self.best[one.id]) if self.best.get(one.id) else ""

    def tail(self) -> str:
        solved, points = sum(map(bool, self.best.values())), sum(one["points"] for one in self.kept.history)
        now = f"Going on: {', '.join(self.kept.now.faults)}; exercise() tells it." if self.kept.now else ""
        return " ".join(filter(None, [f"{solved} of {len(self.every)} solved, {points} points in all.", now]))

    def __str__(self) -> str:
        told = []
        for number in dict.fromkeys(one.chapter for one in self.every):
            told.append(f"Chapter {number}, {TITLES[number]}")
            mine = [one for one in self.every if one.chapter == number]
            told += [f"  {'✓' if self.points(one) else ' '} {one.id:<24} “{one.symptom}”" for one in mine]
        return "\n".join([*told, self.tail()])

    def body(self) -> str:
        parts = []
        for number in dict.fromkeys(one.chapter for one in self.every):
            mine = [one for one in self.every if one.chapter == number]
            rows = [
                [
                    "<span class=good>✓</span>" if self.points(one) else "",
                    f"<code>{html.escape(one.id)}</code>",
                    f"“{html.escape(one.symptom)}”",
                    self.points(one),
                ]
                for one in mine
            ]
            solved = sum(bool(self.points(one)) for one in mine)
            head = f"Chapter {number}, {html.escape(TITLES[number])} <span class=dim>{solved} of {len(mine)}</span>"
            opened = " open" if solved < len(mine) else ""
            parts.append(f"<details{opened}><summary><b>{head}</b></summary>{listed(rows)}</details>")
        return "".join(parts) + html.dim(self.tail())


def listed(rows: Sequence[Sequence[str]]) -> str:
    table = html.table(["", "exercise(…)", "what people will tell you", "points"], rows)
    return f"<div class=list>{table}</div>"


def quoted(text: str) -> str:
    return f"<div class=said>“{html.escape(text)}”</div>"


def link(address: str, text: str) -> str:
    return f'<a href="{html.escape(address)}">{html.escape(text)}</a>'


def sign(one: dict[str, Any]) -> str:
    return "✓" if one["points"] else "–"


def lasted(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02} min"
