"""Notebooks 00 and 04 in the project's JupyterLab, in a browser, from a bare host: what a person sees, cell by cell.

MAILROOM_BROWSER=long walks 04 too (`make browser`). MAILROOM_SHOTS names a folder for pictures.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Host
from tests.browser import chromium, jupyterlab
from tests.live.support import ON_ONE
from tests.notebooks import cells

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(1800)]
LONG = pytest.mark.skipif(os.environ.get("MAILROOM_BROWSER") != "long", reason="`make browser` walks it")
START, DOVECOT = "00-the-factory-and-its-host.ipynb", f"{cells.CHAPTERS['dovecot']}.ipynb"

# A learner's cell: dollars, which are TeX elsewhere, a word that is longer than a narrow page is wide, and hello() when all is built.
HARD = """from runbook import *
from notebooks.workbench.host import where
from notebooks.workbench.message.letters import Letter
from notebooks.workbench.step import banner, steps
full = [(f"chapter {n}, {name}", 18, 18) for name, n in steps.CHAPTERS.items()]
display(banner.Banner(where.place(), "Debian GNU/Linux 13 (trixie)", "2.4.1", full, ""))
display(run("echo 'a shell has $HOME and $USER, a hash $argon2id$v=19$'"))
Letter(foo, bar, "Hello", 587, "<179597398061.13730.6856273719812830888@runbook.example.net>")"""


class Lab:
    def __init__(self, page: chromium.Page, url: str, token: str, folder: Path) -> None:
        self.page, self.url, self.token, self.folder = page, url, token, folder

    def open(self, name: str) -> jupyterlab.Notebook:
        return jupyterlab.Notebook(self.page, self.url, self.token, name)


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Page]:
    with chromium.page() as page:
        yield page


@pytest.fixture
def jupyter(bare: Host, browser: chromium.Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """JupyterLab on a bare host."""
    monkeypatch.setenv("MAILROOM_SNAPSHOTS", "no")
    browser.size(1280, 900)
    with jupyterlab.server(tmp_path) as (url, token):
        yield Lab(browser, url, token, tmp_path / "workbook")


@ON_ONE
def test_notebook_00_reads_as_it_was_meant(jupyter: Lab) -> None:
    jupyterlab.prepend(jupyter.folder / START, HARD)
    reads_as_it_was_meant(jupyter.open(START))


@LONG
@ON_ONE
def test_notebook_04_reads_as_it_was_meant(jupyter: Lab) -> None:
    jupyterlab.prepend(jupyter.folder / DOVECOT, 'from runbook import *\nrewind("postgresql.restart")')
    reads_as_it_was_meant(jupyter.open(DOVECOT))


def reads_as_it_was_meant(notebook: jupyterlab.Notebook) -> None:
    found = notebook.walk()
    quiz_is_usable(notebook)
    if folder := os.environ.get("MAILROOM_SHOTS"):
        notebook.shots(Path(folder))
    notebook.page.size(600, 900)
    found += [f"600 wide: {one}" for one in notebook.look_at_all()]
    assert not found, "\n".join(found)
    assert notebook.differences() == []


def quiz_is_usable(notebook: jupyterlab.Notebook) -> None:
    """By keyboard alone, and the last one by mouse: each choice opens, alone in its question, and one of them is right."""
    page, choices = notebook.page, "document.querySelectorAll('.choice')"
    count, questions = page.js(f"{choices}.length"), page.js("document.querySelectorAll('.choices').length")
    assert questions >= 3
    page.js(f"{choices}[0].querySelector('summary').focus()")
    said = []
    for number in range(count):
        if number:
            page.press("Tab")
        page.press("Enter")
        page.wait(f"{choices}[{number}].open", 5)
        assert page.js(f"{choices}[{number}].closest('.choices').querySelectorAll('[open]').length") == 1
        said.append(page.js(f"{choices}[{number}].innerText"))
    assert sum("✓ Right." in one for one in said) == questions, said
    assert sum("✖ Not quite." in one for one in said) == count - questions, said
    assert notebook.page.js("!document.querySelector('.jp-mod-editMode')"), "Enter has gone to the cell"
    page.click(f"{choices}[{count - 2}].querySelector('summary')")
    page.wait(f"{choices}[{count - 2}].open && !{choices}[{count - 1}].open", 5)
