"""The verdicts for the terminal: a line each, what is wrong below it, and the remedy."""

from collections.abc import Sequence
from textwrap import wrap
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from postmaster.zone.host import Facts
from postmaster.zone.need import shown

SIGNS = {"right": "✓", "wrong": "✖", "advice": "!", "unknown": "?", "unneeded": "–"}
PLAIN = {"right": "ok", "wrong": "XX", "advice": "!", "unknown": "?", "unneeded": "-"}
COLOURS = {"right": "green", "wrong": "bold red", "advice": "yellow", "unknown": "yellow", "unneeded": "dim"}
INDENT = 9
RECORD = "→ Add: "
MOST = 110  # columns; a longer line is hard to read


def console(file: IO[str] | None = None) -> Console:
    plain: dict[str, Any] = {"force_terminal": False, "color_system": None} if file else {}
    made = Console(file=file, highlight=False, emoji=False, markup=False, force_jupyter=False, **plain)
    made.width = min(made.width, MOST)
    return made


def verdicts(facts: Facts, rows: Sequence[dict[str, Any]], out: Console) -> None:
    """The required ones first, then the recommended ones, then how many of each."""
    signs = SIGNS if "utf" in (out.encoding or "").lower() else PLAIN
    where = f", mail from {', '.join(facts.addresses)}" if facts.addresses else ""
    out.print(Text(f"The DNS of {facts.name} for {', '.join(facts.domains)}{where}", "bold"))
    for required, title in ((True, "Required"), (False, "Recommended")):
        out.print()
        out.print(Text(title, "bold"))
        for row in rows:
            if row["required"] is required:
                verdict(row, signs, out)
    out.print()
    out.print(Text(summary(rows), "bold"))


def verdict(row: dict[str, Any], signs: dict[str, str], out: Console) -> None:
    """What is right takes one line; what is not says what it is for, what was found, and what to do."""
    sign, name = row["sign"], row["address"] or row["name"]
    head = Text.assemble("  ", (f"{signs[sign]:<2}", COLOURS[sign]), f"{row['type']:<6}", (name, COLOURS[sign]))
    quiet = sign in ("right", "unneeded")
    if quiet and len(head) + 2 + len(row["says"]) <= out.width:
        out.print(head.append(f"  {row['says']}", "dim"), soft_wrap=True)
        return
    out.print(head, soft_wrap=True)
    lines = [(row["says"], "dim" if quiet else "")]
    if not quiet:
        lines = [(row["why"], "dim"), *lines, *([(f"→ {row['remedy']}", "bold")] if row["remedy"] else [])]
    for text, style in lines:
        indented(out, text, style)


def indented(out: Console, text: str, style: str) -> None:
    """Wrapped between words; a line with a record in it is not, so that it can be copied whole."""
    whole = text.startswith(RECORD)
    width = max(out.width - INDENT, 24)
    for piece in [text] if whole else wrap(text, width, break_on_hyphens=False, break_long_words=False):
        out.print(Text(" " * INDENT + piece, style), soft_wrap=True)


def summary(rows: Sequence[dict[str, Any]]) -> str:
    count = {sign: len([row for row in rows if row["sign"] == sign]) for sign in SIGNS}
    said = [
        f"{count[sign]} {words}"
        for sign, words in (
            ("right", "right"),
            ("wrong", "to be mended"),
            ("advice", "could be better"),
            ("unknown", "not known"),
        )
        if count[sign]
    ]
    return ", ".join(said) + "."


def table(rows: Sequence[dict[str, Any]], out: Console) -> None:
    """The records as a provider's form asks for them: type, name, value; each value whole, to be copied."""
    for required, title in ((True, "Required"), (False, "Recommended")):
        out.print(Text(title, "bold"))
        for row in rows:
            if row["required"] is required and row["want"]:
                where = f"  of {row['address']}, where it is rented" if row["address"] else ""
                out.print(Text.assemble(f"    {row['type']:<6}", (row["name"], "bold"), (where, "dim")), soft_wrap=True)
                out.print(Text(" " * INDENT + shown(row["type"], row["want"]), "cyan"), soft_wrap=True)
                indented(out, row["why"], "dim")
        out.print()
