"""Two notebooks and a terminal on one lab host: nobody replaces it under a cell, and a cell waits for whoever does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from lab import Host, state
from notebooks.workbench.host import turns, where
from tests.live.support import ON_ONE
from tests.notebooks.test_stopped import Kernel, runs, until

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]
COMMANDS = (("snapshot", "turns"), ("rewind", "turns"))
UNTIL_TOLD = "until test -e /run/told; do sleep 0.1; done"


@pytest.fixture
def kernels(bare: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Kernel]]:
    monkeypatch.setenv("MAILROOM_SNAPSHOTS", "no")
    kernels = [Kernel(), Kernel()]
    for kernel in kernels:
        kernel.execute("from runbook import *")
    yield kernels
    for kernel in kernels:
        kernel.end()


@ON_ONE
def test_a_cell_is_not_cut_off_and_the_next_one_waits(kernels: list[Kernel], bare: Host, tmp_path: Path) -> None:
    (one, other), host = kernels, bare
    for word, title in COMMANDS:
        said = tmp_path / word
        with ThreadPoolExecutor() as pool, said.open("w") as file:
            first = pool.submit(one.execute, f'run("{UNTIL_TOLD}; echo unharmed")')
            until(lambda: runs(host, "[/]run/told"))
            lab = subprocess.Popen([sys.executable, "-m", "lab", word, host.name, title], cwd=where.ROOT, stderr=file)
            until(partial(waits, said))
            host.run("touch /run/told")
            host.close()
            assert "unharmed" in first.result()
            until(taken)
            second = pool.submit(other.execute, 'run("echo still there")')
            third = pool.submit(one.execute, 'plan("postfix.install")')
            assert "still there" in second.result() and "would make 1 change" in third.result()
            for kernel in kernels:
                assert "another notebook or a terminal" in "".join(kernel.pictures)
                kernel.pictures.clear()
        assert lab.wait(10) == 0


def waits(said: Path) -> bool:
    return "waiting for another lab command" in said.read_text()


def taken() -> bool:
    """Whether the lab has its turn."""
    with state.path("lock").open() as lock:
        return not turns.free(lock)
