"""Disks that fill up while letters are on their way, and are freed again: what got a 250 arrives."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from checks.engine.target import Target
from lab import Host
from tests.faults import mailboxes, small_disk
from tests.faults.breaking import rescue
from tests.faults.conftest import LONG
from tests.faults.sender import Traffic, deliver
from tests.faults.small_disk import DATABASE, NEARLY, QUEUE, STORE, Disk
from tests.faults.test_messages import PATIENCE, calm, end_to_end, outcome  # noqa: F401 - a fixture

SHORT = (STORE,)


@pytest.mark.parametrize("disk", (STORE, QUEUE, DATABASE) if LONG else SHORT, ids=lambda one: one.name)
def test_full_and_freed(
    disk: Disk,
    calm: Host,  # noqa: F811
    target: Target,
    long: bool,
    count: Callable[..., None],
) -> None:
    with small_disk.own(calm, disk):
        with Traffic(target, calm) as flow:
            assert end_to_end(target, calm, flow) is not None
            flow.phase = f"{disk.name} full"
            small_disk.fill(calm, disk)
            if disk is DATABASE:  # it only reads, until it has to recover
                calm.run("pkill -9 -f 'postgres: .*mailreader'", check=False)
            time.sleep(12 if long else 4)
            small_disk.free(calm, disk)
            flow.phase = f"{disk.name} freed"
            seconds = end_to_end(target, calm, flow)
            helped = rescue(calm) if seconds is None else ""
        wrong, figures = outcome(target, calm, flow)
    taken = sum(letter.accepted for letter in flow.letters)
    name = f"{disk.name} full and freed, {taken} letters"
    count("faults", name, calm.suite, injected=1, seconds=round(seconds or PATIENCE, 1), **figures)
    assert wrong == []
    assert not helped, f"mail did not flow again by itself within {PATIENCE} s; down were: {helped}"


def test_a_queue_that_is_nearly_full_drains(calm: Host, target: Target, count: Callable[..., None]) -> None:  # noqa: F811
    """The door is closed for lack of room; what was taken before still goes through Amavis and back, or it never could."""
    with small_disk.own(calm, NEARLY):
        calm.run("systemctl stop amavis")
        flow = Traffic(target, calm)
        letters = [flow.new(number) for number in range(8)]
        assert all(deliver(target, letter, 20) for letter in letters)
        small_disk.fill(calm, NEARLY)
        begun = time.monotonic()
        calm.run("systemctl start amavis")
        came = mailboxes.drained(calm, 120)
        seconds = round(time.monotonic() - begun, 1)
        small_disk.free(calm, NEARLY)
        wrong, figures = outcome(target, calm, flow)
    count("faults", "the queue nearly full, 8 letters", calm.suite, injected=1, seconds=seconds, **figures)
    assert wrong == []
    assert came, "while there was little room, nothing came through"
