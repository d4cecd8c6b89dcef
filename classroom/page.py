"""The board as a page for the projector: one file without anything from elsewhere, that loads itself again."""

from html import escape
from pathlib import Path
from time import localtime, strftime

from classroom.board import Board, Row, minutes, place_of
from lab import state
from notebooks.workbench.step.steps import CHAPTERS

FILE = "board.html"
RELOAD = 5  # seconds; whether the board was asked again meanwhile, its time says
STYLE = (Path(__file__).parent / "board.css").read_text()
# A page whose board nobody asks any more would look like the present.
AGE = """const asked = %d; const told = () => { const s = Math.round(Date.now() / 1000 - asked);
document.getElementById("age").textContent = s < 90 ? "" : ` (${Math.round(s / 60)} min ago: python -m classroom board --every 20)`; };
told(); setInterval(told, 1000);"""


def write(board: Board) -> Path:
    state.write(FILE, page(board))
    return state.path(FILE)


def page(board: Board) -> str:
    heads = "".join(f"<th>{number}</th>" for number in CHAPTERS.values())
    clock = strftime("%H:%M:%S", localtime(board.at))
    there = sum(row.state == "asked" for row in board.rows)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="refresh" content="{RELOAD}"><title>The class</title><style>{STYLE}</style>'
        f'<body style="--rows:{max(len(board.rows), 8)}"><table>'
        f"<thead><tr><th>learner</th>{heads}<th>is at</th><th>since</th></tr></thead>"
        f"<tbody>{''.join(line(board, row) for row in board.rows)}</tbody></table>"
        f"{help_wanted(board)}"
        f'<footer>{there} of {len(board.rows)} servers answer, asked at {clock}<span id="age"></span></footer>'
        f"<script>{AGE % round(board.at)}</script></body></html>\n"
    )


def line(board: Board, row: Row) -> str:
    cells = "".join(cell(row, chapter) for chapter in CHAPTERS)
    if row.state == "asked":
        at, kind = place_of(row), "" if row.at else "good"
    else:
        at, kind = ("does not answer", "bad") if row.state == "away" else (row.why, "bad")
    trouble = board.trouble(row)
    return (
        f'<tr class="{trouble}"><th>{escape(row.learner.called)}</th>{cells}'
        f'<td class="at {kind}" title="{escape(at)}">{escape(at)}</td>'
        f'<td class="since">{"⚑ " if trouble else ""}{minutes(board, row)}</td></tr>'
    )


def help_wanted(board: Board) -> str:
    """Who may want help, the longest first, by name: a row's colour alone is not for everybody."""
    if not board.wanting:
        return ""
    few = ", ".join(f"{escape(row.learner.called)} {minutes(board, row)}" for row in board.wanting[:6])
    more = f" and {len(board.wanting) - 6} more" if board.wanting[6:] else ""
    return f'<p class="help">⚑ {few}{more}</p>'


def cell(row: Row, chapter: str) -> str:
    """A bar, and the number in it, for those who do not tell the colours apart."""
    done, of = row.count(chapter)
    if not of:
        return "<td></td>"
    odd = row.changed(chapter) and done > 0
    kind = "odd" if odd else "full" if done == of else "" if done else "none"
    text = "✓" if done == of else f"{done}/{of}" if done else "&nbsp;"
    return (
        f'<td class="chapter {kind}"><span style="--done:{100 * done / of:.0f}%">{text}{"!" if odd else ""}</span></td>'
    )
