"""Snapshots of a lab host where it is dear to build: taken in the background, waited for where a cell needs the host."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import IO

from checks.engine.inventory import ROOT, lab_directory
from lab import names
from notebooks.workbench.host import turns
from notebooks.workbench.show import progress

_running: list[tuple[str, subprocess.Popen[str]]] = []
_kept: dict[int, str] = {}  # what a process of those is to keep
# titles of steps that this kernel has changed the host with: what was kept of them before is another walk's
outdated: set[str] = set()
# what closes connections to the host; called before the host is replaced
closing: list[Callable[[], None]] = [turns.let_go]


def wanted() -> bool:
    """In a learner's place only where asked for: thirty hosts that are kept after each chapter fill a disk, and stop meanwhile."""
    usual = "no" if (lab_directory() / names.PLACE).exists() else "yes"
    return os.environ.get("MAILROOM_SNAPSHOTS", usual).lower() not in ("no", "0", "off")


def lab(*words: str) -> tuple[subprocess.Popen[str], IO[str]]:
    """`python -m lab …` as a program of its own, which replaces the host, and the file of what it says."""
    for close in closing:
        close()
    # not a pipe: it may outlive the kernel, and a word into a pipe without a reader would end it half way
    said = tempfile.TemporaryFile("w+")  # noqa: SIM115, as long as somebody may ask
    process = subprocess.Popen(
        [sys.executable, "-m", "lab", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
        text=True,
        start_new_session=True,
    )
    return process, said


def keep(host: str, title: str) -> None:
    """Begin to keep the host as it is now under this title."""
    wait()
    process, _ = lab("snapshot", "--stay", host, title)  # a cell does not wait for a boot
    _running.append((f"keeping the host as it was after {title}", process))
    _kept[process.pid] = title


def do(what: str, *words: str) -> str | None:
    """`python -m lab …`, waited for: what it said where it failed, else None. Where the cell is stopped the lab goes on, and the
    next cell waits for it."""
    wait()
    process, said = lab(*words)
    _running.append((what, process))
    wait()
    with said:
        said.seek(0)
        return said.read().strip() if process.returncode else None


def wait() -> None:
    """Wait for what the lab does with the host, for this notebook or another: meanwhile it is paused or being replaced."""
    while _running:
        what, process = _running[0]
        if process.poll() is None:
            progress.until_done(process, what)
        title = _kept.pop(process.pid, "")
        if not process.returncode:  # else what is there of this title is still another walk's
            outdated.discard(title)
        _running.pop(0)
    turns.take()


def lacking(host: str, title: str) -> bool:
    """Whether the host should be kept at this boundary: it never was, or the step has changed something since."""
    return title in outdated or title not in titles(host)


def titles(host: str) -> list[str]:
    """The snapshots there are of a host, oldest first."""
    wait()
    from lab import engine, snapshots, state

    found = engine.present()
    suite = state.load()["hosts"][host]["suite"]
    return [s.title for s in snapshots.listed(found) if (s.host, s.suite) == (host, suite)] if found else []
