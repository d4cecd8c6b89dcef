"""What the suite counted: one row for each kind of thing that was tried, kept in a file, shown as tables.

A row lands in the file as soon as it is counted, so that a run of several workers, or one that was cut off, still has figures.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from lab import names

# What each table counts. The columns in NONE have to be zero; "seconds" is from the fault to the next letter end to end.
COLUMNS: dict[str, tuple[str, ...]] = {
    "faults": ("injected", "lost", "altered", "duplicated", "seconds"),
    "deploys": ("interrupted", "converged", "not converged"),
    "attacks": ("tried", "refused", "got in"),
    "drift": ("injected", "put back", "named", "refused", "unseen"),
    "inputs": ("tried", "refused clearly", "worked", "neither"),
    "odd mail": ("tried", "identical", "refused", "altered"),
    "log": ("lines", "unexplained"),
}
NONE = ("lost", "altered", "duplicated", "not converged", "got in", "neither", "unexplained", "unseen")


def file() -> Path:
    """Where the rows are kept: one line of JSON each."""
    return names.ROOT / ".lab-faults.jsonl"


def count(table: str, name: str, suite: str = "", **figures: float) -> None:
    """Keep a row of `table` (a key of COLUMNS): what was tried, on which release, and its figures by column.

    A blank in a column's name is an underscore here: count("attacks", "relay", "trixie", tried=48, refused=48, got_in=0).
    Raises ValueError for a column that the table does not have or a figure that is missing.
    """
    found = {key.replace("_", " "): value for key, value in figures.items()}
    if set(found) != set(COLUMNS[table]):
        raise ValueError(f"{table} counts {', '.join(COLUMNS[table])}; given were {', '.join(found)}")
    with file().open("a") as kept:
        kept.write(json.dumps({"table": table, "name": name, "suite": suite, **found}) + "\n")


def rows() -> list[dict[str, str | float]]:
    """All rows that were counted since the file was last removed."""
    return [json.loads(line) for line in file().read_text().splitlines()] if file().exists() else []


def not_zero(found: Iterable[dict[str, str | float]]) -> list[str]:
    """The figures that have to be zero and are not, a sentence each."""
    return [
        f"{row['table']}: {row['name']} {row['suite']}: {column} is {row[column]}"
        for row in found
        for column in NONE
        if row.get(column)
    ]


def show(console: Console | None = None) -> None:
    """The report: a table for each kind, with its sums."""
    console = console or Console(width=None if sys.stdout.isatty() else 140)  # a log is wide enough
    found = rows()
    for kind, columns in COLUMNS.items():
        ours = [row for row in found if row["table"] == kind]
        if not ours:
            continue
        table = Table("what", "host", title=kind, title_justify="left", box=box.SIMPLE, show_footer=len(ours) > 1)
        table.columns[0].footer = "together"
        for column in columns:
            worst = column == "seconds"
            numbers = [float(row[column]) for row in ours]
            total = max(numbers) if worst else sum(numbers)
            table.add_column(column + (" (worst)" if worst else ""), f"{total:g}", justify="right")
        for row in sorted(ours, key=lambda one: (str(one["name"]), str(one["suite"]))):
            cells = (
                f"[red]{row[column]:g}[/red]" if column in NONE and row[column] else f"{row[column]:g}"
                for column in columns
            )
            table.add_row(str(row["name"]), str(row["suite"]), *cells)
        console.print(table)
