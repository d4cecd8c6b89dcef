"""Exercises on a whole server: the complaint is true, doing nothing and a wrong way fail, another right way passes.

Three of them in `make test`; MAILROOM_CLASS=long (`make exercises`) has all of them, one by one, on both releases.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import checks
from classroom.exercise import faults, marks, record
from lab import Host, names
from tests.checks.breaks.base import AMAVIS, DOVECOT, POSTFIX
from tests.live.mending import MENDS
from tests.live.support import ON_ONE_WITH_WORLD

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


@pytest.mark.skipif(LONG, reason="each of them is tried by itself")
@ON_ONE_WITH_WORLD
def test_three_at_once(mailserver: Host) -> None:
    kept = record.load()  # that it is whole, the tests of the checks have shown: asking takes a minute
    kept.is_whole(mailserver.name, marks.read(mailserver), {one.id: "pass" for one in checks.selected()})
    kept.save()
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
