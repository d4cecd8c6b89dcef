"""docs/article.md: each thought of the article has a step, a cell that tells it, and a proof."""

from __future__ import annotations

import re
from functools import cache

from checks.engine.check import STEPS
from tests.notebooks import cells
from tests.pages import holds, rows

ROWS = rows("article.md")
CHAPTERS = {chapter: names.split() for chapter, names in STEPS.items() if chapter in cells.CHAPTERS}
SERIES = "00"  # the notebook of the thoughts that are about all chapters


@cache
def sources() -> dict[str, str]:
    """The source of each cell by its place: "04:dovecot-tls-01"."""
    return {
        f"{notebook.name[:2]}:{cell.id}": plain(cell.source)
        for notebook in cells.ALL
        for cell in cells.load(notebook.stem).cells
    }


def plain(text: str) -> str:
    """Without what Markdown adds, and in one line."""
    return " ".join(re.sub(r"[*`\\]", "", text).split())


def test_no_field_is_empty() -> None:
    assert not [row for row in ROWS if len(row) != 5 or not all(plain(field) for field in row)]


def test_each_thought_belongs_to_a_step_or_to_a_chapter_as_a_whole() -> None:
    steps = {f"{chapter}.{name}" for chapter, names in CHAPTERS.items() for name in names}
    assert not [row for row in ROWS if plain(row[1]) not in steps | set(CHAPTERS)]


def test_each_thought_is_told_where_the_row_says() -> None:
    """The cell is in a notebook of the chapter, is called after the step, and has these words."""
    for thought, step, cell, words, _ in ROWS:
        place, (chapter, _, name) = plain(cell), plain(step).partition(".")
        assert place[:2] in (SERIES, cells.CHAPTERS[chapter][:2]), thought
        assert not name or place[3:].startswith(f"{chapter}-{name.replace('_', '-')}-"), thought
        assert plain(words) in sources().get(place, ""), f"{thought}: {place} does not say {words!r}"


def test_each_thought_has_a_proof_or_is_told() -> None:
    assert not [row for row in ROWS if row[4] != "told" and not holds(plain(row[4]))]


def test_each_step_has_a_thought() -> None:
    """The article's own, or in italics what it lacks."""
    assert {f"{chapter}.{name}" for chapter, names in CHAPTERS.items() for name in names} <= {
        plain(row[1]) for row in ROWS
    }


def test_the_fourth_part_is_told_in_full() -> None:
    """Its text is the one that could be had. A thought that goes takes its row along, and lowers this number."""
    assert sum(plain(row[1]).startswith("dovecot") for row in ROWS) >= 84
