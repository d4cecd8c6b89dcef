"""A class as whoever teaches has it: its commands, and its hosts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab import Host, names, state


@contextmanager
def in_a_room(folder: Path, suite: str = names.DEFAULT_SUITE) -> Iterator[Path]:
    """For these tests a class is in this folder; it is taken down in the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILROOM_CLASS_DIR", str(folder))
        patch.setenv("MAILROOM_LAB_DIR", str(folder))  # for what a test asks the lab itself
        patch.setenv("LAB_SUITE", suite)
        try:
            yield folder
        finally:
            classroom("down")


def classroom(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "classroom", *words]
    return subprocess.run(command, cwd=names.ROOT, capture_output=True, text=True, check=False)


def told(*words: str, code: int = 0) -> dict[str, Any]:
    done = classroom(*words, "--json")
    assert done.returncode == code, (done.stdout, done.stderr)
    return dict(json.loads(done.stdout))


def of(name: str) -> Host:
    return Host(name, {one["name"]: one for one in state.described()}[name])
