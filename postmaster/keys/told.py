"""Keys for the terminal: a line each, and what to do next."""

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from postmaster.keys.state import Key
from postmaster.zone.need import shown
from postmaster.zone.told import COLOURS, PLAIN, SIGNS, console, indented

ROLES = {"signs": "signs since {since}", "next": "next, made {since}", "old": "signed until {until}", "gone": "retired"}
RECORDS = {
    "right": "record right",
    "wrong": "record wrong",
    "advice": "record",
    "unknown": "record not known",
    "unneeded": "record",
}


def records(keys: Sequence[Key], made: set[str]) -> list[str]:
    """As `dns print` prints them: a zone file's lines."""
    lines = [
        f"; {len(made)} made, {len(keys) - len(made)} made before; nothing signs with them yet. Publish, each in its zone:"
    ]
    for key in keys:
        lines.append(f"{key.name}. 3600 IN TXT {shown('TXT', key.record)}")
    return [
        *lines,
        "; A provider's form: python -m postmaster dns print --table",
        "; Then: python -m postmaster dkim switch",
    ]


def state(host: str, rows: Sequence[dict[str, Any]]) -> None:
    out = console()
    signs = SIGNS if "utf" in (out.encoding or "").lower() else PLAIN
    out.print(Text(f"The keys that sign on {host}", "bold"))
    for row in rows:
        out.print()
        out.print(Text(row["domain"], "bold"))
        for key in row["keys"]:
            when = ROLES[key["role"]].format(since=key["since"][:10], until=key["until"][:10])
            sign = key["sign"]
            line = Text.assemble("  ", (f"{signs[sign]:<2}", COLOURS[sign]), f"{key['selector']:<16} {when:<26} ")
            out.print(line.append(f"{RECORDS[sign]}: {key['says']}", "dim"), soft_wrap=True)
        if row["next"]:
            indented(out, f"→ {row['next']}", "bold")
