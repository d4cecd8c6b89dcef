"""The notebooks tell the chapters: every step, once, in order, and nothing that was run before is kept."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest

from notebooks.workbench.host import commands
from notebooks.workbench.step import steps
from tests.notebooks import cells

NAMES = [notebook.stem for notebook in cells.ALL]


def chapter_steps(chapter: str) -> list[str]:
    """The names of a chapter's steps. Asked in a program of its own: pyinfra is not for this process."""
    script = f"from deploys.chapters import {chapter} as c; print(*(s.__name__ for s in c.STEPS))"
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=cells.FOLDER.parent, capture_output=True, text=True, check=True
    )
    return told.stdout.split()


@pytest.fixture(scope="module", params=cells.CHAPTERS)
def chapter(request: pytest.FixtureRequest) -> tuple[str, list[str]]:
    return request.param, chapter_steps(request.param)


def test_each_step_is_narrated_planned_applied_and_verified_once_and_in_order(chapter: tuple[str, list[str]]) -> None:
    name, names = chapter
    told = cells.beats(cells.load(cells.CHAPTERS[name]))
    assert told == [(beat, f"{name}.{step}") for step in names for beat in cells.BEATS]


def test_each_step_says_why_and_what_to_see(chapter: tuple[str, list[str]]) -> None:
    """Prose stands in front of show, between show and plan, and in front of verify."""
    name, names = chapter
    kinds = []
    for cell in cells.load(cells.CHAPTERS[name]).cells:
        found = re.match(r"(show|plan|verify)\(", cell.source) if cell.cell_type == "code" else None
        kinds.append(found[1] if found else cell.cell_type if len(cell.source) > 40 else "")
    order = [kind for kind in kinds if kind in ("markdown", "show", "plan", "verify")]
    for beat in ("show", "plan", "verify"):
        assert all(order[n - 1] == "markdown" for n, kind in enumerate(order) if kind == beat)
    assert cells.prose(cells.load(cells.CHAPTERS[name])).count("OK if you see") >= len(names)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_was_run_is_kept(name: str) -> None:
    for cell in cells.load(name).cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short_and_call_what_the_runbook_has(name: str) -> None:
    for source in cells.code(cells.load(name)):
        assert len(source.splitlines()) <= 3, source
        called = {node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}
        assert {node.id for node in called if isinstance(node, ast.Name)} <= cells.runbook_names(), source


@pytest.mark.parametrize("name", NAMES)
def test_a_chapter_opens_and_ends_as_promised(name: str) -> None:
    text = cells.prose(cells.load(name))
    for part in (
        "What you'll do",
        "What you'll learn",
        "What you'll need",
        "## On your own",
        "## Test yourself",
        "## How to undo it",
    ):
        assert part in text, part


@pytest.mark.parametrize("name", NAMES)
def test_links_between_notebooks_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+\.ipynb)", cells.prose(cells.load(name))):
        assert (cells.FOLDER / target).exists(), target


def test_the_library_knows_every_chapter(chapter: tuple[str, list[str]]) -> None:
    name, _ = chapter
    assert steps.NOTEBOOKS[name] == cells.CHAPTERS[name]


# What Dovecot says to SELECT, whatever is done there afterwards.
SELECTED = r"""* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
* OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted.
* 1 EXISTS
* 0 RECENT"""


def test_what_is_expected_of_a_letter_is_not_said_of_every_folder() -> None:
    """An expectation that the answer to SELECT meets would hold without the letter, too."""
    found = []
    for source in cells.code(cells.load(cells.CHAPTERS["dovecot"])):
        for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
            said = [one.value for one in call.args if isinstance(one, ast.Constant)]
            wanted = [one.value.value for one in call.keywords if isinstance(one.value, ast.Constant)]
            if ast.unparse(call.func) == "imap" and any("FETCH" in str(one) or "STORE" in str(one) for one in said):
                found += wanted
    assert found and not [one for one in found if commands.begins(SELECTED, str(one))]
