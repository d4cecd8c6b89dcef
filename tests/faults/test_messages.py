"""Letters on their way while something breaks: every 250 is in its mailbox once, as it was sent, and mail flows again by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from checks.engine.target import Target
from lab import Host
from tests.faults import mailboxes
from tests.faults.breaking import KILLS, Fault, rescue
from tests.faults.conftest import LONG
from tests.faults.letters import judge, write
from tests.faults.sender import Traffic, deliver, until
from tests.live import traffic

# From a killed process to the next letter's arrival; daemons start, too, at the pace of this machine: of ten letters, and of 15 seconds
SECONDS, LETTERS = 15, 10
# What happened meanwhile, for whoever has to find out why: who is there, what waits and since when, and the log without who came and went
SCENE = """postqueue -p; ps -eo pid,etimes,stat,args | grep -E '[q]mgr|[p]roxymap|[l]mtp|dovecot/[a]uth|[a]mavisd|[p]ostgres -D'
    journalctl --no-pager -o short-precise -n 3000 --since -75s | grep -viE 'connect from|removed$' | cut -c1-300 | tail -n 300"""
PATIENCE = 45  # after that somebody has to help, and the test says so


@pytest.fixture
def calm(mailserver: Host, world: Host, target: Target) -> Iterator[Host]:
    """Nothing on its way, nobody's mailbox has anything; at the end everything runs again."""
    rescue(mailserver)
    assert mailboxes.drained(mailserver, 120), "what was on its way before is still"
    traffic.empty(mailserver, world)
    target.read(target.certificate)  # kept for as long as the host is away
    yield mailserver
    rescue(mailserver)
    mailboxes.drained(mailserver, 60)
    traffic.empty(mailserver, world)


def end_to_end(target: Target, host: Host, flow: Traffic) -> float | None:
    """Seconds until a letter that is written now is in a mailbox."""
    letter = write(target.account(0)[0], len(flow.letters))
    letter.phase = flow.phase
    flow.letters.append(letter)
    begun = time.monotonic()
    if not deliver(target, letter, PATIENCE):
        return None
    left = PATIENCE - (time.monotonic() - begun)
    return time.monotonic() - begun if until(lambda: mailboxes.arrived(host, letter.mark), left) is not None else None


def outcome(target: Target, host: Host, flow: Traffic) -> tuple[list[str], dict[str, int]]:
    """What became of all the letters, once nothing is on its way: sentences, and figures for the report."""
    mailboxes.drained(host, 120)
    verdict = judge(flow.letters, mailboxes.read(target))
    if verdict.lost:  # the last delivery may be a moment behind the empty queue
        time.sleep(3)
        verdict = judge(flow.letters, mailboxes.read(target))
    waiting = [f"{letter.mark}: never taken, in {letter.tries} tries" for letter in flow.letters if not letter.accepted]
    return [*verdict.wrong(), *waiting], verdict.figures()


@pytest.mark.parametrize("service", ["qmgr", "pickup"])
def test_who_moves_the_queue_is_missed(service: str, calm: Host) -> None:
    """Nothing comes that would start it: so it is where a reload's word was lost, and the queue is not empty."""
    calm.run(f"pkill -x {service}", check=False)
    assert until(lambda: calm.run(f"pgrep -x {service}", check=False).returncode == 0, 12) is not None


@pytest.mark.parametrize("fault", [one for one in KILLS if LONG or one.short], ids=lambda one: one.name)
def test_every_250_is_kept(fault: Fault, calm: Host, target: Target, long: bool, count: Callable[..., None]) -> None:
    times = fault.times if long else 1
    with Traffic(target, calm) as flow:
        time.sleep(4 if long else 0)
        usual = end_to_end(target, calm, flow)
        assert usual is not None, "no mail flows, and nothing was broken yet"
        flow.phase = fault.name
        for _ in range(times):
            fault.inject(calm)
            time.sleep(0.7)
        begun = time.monotonic()
        seconds = end_to_end(target, calm, flow)
        scene = "" if seconds is not None and seconds <= SECONDS else calm.run(SCENE, check=False).stdout
        helped = rescue(calm) if seconds is None else ""
        time.sleep(4 if long else 0)
    took = time.monotonic() - begun if seconds is None else seconds
    wrong, figures = outcome(target, calm, flow)
    taken = sum(letter.accepted for letter in flow.letters)
    name = f"{fault.name}, {taken} letters"
    count("faults", name, calm.suite, injected=times, seconds=round(took, 1), **figures)
    assert wrong == []
    assert not helped, f"mail did not flow again by itself within {PATIENCE} s; down were: {helped}\n{scene}"
    assert seconds is not None and seconds <= SECONDS + LETTERS * usual, scene
