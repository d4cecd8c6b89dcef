"""The board and the matrix of letters in the terminal."""

from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from classroom.board import Board, Row, minutes, place_of
from classroom.letters import SIGNS, Post
from notebooks.workbench.step.rewinding import OPTIONAL
from notebooks.workbench.step.steps import CHAPTERS

WIDE = 110  # columns from which on a bar is long


def console(file: IO[str] | None = None, width: int = 0) -> Console:
    made = Console(file=file, highlight=False, emoji=False, markup=False)
    made.width = width or min(made.width, 160)
    return made


def board(shown: Board, to: Console) -> None:
    bar, name = (7, 26) if to.width >= WIDE else (3, 18)
    table = Table(box=None, padding=(0, 1), pad_edge=False, collapse_padding=True)
    table.add_column("learner", no_wrap=True, overflow="ellipsis", max_width=name)
    for number in CHAPTERS.values():
        table.add_column(f"{number}", justify="center", no_wrap=True, min_width=bar + 1)
    # a host's whole reason for refusing must not take the room of the bars
    table.add_column("is at", no_wrap=True, overflow="ellipsis", max_width=to.width - name - 6 * (bar + 2) - 9)
    table.add_column("since", justify="right", no_wrap=True, min_width=6)
    for row in shown.rows:
        table.add_row(
            Text(row.learner.called),
            *cells(row, bar),
            where(row),
            Text(minutes(shown, row), "bold yellow" if shown.trouble(row) else "dim"),
            style="on grey19" if shown.trouble(row) else "",
        )
    to.print(table)
    to.print(
        Text(
            f"{len(shown.rows)} hosts asked in {shown.seconds:.1f} s; chapter {CHAPTERS[OPTIONAL]} may be left out",
            "dim",
        )
    )
    if shown.wanting:
        few = ", ".join(f"{row.learner.called} ({minutes(shown, row)})" for row in shown.wanting[:5])
        more = f" and {len(shown.wanting) - 5} more" if shown.wanting[5:] else ""
        to.print(Text(f"May want help: {few}{more}", "bold yellow"))
    if any(row.changed(chapter) and row.count(chapter)[0] for row in shown.rows for chapter in CHAPTERS):
        to.print(Text("! something was done there and is otherwise now", "yellow"))


def cells(row: Row, width: int) -> list[Text]:
    """A bar for each chapter: something of it as soon as one step is done, and all of it only when all are."""
    found = []
    for chapter in CHAPTERS:
        done, of = row.count(chapter)
        full = min(max(round(done / of * width), 1), width - (done < of)) if done else 0
        colour = "yellow" if row.changed(chapter) else "green"
        bar = Text("━" * full, colour) + Text("╌" * (width - full), "dim")
        found.append(bar + Text("!" if row.changed(chapter) and done else " ", colour))
    return found


def where(row: Row) -> Text:
    if row.state == "away":
        return Text("does not answer", "bold red")
    if row.state == "refused":
        return Text(f"refused: {row.why.removeprefix('refused: ')}", "bold red")
    return Text(place_of(row), "" if row.at else "green")


def post(shown: Post, to: Console) -> None:
    """Who reaches whom: a row for who writes, a column for who is written to."""
    widest = max(len(one.called) for one in shown.learners)
    names = [one.called if len(one.called) <= 24 else f"{one.called[:23]}…" for one in shown.learners]
    left = min(widest, 24) + 4
    to.print(Text("to".rjust(left + 1) + "".join(f"{n:>3}" for n in range(1, len(names) + 1)), "dim"))
    for number, (learner, called) in enumerate(zip(shown.learners, names, strict=True), 1):
        line = Text(f"{number:>3} ", "dim") + Text(f"{called:<{left - 3}}")
        for other in shown.learners:
            sign, colour = SIGNS[shown.state(learner.name, other.name)]
            line += Text(f"{sign:>3}", colour)
        to.print(line)
    to.print(Text("    ✓ arrived   … waits   ✖ refused or sent back   – never left   ? no trace", "dim"))
    to.print(Text(f"{shown.arrived} of {len(shown.letters)} letters arrived, in {shown.seconds:.1f} s", "bold"))
    for why, pairs in shown.reasons().items():
        few = ", ".join(pairs[:4]) + (f" and {len(pairs) - 4} more" if pairs[4:] else "")
        to.print(Text("✖ ", "bold red") + Text(f"{few}: {why}"))
