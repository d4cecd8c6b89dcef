"""One line on stderr while a step takes long; nothing without a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def busy(doing: str) -> Iterator[None]:
    try:
        from rich.console import Console
    except ModuleNotFoundError:  # the lab works without the virtual environment, just more quietly
        Console = None  # type: ignore[assignment,misc]
    if not sys.stderr.isatty() or Console is None:
        yield
        return
    with Console(stderr=True).status(doing):
        yield


def say(line: str) -> None:
    print(f"lab: {line}", file=sys.stderr, flush=True)
