"""A passport for the terminal."""

from collections.abc import Sequence
from textwrap import wrap
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from postmaster.model import Hop, Passport
from postmaster.read.lines import clock

COLOURS = {"good": "green", "warn": "yellow", "bad": "bold red"}
SIGNS = {"good": "✓", "warn": "!", "bad": "✖"}
PLAIN = {"good": "ok", "warn": "!", "bad": "XX"}
INDENT = 3  # blanks for each branching
FEW = 3  # recipients named in full


def place(hop: Hop) -> str:
    return f"chapter {hop.chapter}, {hop.step}" if hop.chapter and hop.step else ""


def people(recipients: Sequence[str], most: int = FEW) -> str:
    named = ", ".join(recipients[:most])
    return f"{named} and {len(recipients) - most} more" if len(recipients) > most else named


def elapsed(milliseconds: float) -> str:
    for most, size, form, unit in ((100, 1, ".1f", "ms"), (10_000, 1, ".0f", "ms"), (600_000, 1000, ".1f", "s")):
        if milliseconds < most:
            return f"+{milliseconds / size:{form}} {unit}"
    minutes = milliseconds / 60_000
    return f"+{minutes:.0f} min" if minutes <= 120 else f"+{minutes / 60:.1f} h"


def times(hop: Hop) -> str:
    return f", {hop.times} times until {clock(hop.until)[:8]}" if hop.times > 1 else ""


def show(
    passport: Passport, file: IO[str] | None = None, width: int = 0, everybody: bool = False, log: bool = False
) -> None:
    """Print it, at most 120 columns wide; `everybody` names each recipient, `log` adds the log's lines."""
    # rich with nothing of its own: no markup, in a kernel no display beside the file, and no colours in a file
    plain: dict[str, Any] = {"force_terminal": False, "color_system": None} if file else {}
    console = Console(file=file, highlight=False, emoji=False, markup=False, force_jupyter=False, **plain)
    console.width = width or min(console.width, 120)
    signs = SIGNS if "utf" in (console.encoding or "").lower() else PLAIN
    console.print(Text(f"The passport of {passport.message_id or passport.asked}", "bold"))
    console.print(Text(f"{passport.host}, {clock(passport.began, date=True)} UTC, told by {passport.source}", "dim"))
    last = None
    for depth, hop in passport.walked():
        if hop.queue != last:
            where = f"queue id {hop.queue}" if hop.queue else "before the queue"
            console.print(Text(" " * (depth * INDENT) + where, "dim"))
            last = hop.queue
        _hop(console, signs, passport, hop, depth, everybody)
        for line in hop.lines if log else ():
            _indented(console, depth * INDENT + 4, line, "dim")
    console.print()
    for note in [*fates(passport), *passport.notes]:
        _indented(console, 0, note, "bold")
    now = "Settings are quoted as the host has them now; the log does not say what they were then."
    _indented(console, 0, now, "dim")


def _hop(console: Console, signs: dict[str, str], passport: Passport, hop: Hop, depth: int, everybody: bool) -> None:
    margin = " " * (depth * INDENT)
    when = f"{clock(hop.at)} {elapsed(passport.milliseconds(hop)):>11}  "
    verdict, colour = hop.verdict + times(hop), COLOURS[hop.mood]
    line = Text.assemble(margin, (f"{signs[hop.mood]} ", colour), (when, "dim"), f"{hop.station}: ", (verdict, colour))
    below = len(line) > console.width  # a deep branch on a narrow terminal: the verdict goes below
    console.print(line[: len(line) - len(verdict) - 1] if below else line)
    who = people(hop.recipients, len(hop.recipients) if everybody else FEW)
    decided, where = f"[{hop.setting}]" if hop.setting else "", place(hop)
    if decided and len(margin) + 6 + len(decided) + len(where) <= console.width:
        decided, where = f"{decided}  {where}", ""
    rows = [(verdict if below else "", colour), (f"for {who}" if who else "", ""), (hop.what, "")]
    for text, style in [*rows, (decided, "cyan"), (where, "dim")]:
        _indented(console, len(margin) + 4, text, style)


def fates(passport: Passport) -> list[str]:
    """One sentence for each folder, and for what reached none."""
    by_folder: dict[str, list[str]] = {}
    for who, folders in passport.folders.items():
        for folder in dict.fromkeys(folders):
            by_folder.setdefault(folder, []).append(who)
    said = [f"In {folder}: {people(tuple(who))}." for folder, who in by_folder.items()]
    ends = [hop for hop in passport.ends if not hop.folder and hop.mood != "good"]
    said += [f"{hop.station}: {hop.verdict}{f', {people(hop.recipients)}' if hop.recipients else ''}." for hop in ends]
    return said


def _indented(console: Console, by: int, text: str, style: str) -> None:
    """Wrapped here, not by rich: it would fill each line with blanks, which logs keep."""
    for piece in wrap(text, max(console.width - by, 24), break_on_hyphens=False):
        console.print(Text(" " * by + piece, style))
