"""`make notebooks`: JupyterLab on the workbook, the learner's own copies of the notebooks, in a folder that git ignores.

    python -m notebooks.workbook              # brings the copies up to date and starts JupyterLab
    python -m notebooks.workbook --no-browser # the same; every word is JupyterLab's

A copy remembers which text each cell came with. From that follows whose a difference is:

- A cell that the learner has not touched follows upstream: it is replaced, moved and removed with it.
- A cell that the learner has edited or added stays, behind the cell that it was behind.
- Where both have changed a cell, the new text is in its place, and the learner's is behind it.
- A cell that the learner has deleted comes back when it has changed upstream.
- The order is upstream's again when anything has changed there.
"""

import hashlib
import os
import sys
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("MAILROOM_WORKBOOK") or HERE.parent / "workbook")
KEY = "mailroom"  # in a copy's metadata: the mark of each cell as it came
YOURS = "*The cell above has changed in mailroom since you edited it. This is yours; delete what you do not need:*"


def mark(cell: NotebookNode) -> str:
    """What a cell says, without its outputs."""
    return hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:16]


def copied(upstream: NotebookNode) -> NotebookNode:
    copy = deepcopy(upstream)
    cells = {cell.id: mark(cell) for cell in upstream.cells}
    copy.metadata[KEY] = {"cells": cells, "whole": hashlib.sha256(repr(cells).encode()).hexdigest()[:16]}
    return copy


def merged(upstream: NotebookNode, mine: NotebookNode) -> NotebookNode:
    """The learner's copy with what is new upstream; nothing that the learner wrote is lost."""
    came: dict[str, str] = mine.metadata.get(KEY, {}).get("cells", {})
    ids, here = {cell.id for cell in upstream.cells}, {cell.id: cell for cell in mine.cells}
    own: dict[str, list[NotebookNode]] = {}  # the learner's cells, by the upstream cell that they are behind
    behind = ""
    for cell in mine.cells:
        if cell.id in ids:
            behind = cell.id
        elif came.get(cell.id) != mark(cell):  # added, or edited and gone upstream
            own.setdefault(behind, []).append(cell)
    result = copied(upstream)
    result.metadata = {**mine.metadata, KEY: result.metadata[KEY]}
    result.cells = own.get("", [])
    for cell in upstream.cells:
        result.cells += [*chosen(cell, here.get(cell.id), came.get(cell.id)), *own.get(cell.id, [])]
    return result


def chosen(new: NotebookNode, mine: NotebookNode | None, came: str | None) -> Iterable[NotebookNode]:
    """What is to be in the place of one cell: the new one, the learner's, or both."""
    if mine is None:
        return [] if came == mark(new) else [new]
    if mark(mine) == mark(new) or came == mark(new):
        return [mine]
    if came == mark(mine):
        return [new]
    # one of its own from here on
    return [new, nbformat.v4.new_markdown_cell(YOURS), NotebookNode({**mine, "id": nbformat.v4.new_markdown_cell().id})]


def known(mine: NotebookNode) -> NotebookNode:
    """The copy with an id for each cell. Older programs save none; a cell that was not touched is known by its text then."""
    ids = {text: one for one, text in mine.metadata.get(KEY, {}).get("cells", {}).items()}
    for cell in mine.cells:
        if "id" not in cell:
            cell.id = ids.pop(mark(cell), "") or nbformat.v4.new_markdown_cell().id
    return mine


def refresh(folder: Path = FOLDER, sources: Path = HERE) -> None:
    """Bring the copies up to date, and say what that has changed in one that was there."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(sources.glob("[0-9][0-9]-*.ipynb")):
        target = folder / source.name
        try:
            bring_up_to_date(target, nbformat.read(source, as_version=4))
        except OSError as error:
            print(f"{target} stays as it is: {error.strerror}", file=sys.stderr)
        except Exception:  # nbformat raises anything at what is no notebook; nobody writes over that
            print(
                f"{target} cannot be read as a notebook and stays as it is. Move it away for a fresh copy.",
                file=sys.stderr,
            )


def bring_up_to_date(target: Path, upstream: NotebookNode) -> None:
    if not target.exists():
        write(copied(upstream), target)
        return
    mine = nbformat.read(target, as_version=4)
    if mine.metadata.get(KEY, {}).get("whole") == copied(upstream).metadata[KEY]["whole"]:
        return  # nothing is new, so the learner's own order of the cells stays, too
    new = merged(upstream, known(deepcopy(mine)))
    if new != mine:
        write(new, target)
        beside = sum(cell.source == YOURS for cell in new.cells) - sum(cell.source == YOURS for cell in mine.cells)
        rest = f"; {beside} that you had edited {'is' if beside == 1 else 'are'} behind the new text" if beside else ""
        print(f"{target.parent.name}/{target.name}: brought up to date, your cells kept{rest}", file=sys.stderr)


def write(notebook: NotebookNode, target: Path) -> None:
    """All of it or nothing: a full disk costs no notes. A link stays one."""
    target = target.resolve()
    new = target.with_name(f".{target.name}.new")
    try:
        nbformat.write(notebook, new)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


def environment() -> dict[str, str]:
    """JupyterLab's: its kernels find runbook.py from anywhere, and cells wrap (jupyter/labconfig)."""
    paths = {"PYTHONPATH": HERE, "JUPYTER_CONFIG_PATH": HERE / "jupyter"}
    return {
        **os.environ,
        **{name: os.pathsep.join(filter(None, [str(ours), os.environ.get(name)])) for name, ours in paths.items()},
    }


def main() -> None:
    refresh()
    as_root = ["--allow-root"] if os.geteuid() == 0 else []
    # not `-m jupyter lab`: that takes the first jupyter-lab on the PATH, which may be another Python's
    command = [sys.executable, "-m", "jupyterlab", *as_root, *sys.argv[1:], str(FOLDER)]
    os.execve(command[0], command, environment())


if __name__ == "__main__":
    main()
