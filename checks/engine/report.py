"""The results for people (grouped, with signs) and for programs (JSON)."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import groupby
from textwrap import wrap
from typing import IO

from rich.console import Console
from rich.text import Text

from checks.engine.check import CHAPTERS, Result
from checks.engine.target import Target

SIGNS = {"pass": "✓", "fail": "✖", "warn": "!", "skip": "–"}
PLAIN = {"pass": "ok", "fail": "FAIL", "warn": "!", "skip": "-"}  # where the terminal has no signs
COLOURS = {"pass": "green", "fail": "bold red", "warn": "yellow", "skip": "dim"}
WORDS = {"pass": "proven", "fail": "failed", "warn": "to look at", "skip": "skipped"}
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
            "results": [asdict(result) for result in results],
            "passed": count["pass"],
            "failed": count["fail"],
            "warned": count["warn"],
            "skipped": count["skip"],
            "seconds": round(seconds, 2),
        },
        indent=2,
        ensure_ascii=False,
    )


def show(
    target: Target, results: Sequence[Result], seconds: float, file: IO[str] | None = None, *, short: bool = False
) -> None:
    """Print the report: what failed as a service first, then chapter by chapter. The short one only counts what passed."""
    console = Console(file=file, highlight=False, emoji=False, markup=False)
    console.width = min(console.width, 100)
    origin = "this machine" if target.via == "direct" else target.via
    console.print(Text(f"{target.hostname} ({target.address}), asked from {origin}", "bold"))
    if dead := stopped(results):
        console.print(Text("\nStopped early: what stands on these was skipped.", "bold red"))
        for result in dead:
            _line(console, result)
    rest = [result for result in results if result not in dead]
    gap = "" if short else "\n"
    for number, found in groupby(rest, key=lambda result: result.chapter):
        group = list(found)
        head = Text(f"{gap}Chapter {number}  {TITLES[number]}", "bold")
        if short:
            count = counts(group)
            told = ", ".join(f"{count[verdict]} {word}" for verdict, word in WORDS.items() if count[verdict])
            head = Text(head.plain.ljust(52), "bold").append(told, "dim")
            group = [result for result in group if result.verdict in ("fail", "warn")]
        console.print(head)
        skipped: dict[str, list[Result]] = {}
        for result in group:
            if result.verdict == "skip":
                skipped.setdefault(result.evidence, []).append(result)
            else:
                _line(console, result)
        for first, *more in skipped.values():
            title = f"{len(more) + 1} checks" if more else first.title
            _line(console, replace(first, title=f"skipped: {title}"))
    console.print(Text(f"{gap}{closing(results, seconds)}", "bold"))
    if short:
        console.print(Text("Each claim with its evidence: python -m checks", "dim"))


def stopped(results: Sequence[Result]) -> list[Result]:
    """The failures that made others skip."""
    named = " ".join(result.remedy for result in results if result.verdict == "skip")
    return [r for r in results if r.verdict == "fail" and f"See {r.id}:" in named]


def _line(console: Console, result: Result) -> None:
    signs = SIGNS if "utf" in (console.encoding or "").lower() else PLAIN
    wide = max(len(sign) for sign in signs.values())
    colour = COLOURS[result.verdict]
    line = Text("  ")
    line.append(signs[result.verdict].ljust(wide) + " ", colour)
    line.append(result.title, colour if result.verdict in ("fail", "skip") else "")
    if result.seconds >= 1:
        line.append(f" ({result.seconds:.1f} s)", "dim")
    console.print(line)
    about = [(result.evidence, "dim")]
    if result.verdict in ("fail", "warn"):
        if result.remedy:
            about.append((f"Remedy: {result.remedy}", "cyan"))
        about.append((f"Explained in chapter {result.chapter}, {result.step} [{result.id}]", "dim"))
    for text, style in about:
        for row in text.splitlines():
            # Wrapped here, not by rich: it would fill each line with blanks, which logs keep.
            for piece in wrap(row, max(console.width - wide - 5, 20), break_on_hyphens=False):
                console.print(Text(" " * (wide + 5) + piece, style))
