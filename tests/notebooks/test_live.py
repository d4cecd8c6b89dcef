"""The notebooks, executed top to bottom: on a fresh Debian 13, and on a Debian 12 that has all of it already."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from lab import Host
from notebooks import book
from tests.conftest import LabHost
from tests.live.conftest import mailserver  # noqa: F401 - a fixture
from tests.live.support import MAILSERVER, applied
from tests.notebooks import cells
from tests.notebooks.secrets import leaks

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(3000)]
ON_BOOKWORM = pytest.mark.parametrize("world_mx", ["bookworm"], indirect=True)
_walked: dict[str, tuple[Path, int]] = {}


def walked(suite: str, factory: pytest.TempPathFactory) -> Path:
    """The folder of the notebooks as they were executed in the lab of this test, once for a session, also where that failed."""
    if suite not in _walked:
        folder = factory.mktemp("notebooks") / suite
        done = subprocess.run(
            [sys.executable, "-m", "notebooks.book", "--execute", str(folder)],
            cwd=cells.FOLDER.parent,
            env={**os.environ, "MAILROOM_SNAPSHOTS": "no"},
        )
        _walked[suite] = folder, done.returncode
    folder, code = _walked[suite]
    assert code == 0, "a cell failed; the walk's output says which"
    return folder


@pytest.fixture
def fresh(lab_host: LabHost, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A walk from a bare host; notebook 03 adds the world itself."""
    lab_host("trixie", lab="trixie-walked")
    return walked("trixie", tmp_path_factory)


@pytest.fixture
def again(mailserver: Host, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A walk over a server that has all of it already."""
    return walked(mailserver.suite, tmp_path_factory)


def test_every_notebook_runs_top_to_bottom_and_every_proof_holds(fresh: Path) -> None:
    every_proof_holds(fresh)


def test_after_each_step_by_itself_the_whole_run_has_nothing_to_do(fresh: Path) -> None:
    whole = applied(MAILSERVER)
    assert whole.changes == 0, whole.changed


@ON_BOOKWORM
def test_where_all_is_done_every_proof_holds_too_and_nothing_is_changed(again: Path) -> None:
    every_proof_holds(again)
    applies = [
        (source, output)
        for name in cells.CHAPTERS.values()
        for source, output in outputs(again / f"{name}.ipynb")
        if source.startswith("apply(")
    ]
    assert len(applies) == told("apply")
    for source, output in applies:
        assert "nothing had to be changed" in output, f"{source}\n{output}"


def told(beat: str) -> int:
    """How often the notebooks have this beat."""
    return sum(one == beat for name in cells.CHAPTERS.values() for one, _ in cells.beats(cells.load(name)))


def every_proof_holds(folder: Path) -> None:
    proofs = [
        (source, output)
        for name in cells.CHAPTERS.values()
        for source, output in outputs(folder / f"{name}.ipynb")
        if source.startswith(("verify(", "settled("))
    ]
    assert len(proofs) == told("verify") + told("settled") > 100
    for source, output in proofs:
        wanted = "Nothing to do" if source.startswith("settled(") else " proven"
        assert wanted in output and "✖" not in output, f"{source}\n{output}"


def test_no_secret_is_in_executed_notebooks_and_logs(fresh: Path) -> None:
    no_secret_is_in(fresh)


@ON_BOOKWORM
def test_no_secret_is_in_them_a_second_time(again: Path) -> None:
    no_secret_is_in(again)


def no_secret_is_in(folder: Path) -> None:
    lab = cells.FOLDER.parent / os.environ["MAILROOM_LAB_DIR"]
    files = [*folder.iterdir(), *(lab / "log").rglob("*.log")]
    assert len(files) > 30
    assert leaks(files, lab) == []


def test_the_book_is_linked_searchable_and_without_secrets(fresh: Path) -> None:
    index = book.build(fresh)
    pages = {page.name for page in index.parent.glob("*.html")}
    assert {f"{notebook.stem}.html" for notebook in cells.ALL} | {"search.html"} <= pages
    chapter = (index.parent / "04-dovecot-the-front-desk.html").read_text()
    proven = re.findall(r"(\d+) of (\d+) proven", chapter)
    verified = [beat for beat, _ in cells.beats(cells.load(cells.CHAPTERS["dovecot"])) if beat == "verify"]
    assert len(proven) == len(verified) and not [done for done, _ in proven if done == "0"], proven
    assert 'href="01-postfix-the-conveyor-belt.html"' in chapter and 'role="search"' in chapter
    last = (index.parent / "05-sieve-the-desk-sorts.html").read_text()
    assert "The passport of" in last and "Junk" in last
    files = [file for file in index.parent.rglob("*") if file.suffix in (".html", ".js", ".txt", ".ipynb")]
    assert leaks(files, cells.FOLDER.parent / os.environ["MAILROOM_LAB_DIR"]) == []


def outputs(path: Path) -> list[tuple[str, str]]:
    """Each code cell with the plain text of its outputs."""
    found = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            texts = [one.get("text", "") or one.get("data", {}).get("text/plain", "") for one in cell.outputs]
            found.append((cell.source, "\n".join(texts)))
    return found
