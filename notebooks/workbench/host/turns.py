"""Several notebooks on one lab host: while a cell works with it nobody replaces it, and while somebody does, a cell waits.

Each `python -m lab` command that changes the lab holds its lock alone (lab/state.py); cells hold it together, each to its end. So
it does not matter whether the host is kept or rewound by another notebook or in a terminal.
"""

import fcntl
import sys
import time
from typing import TextIO

from checks.engine.inventory import lab_directory
from notebooks.workbench.show import progress

WAITING = "another notebook or a terminal keeps, rewinds or builds a host of the lab"
_held: list[TextIO] = []
_told: list[bool] = []  # whether IPython lets go at the end of each cell


def take() -> None:
    """Wait until nobody replaces a host of the lab. In a notebook nobody does so until the cell ends."""
    lock = lab_directory() / "lock"
    if _held or not lock.exists():
        return
    file = lock.open()
    with progress.Progress(WAITING, delay=0.5) as shown:
        while not free(file):
            time.sleep(0.05)
            shown.tick()
    if progress.in_notebook():
        let_go_at_the_end()
        _held.append(file)  # not before: a cell that is stopped while it waits holds nothing
    else:
        file.close()


def free(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def let_go() -> None:
    while _held:
        _held.pop().close()


def let_go_at_the_end() -> None:
    if not _told:
        sys.modules["IPython"].get_ipython().events.register("post_run_cell", lambda *_: let_go())
        _told.append(True)
