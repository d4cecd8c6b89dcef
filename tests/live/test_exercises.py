"""Exercises on a whole server: the complaint is true, doing nothing and a wrong way fail, another right way passes.

Three of them in `make test`; MAILROOM_CLASS=long (`make exercises`) has all of them, one by one, on both releases.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import nbclient
import pytest

import checks
from classroom.exercise import faults, marks, record
from lab import Host, names
from tests.checks.breaks.base import AMAVIS, DOVECOT, POSTFIX
from tests.live.mending import MENDS
from tests.live.support import ON_ONE_WITH_WORLD
from tests.notebooks import cells

LONG = os.environ.get("MAILROOM_CLASS") == "long"
THREE = ["open-register", "no-copy-in-sent", "strangers-letters"]
pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(1800)]
long = pytest.mark.skipif(not LONG, reason="MAILROOM_CLASS=long, or make exercises")


def exercise(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "classroom", "exercise", *words]
    return subprocess.run(command, cwd=names.ROOT, capture_output=True, text=True, check=False)


def told(*words: str, code: int = 0) -> dict[str, Any]:
    done = exercise(*words, "--json")
    assert done.returncode == code, (done.stdout, done.stderr)
    return dict(json.loads(done.stdout))


@pytest.fixture(autouse=True)
def _whole_afterwards(mailserver: Host) -> Iterator[None]:
    """No fault stays, and no daemon's log since its start has one."""
    yield
    if record.load().now:
        exercise("give-up")
    mailserver.run(f"{POSTFIX}; {DOVECOT}; {AMAVIS}")


def tried(host: Host, ids: list[str]) -> None:
    """Not solved by doing nothing, nor by what does not help; solved by a way of one's own."""
    begun = told("start", *ids)
    assert sorted(one["id"] for one in begun["exercises"]) == sorted(ids)
    graded = told("check", code=1)
    assert graded["done"] == "nothing" and sorted(graded["open"]) == sorted(ids) and not graded["ended"]
    for id in ids:
        host.run(MENDS[id][0])
    graded = told("check", code=1)
    assert graded["done"] == "something" and not graded["ended"], graded
    assert graded["open"] or graded["broken"], graded
    assert len(told("hint", ids[0])["text"]) > 20
    for id in ids:
        host.run(MENDS[id][1])
    graded = told("check")
    assert {one["id"]: one["points"] for one in graded["ended"]} == {id: 8 if id == ids[0] else 10 for id in ids}
    assert all(one["how"] == "fixed" and one["was"] == faults.named(one["id"]).was for one in graded["ended"])
    assert told("history")["exercises"][-1]["id"] in ids


def taken_for_whole(host: Host) -> None:
    """The tests of the checks have shown that it is: asking takes a minute."""
    kept = record.load()
    kept.is_whole(host.name, marks.read(host), {one.id: "pass" for one in checks.selected()})
    kept.save()


@pytest.mark.skipif(LONG, reason="each of them is tried by itself")
@ON_ONE_WITH_WORLD
def test_three_at_once(mailserver: Host) -> None:
    taken_for_whole(mailserver)
    tried(mailserver, THREE)
    assert exercise("start", "--chapter", "9").returncode == 2


@long
@pytest.mark.parametrize("id", list(MENDS))
def test_an_exercise(mailserver: Host, id: str) -> None:
    tried(mailserver, [id])


@long
@pytest.mark.parametrize("id", list(MENDS))
def test_whoever_gives_up_has_a_whole_server_again(mailserver: Host, id: str) -> None:
    told("start", id)
    given_up = told("give-up")
    assert not given_up["open"] and given_up["ended"][0]["points"] == 0


def walked(exchanged: dict[str, str]) -> dict[str, str]:
    """The notebook of the exercises as a learner runs it, some of its cells exchanged: what each has shown, as text."""
    notebook = cells.load("90-exercises-somebody-complains")
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source not in ("hello()",)]
    for cell in notebook.cells:
        cell.metadata.pop("tags", None)  # the book leaves out what breaks a host
        cell.source = exchanged.get(cell.source, cell.source)
    nbclient.execute(notebook, str(cells.FOLDER), timeout=600, kernel_name="python3")
    return {
        cell.source: "\n".join(one["data"]["text/plain"] for one in cell.outputs if "data" in one)
        for cell in notebook.cells
    }


@ON_ONE_WITH_WORLD
def test_a_notebook_starts_it_gives_a_hint_checks_it_and_gives_it_up(mailserver: Host) -> None:
    taken_for_whole(mailserver)
    start = 'exercise("open-register")'
    shown, fault = walked({"exercise()": start}), faults.named("open-register")
    assert fault.symptom in shown[start] and "10 of 10 points" in shown[start]
    assert fault.hints[0] in shown["hint()"] and fault.hints[1] not in shown["hint()"] and "8 of 10" in shown["hint()"]
    assert fault.symptom in shown["check()"] and "Nothing has changed" in shown["check()"]
    assert fault.was in shown["give_up()"] and fault.source in shown["give_up()"]
    before = "".join(shown[source] for source in shown if source != "give_up()")
    assert fault.was not in before and not [word for word in fault.claims if word in before]
    assert record.load().now is None


@long
@ON_ONE_WITH_WORLD
def test_a_notebook_grades_what_was_put_right_in_it(mailserver: Host) -> None:
    mend = f"run({MENDS['never-wrote-that'][1]!r})"
    shown = walked(
        {
            "exercise()": 'exercise("never-wrote-that")',
            'log("postfix", lines=20)': mend,
            "give_up()": "exercises()",
        }
    )
    assert re.search(r"✓ never-wrote-that: fixed after \d+:\d\d min, 8 points", shown["check()"]), shown["check()"]
    assert re.search(r"✓ never-wrote-that", shown["exercises()"])
