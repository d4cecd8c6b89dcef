"""What a cell shows: HTML in a notebook, plain text everywhere else."""

import html
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

STYLE = "".join(line.strip() for line in (Path(__file__).parent / "style.css").read_text().splitlines())
FOLD = 25  # lines; what is longer is folded
EVIDENCE = 6  # lines of it in plain text
SIGNS = {"✓": "good", "✖": "bad", "!": "warn", "?": "warn", "–": "dim"}
Finding = tuple[str, str, str, str]  # sign, what it is about, what was seen, the evidence


class Shown:
    """Something to look at. Subclasses give `body()` (HTML) and `__str__` (text)."""

    def body(self) -> str:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        # each output carries its own few styles: outputs are rerun, reordered and saved one by one
        # $ is a shell's and a hash's here, never TeX: https://docs.mathjax.org/en/latest/options/document.html#document-ignorehtmlclass
        return f'<style>{STYLE}</style><div class="mr mathjax_ignore">{self.body()}</div>'

    def __repr__(self) -> str:
        return str(self)


class Note(Shown):
    """A sentence or two in a box: kind is "", "good", "bad" or "warn"."""

    def __init__(self, title: str, text: str = "", kind: str = "") -> None:
        self.title, self.text, self.kind = title, text, kind

    def __str__(self) -> str:
        return f"{self.title}\n{self.text}".strip()

    def body(self) -> str:
        return box(f"<b class=h>{escape(self.title)}</b> {lines(self.text)}", self.kind)


class Text(Shown):
    """Output of a command, or a file; long ones are folded."""

    def __init__(self, text: str, title: str = "") -> None:
        self.text, self.title = text.rstrip("\n"), title

    def __str__(self) -> str:
        return self.text

    def body(self) -> str:
        return dim(self.title) + folded(self.text)


class Table(Shown):
    """Rows under headings; as wide as it needs, in a box that scrolls."""

    def __init__(self, headings: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
        self.headings, self.title = list(headings), title
        self.rows = [["" if cell is None else str(cell) for cell in row] for row in rows]

    def __str__(self) -> str:
        every = [self.headings, *self.rows]
        widths = [max(len(row[n]) for row in every) for n in range(len(self.headings))]
        text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in every]
        return "\n".join(([self.title] if self.title else []) + text + ([] if self.rows else ["(no rows)"]))

    def body(self) -> str:
        return dim(self.title) + table(self.headings, [[escape(cell) for cell in row] for row in self.rows])


class Findings(Shown):
    """A heading, and a line for each finding: its sign, what it is about, what was seen, and the evidence."""

    def __init__(self, title: str, rows: Iterable[Finding], *, lead: str = "", tail: str = "") -> None:
        self.title, self.rows, self.lead, self.tail = title, list(rows), lead, tail

    def __str__(self) -> str:
        told = [self.title, *filter(None, [self.lead])]
        for sign, about, seen, evidence in self.rows:
            told.append(f"  {sign} {': '.join(filter(None, [about, seen]))}")
            told += [f"      {line}" for line in evidence.splitlines()[:EVIDENCE]]
        return "\n".join([*told, *(f"  {line}" for line in self.tail.splitlines())])

    def body(self) -> str:
        rows = [
            [
                f'<span class="{SIGNS.get(sign, "")}">{sign}</span>',
                f"<span class=dim>{escape(about)}</span>",
                f'<div class=pre>{escape(seen)}</div><div class="dim pre">{escape(evidence)}</div>',
            ]
            for sign, about, seen, evidence in self.rows
        ]
        lead = f"<div class=col>{pre(escape(self.lead))}</div>" if self.lead else ""
        kind = "bad" if any(sign == "✖" for sign, *_ in self.rows) else "good"
        listed = table([], rows) if rows else ""
        return box(f"<b class=h>{escape(self.title)}</b>{lead}{listed}{dim(self.tail)}", kind)


def escape(text: object) -> str:
    return html.escape(str(text))


def dim(text: str) -> str:
    """A line of its own, less important than the others; nothing for an empty one."""
    return f"<div class=dim>{lines(text)}</div>" if text else ""


def lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def box(inner: str, kind: str = "") -> str:
    return f'<div class="box {kind}">{inner}</div>'


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The cells are HTML already."""
    head = "".join(f"<th>{escape(text)}</th>" for text in headings)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    body = body or f'<tr><td colspan="{len(headings)}" class=dim>(no rows)</td></tr>'
    head = head and f"<thead><tr>{head}</tr></thead>"
    return f"<div class=wide><table>{head}<tbody>{body}</tbody></table></div>"


def folded(text: str) -> str:
    """Preformatted text; beyond FOLD lines, the rest is behind a click."""
    rows = text.split("\n")
    if len(rows) <= FOLD:
        return pre(escape(text))
    first, rest = ("\n".join(part) for part in (rows[: FOLD - 10], rows[FOLD - 10 :]))
    return f"{pre(escape(first))}{details(f'{len(rows) - FOLD + 10} more lines', escape(rest))}"


def details(summary: str, inner: str) -> str:
    """Preformatted HTML behind a click; nothing where there is none."""
    return f"<details><summary>{summary}</summary>{pre(inner)}</details>" if inner else ""


def prose(text: str) -> str:
    """A sentence of a docstring: what stands in backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def pre(inner: str) -> str:
    """Preformatted HTML; nothing where there is none: an empty one is a line high."""
    return f"<pre>{inner}</pre>" if inner else ""
