"""One upgrade from its beginning to its judgement: what was there is recorded, letters arrive, all runs are made, all is compared."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import checks
from checks.engine.target import Target
from lab import Host
from rehearsal import life, traffic
from rehearsal.report import Report

ROOT = Path(__file__).resolve().parents[1]
UPGRADE = "deploys/upgrade.py"
ARRIVED = "behind all of it, until nothing was on its way any more"
SETTLED = 180.0  # seconds for what is on its way when all runs have ended
HOW = {"pass": "passed", "fail": "failed", "skip": "skipped", "warn": "to look at"}
# A lab's disk is this machine's, with all that others do there; its packages are in a cache outside.
USED = "du -xsm --exclude=/var/cache/apt/archives /etc /usr /var | awk '{ sum += $1 } END { print sum }'"


class Failed(Exception):
    """A run that did not end well; what it said is in the message."""


def rehearsed(
    host: Host,
    world: Host,
    target: Target,
    account: tuple[str, str],
    deploy: str = "deploys/mailserver.py",
    say: Callable[[str], None] = lambda text: None,
) -> Report:
    """Upgrade the host while letters arrive, and judge. `account`: an address and its password, for submission.

    Raises Failed where a run fails, CannotStart where the checks cannot ask.
    """
    say("recording what is there")
    report = Report(life.recorded(host, target.mail_home), traffic.Traffic())
    used = int(host.run(USED).stdout)
    with traffic.running(host, world, list(report.before.mailboxes), account) as report.traffic:
        with timed(report, f"{UPGRADE}: the packages, and what they leave behind"):
            ran(UPGRADE, report, say)
        with timed(report, f"{deploy}: all chapters in the new language"):
            ran(deploy, report, say)
        time.sleep(2 * traffic.OWN)
    report.again = ran(deploy, report, say)
    say("waiting for what is on its way")
    with timed(report, ARRIVED):
        settled(host, world, set(report.before.queue))
    after = life.recorded(host, target.mail_home)
    report.disk_mb = int(host.run(USED).stdout) - used
    compared(report, after, world)
    say("asking the checks")
    results = checks.run(target)
    report.checks = dict(Counter(HOW[one.verdict] for one in results))
    report.wrong = [f"{one.id}: {one.evidence}" for one in results if one.verdict == "fail"]
    return report


def compared(report: Report, after: life.Life, world: Host) -> None:
    """What became of all that was there, and of the letters that came meanwhile."""
    copies = {mark: after.places(mark) for mark in report.traffic.sent}
    for mark in bounced(world, report.traffic.sent):
        report.traffic.refused.setdefault(mark, "it came back to its sender")
    report.lost = report.traffic.lost({mark: len(found) for mark, found in copies.items()})
    report.twice = [mark for mark, found in copies.items() if len(found) > 1]
    report.differences = life.differences(report.before, after, report.traffic.sent.keys())


def bounced(world: Host, marks: Collection[str]) -> list[str]:
    """The marks of letters that came back to the world."""
    texts = world.run("cat /var/mail/example.net/alice/new/* 2>/dev/null", check=False).stdout
    return [mark for mark in marks if mark in texts]


def settled(host: Host, world: Host, waiting: set[str]) -> None:
    """Nothing is on its way any more, but for what was in the queue before; or the patience has ended, and the judgement says so."""
    end = time.monotonic() + SETTLED
    while time.monotonic() < end:
        if not life.queued(world) and life.queued(host).keys() <= waiting:
            return
        world.run("postqueue -f")
        time.sleep(3)


@contextmanager
def timed(report: Report, name: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    report.parts[name] = time.monotonic() - begun


def ran(deploy: str, report: Report, say: Callable[[str], None]) -> int:
    """Run it, and keep in the report what it has to say to the operator; how much it changed."""
    changed, said = applied(deploy, say)
    report.said += [one for one in said if one not in report.said]
    return changed


def applied(deploy: str, say: Callable[[str], None]) -> tuple[int, list[str]]:
    """Run it as an operator does: how much it changed, and what it had to say to him. Raises Failed."""
    say(deploy)
    words = [sys.executable, "-m", "deploys", Path(deploy).stem]
    out, err = subprocess.PIPE, subprocess.STDOUT
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=err, text=True) as run:
        lines = heard(run.stdout, say)
    total = re.search(r"^(\d+) changed", "".join(lines), re.M)
    if run.returncode or total is None:
        raise Failed(f"{deploy} ended with {run.returncode}:\n{''.join(lines[-20:])}")
    return int(total[1]), warnings(lines)


def heard(output: IO[str] | None, say: Callable[[str], None]) -> list[str]:
    found = []
    for line in output or ():
        found.append(line)
        if line.strip():
            say(f"  {line.rstrip()}")
    return found


def warnings(lines: Sequence[str]) -> list[str]:
    """Paragraphs that begin with "!", as `python -m deploys` writes them."""
    found: list[str] = []
    inside = False
    for line in lines:
        if line.startswith("  ! "):
            found.append(line[4:].strip())
            inside = True
        elif inside and line.startswith("    ") and line.strip():
            found[-1] += f" {line.strip()}"
        else:
            inside = False
    return found
