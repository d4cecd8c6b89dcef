"""The notebooks, executed top to bottom on fresh lab hosts: twice on Debian 13, once on Debian 12, side by side."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from notebooks import book
from tests.conftest import LabHost
from tests.notebooks import cells
from tests.notebooks.secrets import leaks

PASSES = {"trixie": 2, "bookworm": 1}
Executed = Callable[[str], list[Path]]
pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(3000)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """The processes that execute, one a release; both at once, since they mostly wait."""
    running: dict[str, subprocess.Popen[str]] = {}
    yield running
    for process in running.values():
        process.kill()


@pytest.fixture
def executed(
    runs: dict[str, subprocess.Popen[str]], lab_host: LabHost, tmp_path_factory: pytest.TempPathFactory
) -> Executed:
    """executed("trixie") are the folders of executed notebooks, one a pass."""
    base = tmp_path_factory.getbasetemp() / "notebooks"

    def folders(suite: str) -> list[Path]:
        return [base / suite / str(number) for number in range(PASSES[suite])]

    def get(wanted: str) -> list[Path]:
        for suite in PASSES if not runs else ():
            lab_host(suite, lab=f"{suite}-walked")  # notebook 03 adds the world itself
            commands = [f"'{sys.executable}' -m notebooks.book --execute '{folder}'" for folder in folders(suite)]
            runs[suite] = subprocess.Popen(
                ["sh", "-c", " && ".join(commands)],
                cwd=cells.FOLDER.parent,
                env={**os.environ, "MAILROOM_SNAPSHOTS": "no"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        lab_host(wanted, lab=f"{wanted}-walked")
        process = runs[wanted]
        out = process.communicate()[0] if process.returncode is None else "see the first failure"
        assert process.returncode == 0, out
        return folders(wanted)

    return get


@pytest.mark.parametrize("suite", PASSES)
def test_every_notebook_runs_top_to_bottom_and_every_proof_holds(suite: str, executed: Executed) -> None:
    for folder in executed(suite):
        proofs = [
            (source, output)
            for name in cells.CHAPTERS.values()
            for source, output in outputs(folder / f"{name}.ipynb")
            if source.startswith(("verify(", "settled("))
        ]
        told = sum(len(cells.beats(cells.load(name))) for name in cells.CHAPTERS.values()) // len(cells.BEATS)
        assert len(proofs) == 2 * told
        for source, output in proofs:
            wanted = "Nothing to do" if source.startswith("settled(") else " proven"
            assert wanted in output and "✖" not in output, f"{source}\n{output}"


def test_the_second_pass_changes_nothing(executed: Executed) -> None:
    for name in cells.CHAPTERS.values():
        for source, output in outputs(executed("trixie")[1] / f"{name}.ipynb"):
            if source.startswith("apply("):
                assert "nothing had to be changed" in output, f"{source}\n{output}"


@pytest.mark.parametrize("suite", PASSES)
def test_no_secret_is_in_executed_notebooks_and_logs(suite: str, executed: Executed) -> None:
    folders = executed(suite)
    lab = Path(os.environ["MAILROOM_LAB_DIR"])
    files = [
        *(file for folder in folders for file in folder.iterdir()),
        *(cells.FOLDER.parent / lab / "log").rglob("*.log"),
    ]
    assert len(files) > 30
    assert leaks(files, cells.FOLDER.parent / lab) == []


def test_the_book_is_linked_searchable_and_without_secrets(executed: Executed) -> None:
    index = book.build(executed("trixie")[0])
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
