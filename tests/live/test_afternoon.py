"""Twelve learners, one afternoon: all walk chapter 1 in their own notebooks at once while the board shows it, one is reset
meanwhile, all are caught up, and all write to all. It measures what a class needs, and prints it (docs/teaching.md).

Only with MAILROOM_CLASS=long: `make classes`. MAILROOM_LEARNERS has another number of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import Host, names, state
from notebooks import workbook
from tests.live.classes import classroom, in_a_room, told

MANY = int(os.environ.get("MAILROOM_LEARNERS") or 12)
NAMES = [f"learner-{n:02}" for n in range(1, MANY + 1)]
RESET = "learner-02"
pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.timeout(5400),
    pytest.mark.skipif(os.environ.get("MAILROOM_CLASS") != "long", reason="it takes half an hour: make classes"),
]


class Machine:
    """What this machine has left and has done, looked at every five seconds; `phase` adds a line of figures."""

    def __init__(self) -> None:
        self.figures: list[dict[str, Any]] = []
        self.least, self.over = self.available(), threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()
        self.begin()

    def look(self) -> None:
        while not self.over.wait(5):
            self.least = min(self.least, self.available())

    def begin(self) -> None:
        self.at, self.busy, self.least, self.disk = time.monotonic(), self.cpu(), self.available(), self.free()

    def phase(self, what: str) -> None:
        """Since the last one: seconds, seconds of a core by everybody on this machine, memory at its least, and disk."""
        self.figures.append(
            {
                "what": what,
                "seconds": round(time.monotonic() - self.at),
                "core_seconds": round(self.cpu() - self.busy),
                "load": os.getloadavg()[0],
                "least_memory_mb": self.least,
                "memory_mb": self.available(),
                "disk_mb": self.disk - self.free(),
            }
        )
        print(json.dumps(self.figures[-1]), flush=True)
        self.begin()

    @staticmethod
    def available() -> int:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) // 1024

    @staticmethod
    def cpu() -> float:
        user, nice, system, *_ = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
        return (user + nice + system) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def free() -> int:
        return shutil.disk_usage("/").free // 2**20


@pytest.fixture(scope="module")
def room(labs_folder: Path) -> Iterator[Path]:
    suite = os.environ.get("MAILROOM_CLASS_SUITE") or names.DEFAULT_SUITE
    with in_a_room(labs_folder / "afternoon", suite) as folder:
        yield folder


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    found = Machine()
    yield found
    found.over.set()


def walk(room: Path, name: str, chapter: str) -> subprocess.Popen[str]:
    """A learner opens their own copy of a chapter, in their own place, and runs all cells."""
    place = room / "learners" / name
    workbook.refresh(place / "workbook")
    [notebook] = (place / "workbook").glob(f"{chapter}-*.ipynb")
    return subprocess.Popen(
        [sys.executable, "-m", "tests.live.walking", str(notebook)],
        cwd=names.ROOT,
        env=os.environ | {"MAILROOM_LAB_DIR": str(place)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    return dict(json.loads((process.communicate(timeout=3000)[0].strip() or "{}").splitlines()[-1]))


def test_one_command_brings_the_class_up(room: Path, machine: Machine) -> None:
    machine.begin()
    found = told("up", "--learners", str(MANY))["learners"]
    assert [one["name"] for one in found] == NAMES and all(one["made"] for one in found)
    machine.phase(f"up, {MANY} learners")
    told("prepare", "chapter 2")
    machine.phase("prepare chapter 2")


def test_all_walk_chapter_one_while_the_board_shows_it(room: Path, machine: Machine) -> None:
    walks = {name: walk(room, name, "01") for name in NAMES}
    seen: list[dict[str, Any]] = []
    reset = None
    while any(one.poll() is None for one in walks.values()):
        board = json.loads(classroom("board", "--json").stdout)  # its exit code says whether all answered
        seen.append(board)
        done = {one["name"]: one["done"] for one in board["learners"]}
        print(f"{board['seconds']:5.1f} s", *done.values(), flush=True)
        if reset is None and done[RESET] >= 4:
            before = {name: done[name] for name in NAMES if name != RESET}
            begun = time.monotonic()
            assert told("reset", RESET)["ok"]
            reset = time.monotonic() - begun
            after = {one["name"]: one["done"] for one in told("board")["learners"]}
            assert all(after[name] >= count for name, count in before.items()), "the others go on"
            assert after[RESET] <= 2
        time.sleep(30)
    ends = {name: ended(process) for name, process in walks.items()}
    machine.phase(f"chapter 1 at once; reset of one after {reset or 0:.0f} s; {len(seen)} boards")
    failed = {name: one["failed"] for name, one in ends.items() if one.get("failed", "no end") and name != RESET}
    assert not failed and reset is not None
    print("cells:", json.dumps(ends[NAMES[0]]["cells"]), flush=True)
    final = {one["name"]: one for one in told("board")["learners"]}
    for name in set(NAMES) - {RESET}:
        assert final[name]["chapters"]["1"]["done"] == final[name]["chapters"]["1"]["of"], name
    counts = [[one["done"] for one in board["learners"] if one["name"] != RESET] for board in seen]
    assert any(len(set(row)) > 1 for row in counts), "the board shows who is where"
    machine.phase("boards afterwards")


def test_all_are_caught_up_and_write_to_all(room: Path, machine: Machine) -> None:
    machine.begin()
    caught = told("catch-up", "all", "chapter 2")["learners"]
    assert all(one["ok"] for one in caught), caught
    machine.phase(f"catch-up of {MANY} to chapter 2, from the prepared state")
    post = told("post", "--patience", "60")
    assert (post["arrived"], post["of"]) == (MANY * (MANY - 1),) * 2
    machine.phase(f"post, {post['of']} letters")
    assert told("rewind", NAMES[2], "before catch-up")["ok"], "as it was before, after chapter 1"
    row = next(one for one in told("board")["learners"] if one["name"] == NAMES[2])
    assert row["chapters"]["1"]["done"] > 5 and row["chapters"]["2"]["done"] == 0
    machine.phase("rewind of one to what was kept")
    used = {name: own(name) for name in NAMES}
    print("each host's memory and disk, MB:", json.dumps(used), flush=True)
    told("board")
    machine.phase("one board")


def own(name: str) -> tuple[int, int]:
    """The memory of a host's processes without cache, and what it has written, in MB."""
    host = Host(name, {one["name"]: one for one in state.described()}[name])
    said = host.run(
        "cd /proc; cat [0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ {s += $2} END {print int(s / 1024)}';"
        " du -xsm --exclude=proc --exclude=sys / 2>/dev/null | cut -f1"
    ).stdout.split()
    host.close()
    return int(said[0]), int(said[1])


def test_down_leaves_nothing(room: Path, machine: Machine) -> None:
    machine.begin()
    assert classroom("down").stdout == "Nothing of the class is left.\n"
    machine.phase("down")
    assert not room.exists()
