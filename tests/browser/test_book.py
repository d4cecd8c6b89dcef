"""The book on a phone: its pages fit, the factory can be read, the quiz works, and each chapter is listed once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from notebooks import book
from notebooks.workbench.host import factory
from notebooks.workbench.show import html, quiz
from tests.browser import chromium
from tests.notebooks import cells

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
FACTORY = factory.Factory(
    "mx1.example.test",
    [
        factory.Station("Postfix", "the conveyor belt", (178, 120), "runs", "port 25"),
        factory.Station("Dovecot", "the front desk", (346, 216), "missing", "chapter 4"),
    ],
    [factory.Way("Postfix → mailboxes", "delivers", "M318,152 H468", (366, 144), True)],
)


def executed(folder: Path) -> None:
    """The notebooks, with what two of their cells show; no host is asked."""
    for source in cells.ALL:
        notebook = nbformat.read(source, as_version=4)
        for cell in notebook.cells:
            shown: html.Shown | None = FACTORY if cell.source == "factory()" else None
            if cell.source == 'quiz("start")':
                shown = quiz.quiz("start")
            if shown:
                data = {"text/html": shown._repr_html_(), "text/plain": str(shown)}
                cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
        nbformat.write(notebook, folder / source.name)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("executed")
    executed(folder)
    return book.build(folder).parent


@pytest.fixture
def phone() -> Iterator[chromium.Page]:
    with chromium.page() as page:
        page.size(390, 840)
        yield page


def test_the_book_reads_well_on_a_phone(pages: Path, phone: chromium.Page) -> None:
    open_page(phone, pages / "index.html")
    listed = phone.js("[...document.querySelectorAll('article li a')].map(one => one.getAttribute('href'))")
    assert listed == [f"{notebook.stem}.html" for notebook in cells.ALL]
    assert not phone.js("document.querySelectorAll('article table').length")
    assert "© 2026 the mailroom authors" in phone.js("document.querySelector('footer').innerText")

    open_page(phone, pages / "00-the-factory-and-its-host.html")
    assert phone.js("document.documentElement.scrollWidth") <= 390
    words, drawn = "document.querySelector('.mr .words')", "document.querySelector('.mr .drawn')"
    assert phone.js(f"{words}.offsetHeight") and not phone.js(f"{drawn}.getBoundingClientRect().height")
    assert phone.js(f"parseFloat(getComputedStyle({words}).fontSize)") >= 12
    assert "✓" not in phone.js("document.querySelector('.choices').innerText")
    assert not phone.js("[...document.querySelectorAll('.cell_input')].some(one => one.innerText.includes('quiz('))")
    phone.click("document.querySelectorAll('.choice summary')[1]")
    phone.wait("document.querySelector('.choices').innerText.includes('✓ Right.')", 5)
    shot(phone, "quiz-phone")

    phone.size(1280, 900)
    assert not phone.js(f"{words}.offsetHeight") and phone.js(f"{drawn}.getBoundingClientRect().width") > 500


def open_page(page: chromium.Page, file: Path) -> None:
    page.open(file.as_uri())
    page.wait(f"location.href.endsWith('{file.name}') && document.readyState == 'complete'")
    shot(page, file.stem)


def shot(page: chromium.Page, name: str) -> None:
    if folder := os.environ.get("MAILROOM_SHOTS"):
        page.shot(Path(folder) / f"book-{name}.png")
