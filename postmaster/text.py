"""A passport for the terminal."""

from __future__ import annotations

from textwrap import wrap
from typing import IO

from rich.console import Console
from rich.text import Text

from checks.engine.check import CHAPTERS
from postmaster.model import Hop, Passport
from postmaster.read.lines import clock

COLOURS = {"good": "green", "warn": "yellow", "bad": "bold red"}
SIGNS = {"good": "✓", "warn": "!", "bad": "✖"}
PLAIN = {"good": "ok", "warn": "!", "bad": "XX"}
INDENT = 3  # blanks for each branching
FEW = 3  # recipients named in full
NAMES = {number: name for number, name in CHAPTERS.values()}


def place(hop: Hop) -> str:
    return f"chapter {hop.chapter}, {hop.step}" if hop.chapter and hop.step else ""


def people(recipients: tuple[str, ...], most: int = FEW) -> str:
    named = ", ".join(recipients[:most])
    return f"{named} and {len(recipients) - most} more" if len(recipients) > most else named


def elapsed(milliseconds: float) -> str:
    if milliseconds < 10_000:
        return f"+{milliseconds:.1f} ms" if milliseconds < 100 else f"+{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    return (
        f"+{seconds:.1f} s"
        if seconds < 600
        else f"+{seconds / 3600:.1f} h"
        if seconds > 7200
        else f"+{seconds / 60:.0f} min"
    )


def times(hop: Hop) -> str:
    return f", {hop.times} times until {clock(hop.until)[:8]}" if hop.times > 1 else ""


def show(
    passport: Passport, file: IO[str] | None = None, width: int = 0, everybody: bool = False, log: bool = False
) -> None:
    # in a kernel rich would display by itself, beside the file; and a file wants no colours
    console = Console(
        file=file,
        highlight=False,
        emoji=False,
        markup=False,
        force_jupyter=False,
        force_terminal=False if file else None,
        color_system=None if file else "auto",
    )
    console.width = width or min(console.width, 120)
    utf = "utf" in (console.encoding or "").lower()
    signs = SIGNS if utf else PLAIN
    console.print(Text(f"The passport of {passport.message_id or passport.asked}", "bold"))
    console.print(Text(f"{passport.host}, {clock(passport.began, date=True)} UTC, told by {passport.source}", "dim"))
    last = None
    for depth, hop in passport.walked():
        if hop.queue != last:
            console.print(
                Text(" " * (depth * INDENT) + (f"queue id {hop.queue}" if hop.queue else "before the queue"), "dim")
            )
            last = hop.queue
        _hop(console, signs, passport, hop, depth, everybody)
        for line in hop.lines if log else ():
            _indented(console, depth * INDENT + 4, line, "dim")
    console.print()
    for note in [*fates(passport), *passport.notes]:
        _indented(console, 0, note, "bold")
    _indented(
        console, 0, "Settings are quoted as the host has them now; the log does not say what they were then.", "dim"
    )


def _hop(console: Console, signs: dict[str, str], passport: Passport, hop: Hop, depth: int, everybody: bool) -> None:
    margin = " " * (depth * INDENT)
    line = Text(margin)
    line.append(f"{signs[hop.mood]} ", COLOURS[hop.mood])
    line.append(f"{clock(hop.at)} {elapsed(passport.milliseconds(hop)):>11}  ", "dim")
    line.append(f"{hop.station}: ")
    line.append(f"{hop.verdict}{times(hop)}", COLOURS[hop.mood])
    head = line.plain
    if len(head) > console.width:  # a deep branch on a narrow terminal: the verdict goes below
        line = line[: len(head) - len(hop.verdict + times(hop)) - 1]
        console.print(line)
        _indented(console, len(margin) + 4, hop.verdict + times(hop), COLOURS[hop.mood])
    else:
        console.print(line)
    if hop.recipients:
        who = people(hop.recipients, len(hop.recipients) if everybody else FEW)
        _indented(console, len(margin) + 4, f"for {who}", "")
    if hop.what:
        _indented(console, len(margin) + 4, hop.what, "")
    decided, where = f"[{hop.setting}]" if hop.setting else "", place(hop)
    if decided and len(margin) + 6 + len(decided) + len(where) <= console.width:
        decided, where = f"{decided}  {where}", ""
    _indented(console, len(margin) + 4, decided, "cyan")
    _indented(console, len(margin) + 4, where, "dim")


def fates(passport: Passport) -> list[str]:
    """One sentence for each folder, and for what reached none."""
    by_folder: dict[str, list[str]] = {}
    for who, folders in passport.folders.items():
        for folder in dict.fromkeys(folders):
            by_folder.setdefault(folder, []).append(who)
    said = [f"In {folder}: {people(tuple(who))}." for folder, who in by_folder.items()]
    ends = [hop for hop in passport.hops if not passport.following(hop) and not hop.folder and hop.mood != "good"]
    said += [f"{hop.station}: {hop.verdict}{f', {people(hop.recipients)}' if hop.recipients else ''}." for hop in ends]
    return said


def _indented(console: Console, by: int, text: str, style: str) -> None:
    """Wrapped here, not by rich: it would fill each line with blanks, which logs keep."""
    for piece in wrap(text, max(console.width - by, 24), break_on_hyphens=False):
        console.print(Text(" " * by + piece, style))
