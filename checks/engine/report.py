"""The results for people (grouped, with signs) and for programs (JSON)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from textwrap import wrap
from typing import IO

from rich.console import Console
from rich.text import Text

from checks.engine.check import CHAPTERS, Result
from checks.engine.target import Target

SIGNS = {"pass": "✓", "fail": "✖", "warn": "!", "skip": "–"}
PLAIN = {"pass": "ok", "fail": "FAIL", "warn": "!", "skip": "-"}  # where the terminal has no signs
COLOURS = {"pass": "green", "fail": "bold red", "warn": "yellow", "skip": "dim"}
TITLES = dict(CHAPTERS.values())


def counts(results: Sequence[Result]) -> dict[str, int]:
    return {verdict: sum(r.verdict == verdict for r in results) for verdict in SIGNS}


def closing(results: Sequence[Result], seconds: float) -> str:
    count = counts(results)
    parts = [f"{count['pass']} passed", f"{count['fail']} failed"]
    if count["warn"]:
        parts.append(f"{count['warn']} to look at")
    parts.append(f"{count['skip']} skipped")
    return f"{', '.join(parts)} in {seconds:.1f} s"


def as_json(target: Target, results: Sequence[Result], seconds: float) -> str:
    count = counts(results)
    return json.dumps(
        {
            "target": {
                "hostname": target.hostname,
                "address": target.address,
                "domain": target.domain,
                "via": target.via,
            },
            "results": [result.as_dict() for result in results],
            "passed": count["pass"],
            "failed": count["fail"],
            "warned": count["warn"],
            "skipped": count["skip"],
            "seconds": round(seconds, 2),
        },
        indent=2,
        ensure_ascii=False,
    )


def show(target: Target, results: Sequence[Result], seconds: float, file: IO[str] | None = None) -> None:
    """Print the report: what failed as a service first, then chapter by chapter."""
    console = Console(file=file, highlight=False, emoji=False, markup=False)
    if console.width > 100:
        console.width = 100
    signs = SIGNS if "utf" in (console.encoding or "").lower() else PLAIN
    origin = "this machine" if target.via == "direct" else target.via
    console.print(Text(f"{target.hostname} ({target.address}), asked from {origin}", "bold"))
    dead = stopped(results)
    if dead:
        console.print()
        console.print(Text("Stopped early: what stands on these was skipped.", "bold red"))
        for result in dead:
            _line(console, signs, result)
    for number in sorted({result.chapter for result in results}):
        here = [r for r in results if r.chapter == number and r not in dead]
        if not here:
            continue
        console.print()
        console.print(Text(f"Chapter {number}  {TITLES[number]}", "bold"))
        for result in here:
            if result.verdict != "skip":
                _line(console, signs, result)
        for reason in dict.fromkeys(r.evidence for r in here if r.verdict == "skip"):
            _skipped(console, signs, [r for r in here if r.evidence == reason])
    console.print()
    console.print(Text(closing(results, seconds), "bold"))


def stopped(results: Sequence[Result]) -> list[Result]:
    """The failures that made others skip."""
    named = " ".join(result.remedy for result in results if result.verdict == "skip")
    return [r for r in results if r.verdict == "fail" and f"See {r.id}:" in named]


def _skipped(console: Console, signs: dict[str, str], results: Sequence[Result]) -> None:
    """All that were skipped for one reason, in one entry."""
    wide = max(len(sign) for sign in signs.values())
    count = f"{len(results)} checks" if len(results) > 1 else results[0].title
    console.print(Text(f"  {signs['skip'].ljust(wide)} skipped: {count}", "dim"))
    _indented(console, wide + 5, results[0].evidence, "dim")


def _line(console: Console, signs: dict[str, str], result: Result) -> None:
    colour = COLOURS[result.verdict]
    wide = max(len(sign) for sign in signs.values())
    line = Text("  ")
    line.append(signs[result.verdict].ljust(wide) + " ", colour)
    line.append(result.title, colour if result.verdict == "fail" else "")
    if result.seconds >= 1:
        line.append(f" ({result.seconds:.1f} s)", "dim")
    console.print(line)
    _indented(console, wide + 5, result.evidence, "dim")
    if result.verdict in ("fail", "warn"):
        if result.remedy:
            _indented(console, wide + 5, f"Remedy: {result.remedy}", "cyan")
        place = f"Explained in chapter {result.chapter}, {result.step} [{result.id}]"
        _indented(console, wide + 5, place, "dim")


def _indented(console: Console, by: int, text: str, style: str) -> None:
    """Wrapped here, not by rich: it would fill each line with blanks, which logs keep."""
    for line in text.splitlines():
        for piece in wrap(line, max(console.width - by, 20), break_on_hyphens=False):
            console.print(Text(" " * by + piece, style))
