"""The workbook: a learner's copies follow upstream, and nothing that a learner wrote is lost."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat import NotebookNode

from notebooks import workbook
from tests.notebooks import cells

NAME = "00-a.ipynb"


def notebook(**sources: str) -> NotebookNode:
    """A notebook of markdown cells: id and text of each."""
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(text, id=one) for one, text in sources.items()]
    )


class Learner:
    """Somebody with a copy, and what is upstream."""

    def __init__(self, folder: Path) -> None:
        self.sources, self.folder = folder / "notebooks", folder / "workbook"
        self.sources.mkdir()
        self.pull(a="one", b="two", c="three")

    def pull(self, **sources: str) -> None:
        nbformat.write(notebook(**sources), self.sources / NAME)
        workbook.refresh(self.folder, self.sources)

    @property
    def copy(self) -> NotebookNode:
        return nbformat.read(self.folder / NAME, as_version=4)

    def save(self, copy: NotebookNode) -> None:
        nbformat.write(copy, self.folder / NAME)

    def edit(self, **sources: str) -> None:
        copy = self.copy
        for cell in copy.cells:
            cell.source = sources.get(cell.id, cell.source)
        self.save(copy)

    def add(self, after: int, text: str) -> None:
        copy = self.copy
        copy.cells.insert(after, nbformat.v4.new_code_cell(text))
        self.save(copy)

    @property
    def texts(self) -> list[str]:
        return [cell.source for cell in self.copy.cells]


@pytest.fixture
def learner(tmp_path: Path) -> Learner:
    return Learner(tmp_path)


def test_a_copy_is_the_notebook(learner: Learner) -> None:
    assert learner.texts == ["one", "two", "three"]
    assert [file.name for file in learner.folder.iterdir()] == [NAME]


def test_a_cell_that_was_not_touched_follows_upstream(learner: Learner) -> None:
    learner.pull(c="three", new="2½", a="ONE")
    assert learner.texts == ["three", "2½", "ONE"]


def test_what_a_learner_wrote_stays_where_it_was(learner: Learner) -> None:
    learner.add(1, "run('mine')")
    learner.add(0, "first of all")
    learner.edit(b="two, as I see it")
    learner.pull(a="ONE", new="1½", b="two", c="three")
    assert learner.texts == ["first of all", "ONE", "run('mine')", "1½", "two, as I see it", "three"]


def test_where_both_have_changed_a_cell_both_are_there_once(
    learner: Learner, capsys: pytest.CaptureFixture[str]
) -> None:
    learner.edit(b="mine")
    learner.pull(a="one", b="theirs", c="three")
    told = ["one", "theirs", workbook.YOURS, "mine", "three"]
    assert learner.texts == told and "1 that you had edited is behind" in capsys.readouterr().err
    learner.pull(a="one", b="theirs", c="three")
    assert learner.texts == told
    learner.pull(a="one", b="theirs again", c="three")
    assert learner.texts == ["one", "theirs again", *told[2:]]


def test_what_upstream_removed_goes_unless_it_was_edited(learner: Learner) -> None:
    learner.edit(b="mine")
    learner.pull(a="one")
    assert learner.texts == ["one", "mine"]


def test_a_deleted_cell_stays_away_until_it_changes(learner: Learner) -> None:
    copy = learner.copy
    del copy.cells[1]
    learner.save(copy)
    learner.pull(a="one", b="two", c="THREE")
    assert learner.texts == ["one", "THREE"]
    learner.pull(a="one", b="TWO", c="THREE")
    assert learner.texts == ["one", "TWO", "THREE"]


def test_an_order_of_one_s_own_stays_until_something_is_new(learner: Learner) -> None:
    copy = learner.copy
    copy.cells.reverse()
    learner.save(copy)
    learner.pull(a="one", b="two", c="three")
    assert learner.texts == ["three", "two", "one"]
    learner.pull(a="one", c="three", b="two")
    assert learner.texts == ["one", "three", "two"]


def test_outputs_stay_with_a_cell_that_did_not_change_and_nothing_is_written_for_nothing(learner: Learner) -> None:
    learner.add(1, "1")
    copy = learner.copy
    copy.cells[1].outputs = [nbformat.v4.new_output("stream", text="an output")]
    learner.save(copy)
    before = (learner.folder / NAME).stat().st_ino
    learner.pull(a="one", b="two", c="three")
    assert (learner.folder / NAME).stat().st_ino == before
    learner.pull(a="one", b="TWO", c="three")
    assert learner.copy.cells[1].outputs and learner.texts[2] == "TWO"


def test_a_copy_that_was_made_by_hand_loses_nothing(learner: Learner) -> None:
    """As one from before there was a workbook: nobody knows which text it came with."""
    learner.save(notebook(a="one", b="mine"))
    learner.pull(a="one", b="two", c="three")
    assert learner.texts == ["one", "two", workbook.YOURS, "mine", "three"]


@pytest.mark.parametrize("text", ["", "{ half a noteb", "[]", "null", "{}", '{"nbformat": 99}'])
def test_a_damaged_copy_is_left_alone(learner: Learner, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (learner.folder / NAME).write_text(text)
    learner.pull(a="ONE")
    assert (learner.folder / NAME).read_text() == text and "Move it away" in capsys.readouterr().err


def test_a_copy_that_is_no_file_stops_nothing(learner: Learner, capsys: pytest.CaptureFixture[str]) -> None:
    (learner.folder / NAME).unlink()
    (learner.folder / NAME).mkdir()
    learner.pull(a="ONE")
    assert "stays as it is: Is a directory" in capsys.readouterr().err


def test_a_copy_without_ids_loses_nothing_and_gets_nothing_twice(learner: Learner) -> None:
    """As older programs save it (nbformat 4.4)."""
    learner.edit(b="mine")
    copy = json.loads((learner.folder / NAME).read_text())
    copy["cells"] = [{key: value for key, value in cell.items() if key != "id"} for cell in copy["cells"]]
    (learner.folder / NAME).write_text(json.dumps(copy | {"nbformat_minor": 4}))
    learner.pull(a="ONE", b="two", c="three")
    assert learner.texts == ["ONE", "mine", "three"]


def test_a_copy_that_is_a_link_stays_one(learner: Learner) -> None:
    kept = (learner.folder / NAME).rename(learner.folder / "elsewhere.ipynb")
    (learner.folder / NAME).symlink_to(kept)
    learner.pull(a="ONE")
    assert (learner.folder / NAME).is_symlink() and learner.texts == ["ONE"]


def test_a_full_disk_costs_no_notes(learner: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    learner.edit(b="mine")

    def full(_: NotebookNode, file: Path) -> None:
        file.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(workbook, "nbformat", SimpleNamespace(read=nbformat.read, write=full, v4=nbformat.v4))
        workbook.refresh(learner.folder, changed(learner.sources))
    assert learner.texts == ["one", "mine", "three"] and [file.name for file in learner.folder.iterdir()] == [NAME]


def changed(sources: Path) -> Path:
    nbformat.write(notebook(a="ONE"), sources / NAME)
    return sources


def test_another_jupyterlab_on_the_path_is_not_taken(tmp_path: Path) -> None:
    other = tmp_path / "jupyter-lab"
    other.write_text("#!/bin/sh\necho another\n")
    other.chmod(0o755)
    own = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "MAILROOM_WORKBOOK": str(tmp_path / "work" / "book")}
    command = [sys.executable, "-m", "notebooks.workbook", "--version"]
    done = subprocess.run(command, env=os.environ | own, cwd=cells.FOLDER.parent, capture_output=True, text=True)
    assert done.stdout.strip() == version("jupyterlab") and (tmp_path / "work" / "book" / cells.ALL[0].name).exists()


def test_the_notebooks_can_be_merged_and_their_copies_are_not_git_s(tmp_path: Path) -> None:
    workbook.refresh(tmp_path / "workbook")
    assert {file.name for file in (tmp_path / "workbook").iterdir()} == {notebook.name for notebook in cells.ALL}
    for source in cells.ALL:
        ids = [cell.id for cell in nbformat.read(source, as_version=4).cells]
        assert len(ids) == len(set(ids)), f"{source.name}: two cells have one id"
    target = workbook.FOLDER / cells.ALL[0].name
    assert not subprocess.run(["git", "check-ignore", "-q", str(target)], cwd=cells.FOLDER).returncode
