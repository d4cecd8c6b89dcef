"""Snapshots of a lab host at step boundaries: taken in the background, waited for where a cell needs the host."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from notebooks.workbench.host import where
from notebooks.workbench.show import progress

_running: list[tuple[str, subprocess.Popen[str]]] = []
# titles of steps that this kernel has changed the host with: what was kept of them before is another walk's
outdated: set[str] = set()
# who keeps something open to the host; called before the host is replaced
closing: list[Callable[[], None]] = []


def wanted() -> bool:
    return os.environ.get("MAILROOM_SNAPSHOTS", "yes").lower() not in ("no", "0", "off")


def lab(*words: str) -> subprocess.Popen[str]:
    """`python -m lab …` as a program of its own, which replaces the host; it may outlive the kernel."""
    for close in closing:
        close()
    return subprocess.Popen(
        [sys.executable, "-m", "lab", *words],
        cwd=where.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def keep(host: str, title: str) -> None:
    """Begin to keep the host as it is now under this title."""
    wait()
    outdated.discard(title)
    _running.append((title, lab("snapshot", host, title)))


def wait() -> None:
    """Wait for a snapshot on its way: meanwhile the host is paused or being replaced."""
    while _running:
        title, process = _running[0]
        if process.poll() is None:
            progress.until_done(process, f"keeping the host as it was after {title}")
        _running.pop(0)


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
