"""A passport as SVG, for light and dark: stations on a conveyor belt that branches where recipients part."""

from dataclasses import dataclass
from html import escape
from textwrap import wrap

from postmaster.model import Hop, Passport, clipped
from postmaster.text import elapsed, fates, people, place, times

WIDTH, HEIGHT, GAP = 206, 134, 22  # of a card, and between two
ROW, BELT, MARGIN = 4, 30, 8  # cards in a row; height of the belt below them
STEP = 30  # to the right, for each branching
MOST = 12  # branches drawn below one station
COLOURS = {"good": "var(--good, #2e9e4f)", "warn": "var(--warn, #b7791f)", "bad": "var(--bad, #d9433f)"}
MONO = "10px ui-monospace, 'DejaVu Sans Mono', Menlo, monospace"
STYLE = """svg { color-scheme: light dark; color: #1d2430; background: #fff; --soft: rgba(128,128,128,.10); }
@media (prefers-color-scheme: dark) { svg { color: #e3e6ea; background: #14181d; --good: #4cc272; --bad: #f0716d; --warn: #d9a441; } }"""


@dataclass
class Row:
    """Up to four cards on one piece of belt."""

    depth: int
    hops: list[Hop]
    parent: int | None  # the row it comes down from
    more: int = 0  # branches that are not drawn


def rows_of(passport: Passport) -> list[Row]:
    rows: list[Row] = []

    def lay(hop: Hop, depth: int, parent: int | None) -> None:
        chain = [hop]
        while len(after := passport.following(chain[-1])) == 1:
            chain += after
        for start in range(0, len(chain), ROW):
            rows.append(Row(depth, chain[start : start + ROW], parent))
            parent = len(rows) - 1
        for one in after[:MOST]:
            lay(one, depth + 1, parent)
        if after[MOST:]:
            rows.append(Row(depth + 1, [], parent, len(after) - MOST))

    for hop in passport.following(None):
        lay(hop, 0, None)
    return rows


def drawing(passport: Passport, style: str = "") -> str:
    """The <svg>; colours come from the page's variables, where it has them."""
    rows = rows_of(passport)
    heights = [HEIGHT + BELT if row.hops else 30 for row in rows]
    tops = [MARGIN + sum(heights[:n]) for n in range(len(rows))]
    width = max(row.depth * STEP + len(row.hops) * (WIDTH + GAP) for row in rows) + 2 * MARGIN + STEP
    parts = []
    for row, top in zip(rows, tops, strict=True):
        x = MARGIN + STEP + row.depth * STEP
        if row.parent is not None:
            from_x = MARGIN + STEP + rows[row.parent].depth * STEP + (8 if rows[row.parent].depth < row.depth else -14)
            from_y = tops[row.parent] + HEIGHT + 12
            middle = top + HEIGHT // 2 if row.hops else top + 14
            turn = f"M{from_x},{from_y} V{middle - 8} q0,8 8,8 H{x - 5}"
            parts.append(line(f"{turn} m-5,-5 l5,5 l-5,5"))
        if row.more:
            parts.append(said(x, top + 18, f"and {row.more} more branches: the text names them", "12px"))
            continue
        parts.append(belt(x - 6, top + HEIGHT, len(row.hops) * (WIDTH + GAP) - GAP + 12))
        parts += [card(passport, hop, x + n * (WIDTH + GAP), top, n) for n, hop in enumerate(row.hops)]
    label = escape(". ".join([f"The way of {passport.message_id or passport.asked}", *fates(passport)]))
    height = tops[-1] + heights[-1] + MARGIN
    inner = f"<style>{style}</style>" if style else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{label}">'
        f"{inner}{''.join(parts)}</svg>"
    )


def document(passport: Passport) -> str:
    """The picture as a file of its own."""
    return drawing(passport, STYLE) + "\n"


def belt(x: int, y: int, width: int) -> str:
    """Two rails and the rollers between them."""
    gap = (width - 18) / (width // 34)
    rollers = "".join(f'<circle cx="{x + 9 + n * gap:.0f}" cy="{y + 9}" r="3.4"/>' for n in range(width // 34 + 1))
    rails = f'<rect x="{x}" y="{y + 2}" width="{width}" height="14" rx="7"/>'
    return f'<g fill="none" stroke="currentColor" stroke-opacity=".45">{rails}{rollers}</g>'


def line(path: str) -> str:
    return f'<path d="{path}" stroke="currentColor" opacity=".55" fill="none"/>'


def card(passport: Passport, hop: Hop, x: int, y: int, number: int) -> str:
    colour = COLOURS[hop.mood]
    who = f"for {people(hop.recipients, 1)}" if hop.recipients else ""
    arrow = line(f"M{x - GAP + 3},{y + 60} h{GAP - 7} m-5,-5 l5,5 l-5,5") if number else ""
    lines = [said(x + 10, y + 19, clipped(hop.station, 28), "600 12px")]
    lines += [said(x + 10, y + 36, clipped(hop.verdict + times(hop), 27), "600 12px", colour)]
    row = y + 52
    for text, face, most, count in ((who, "10.5px", 32, 2), (hop.what, "10.5px", 32, 2), (hop.setting, "mono", 30, 2)):
        for piece in cut(text, most, count):
            lines.append(said(x + 10, row, piece, face, opacity=".85"))
            row += 13
    foot = place(hop)
    lines.append(said(x + 10, y + HEIGHT - 9, foot, "10px", opacity=".65"))
    when = elapsed(passport.milliseconds(hop))
    lines.append(said(x + WIDTH - 10, y + HEIGHT - 9, when, "10px", opacity=".65", end=True))
    everything = "\n".join(filter(None, [hop.station, hop.verdict + times(hop), who, hop.what, hop.setting, foot]))
    return (
        f'{arrow}<g><title>{escape(everything)}</title><rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="7" '
        f'fill="var(--soft, rgba(128,128,128,.10))" stroke="{colour}"/>{"".join(lines)}</g>'
    )


def said(
    x: int, y: int, text: str, face: str, colour: str = "currentColor", opacity: str = "1", end: bool = False
) -> str:
    font = f"{face} system-ui, sans-serif" if face != "mono" else MONO
    # fill in the style too: a page's own rule for text would win over the attribute
    style, anchor = f"font: {font}; fill: {colour}", ' text-anchor="end"' if end else ""
    return f'<text x="{x}" y="{y}"{anchor} opacity="{opacity}" style="{style}">{escape(text)}</text>'


def cut(text: str, width: int, rows: int) -> list[str]:
    """At most so many lines; longer text ends in an ellipsis (the tooltip has all)."""
    pieces = wrap(text, width, break_on_hyphens=False)
    return pieces if len(pieces) <= rows else [*pieces[: rows - 1], pieces[rows - 1][: width - 1] + "…"]
