"""`make book`: execute the notebooks, in order, and build a static book with their outputs.

    python -m notebooks.book                   # executes on fresh hosts, and builds notebooks/_book/html
    python -m notebooks.book --execute FOLDER  # executes into FOLDER, no more, on the host that the inventory names
    python -m notebooks.book --build FOLDER    # builds from what was executed into FOLDER

The book begins on a bare host. It has a lab of its own (.lab-book) for as long as it takes, so that yours is left alone.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import nbclient
import nbformat
from nbclient.exceptions import CellExecutionError

HERE = Path(__file__).resolve().parent
OUT = HERE / "_book"
LAB = ".lab-book"
TIMEOUT = 300  # seconds for one cell; an installation takes a while on a slow mirror


def notebooks() -> list[Path]:
    """The chapters, in order."""
    return sorted(HERE.glob("[0-9][0-9]-*.ipynb"))


def execute(source: Path, target: Path) -> float:
    """Run a notebook top to bottom and keep it, with its outputs, in `target`; also when a cell fails."""
    notebook = nbformat.read(source, as_version=4)
    begun = time.monotonic()
    try:
        nbclient.execute(notebook, str(HERE), timeout=TIMEOUT, kernel_name="python3", store_widget_state=False)
    finally:
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)
    return time.monotonic() - begun


def build(executed: Path) -> Path:
    """The static book of executed notebooks."""
    source = OUT / "source"
    shutil.rmtree(OUT / "html", ignore_errors=True)
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(HERE / "book", source)
    for notebook in sorted(executed.glob("*.ipynb")):
        shutil.copy(notebook, source)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(source), str(OUT / "html")]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    shutil.rmtree(source)
    return OUT / "html" / "index.html"


@contextmanager
def fresh_lab() -> Iterator[None]:
    """A lab that is nobody's, with a bare mail host; gone afterwards."""
    os.environ["MAILROOM_LAB_DIR"] = LAB
    for name in ("MAILROOM_INVENTORY", "MAILROOM_HOST"):
        os.environ.pop(name, None)
    lab = [sys.executable, "-m", "lab"]
    subprocess.run([*lab, "purge"], cwd=HERE.parent, check=True, stdin=subprocess.DEVNULL)  # of a book that was killed
    try:
        subprocess.run([*lab, "up"], cwd=HERE.parent, check=True, stdin=subprocess.DEVNULL)
        yield
    finally:
        subprocess.run([*lab, "purge"], cwd=HERE.parent, check=True, stdin=subprocess.DEVNULL)


def execute_all(into: Path) -> None:
    """All notebooks, one after another; CellExecutionError at the first cell that fails."""
    # a book is never rewound: snapshots between the steps would only cost time
    os.environ.setdefault("MAILROOM_SNAPSHOTS", "no")
    for source in notebooks():
        print(f"executing {source.name}", end=" ", flush=True)
        print(f"{execute(source, into / source.name):.0f} s", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Execute the notebooks and build the book.")
    parser.add_argument("--execute", type=Path, metavar="FOLDER", help="only execute, into this folder")
    parser.add_argument(
        "--build", type=Path, metavar="FOLDER", help="only build, from what was executed into this folder"
    )
    options = parser.parse_args()
    executed = options.execute or options.build or OUT / "executed"
    try:
        if not options.build:
            with nullcontext() if options.execute else fresh_lab():
                execute_all(executed)
    except CellExecutionError as error:
        print(f"failed\n{error}\nExecuted so far: {executed}", file=sys.stderr)
        return 1
    if not options.execute:
        print(f"the book: {os.path.relpath(build(executed))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
