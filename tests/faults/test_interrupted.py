"""A run killed at any moment, the host killed at any moment: the next run goes on, and the one after it changes nothing.

One chain a release: a run is killed, and the next one goes on from there, until one comes to its end. The lab is the test's own.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import checks
from lab import Host, hosts, life, names
from lab import host as host_of
from lab.engine import find
from tests.faults.conftest import LONG
from tests.live.support import MAILSERVER, ROOT, WHOLE, pyinfra

DEPLOY = MAILSERVER if LONG else WHOLE
COMMAND = [sys.executable, "-u", "-m", "pyinfra", "inventory.py", DEPLOY, "-y"]
# Without the world's DNS SpamAssassin waits for answers that do not come, and letters with it.
HOSTS = (*names.DEFAULT_HOSTS, *((names.WORLD,) if LONG else ()))
# Where the short form kills: while this operation runs, or just after it.
PLACES = ("Self-signed certificate", "Root's mail", "passdb and userdb")
# What is asked of the short form's server; in the long form, everything.
PROOF = [] if LONG else ["postfix.restart", "postgresql.delivery", "dovecot.certificate", "dovecot.restart"]
BAD = ("fail",) if LONG else ("fail", "skip")  # of all, those of updates are skipped
# what a killed command of ours leaves in its place
LEFT = "ls -d /etc/postfix/.mailroom.* /etc/*.mailroom.?????? /etc/*/*.mailroom.?????? /etc/postfix/certs/*.new 2>/dev/null; true"


def started() -> subprocess.Popen[str]:
    """A run of the whole deploy, in a process group of its own."""
    return subprocess.Popen(
        COMMAND, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip


def kill(run: subprocess.Popen[str]) -> None:
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def begun(run: subprocess.Popen[str], place: str) -> bool:
    """Wait until an operation of this name has begun; "" for the end of the next change. False where the run ends before."""
    assert run.stdout is not None
    for line in run.stdout:
        if (place and re.search(rf"Starting operation: .*{re.escape(place)}", line)) or (
            not place and re.search(r"\[mx1\] .*Success", line)
        ):
            return True
    run.wait()
    return False


def killed_in_apt(mx: Host) -> int:
    """The controller, and then apt and dpkg on the host, while packages are unpacked or configured."""
    run = started()
    dpkg = "n=0; until pgrep -x dpkg >/dev/null; do n=$((n + 1)); [ $n -lt 600 ] || exit 1; sleep 0.2; done"
    mx.run(f"{dpkg}; sleep 2", timeout=200)
    kill(run)
    mx.run("pkill -9 -x apt-get; pkill -9 -x dpkg; true")
    return 1


def host_killed(suite: str, seconds: float) -> int:
    """The host, some seconds into a run: /run is gone afterwards, and what was not written."""
    run = started()
    time.sleep(seconds)
    find().run("kill", "--signal", "KILL", hosts.container("mx1"), check=False)
    kill(run)
    find().run("start", hosts.container("mx1"), check=False)
    life.up(dict.fromkeys(HOSTS, suite), suite)
    return 1


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("suite", names.SUITES)
def test_a_run_and_a_host_that_are_killed(suite: str, own_lab: Path, long: bool, count: Callable[..., None]) -> None:
    if not long and suite != names.DEFAULT_SUITE:
        pytest.skip("make faults interrupts this release too: the short form takes some minutes already")
    life.up(dict.fromkeys(HOSTS, suite), suite)
    chance = random.Random(10)
    interrupted = killed_in_apt(host_of("mx1"))
    for number, place in enumerate([""] * 200 if long else PLACES, 1):
        if number % 12 == 0:
            interrupted += host_killed(suite, chance.uniform(2, 8))
        run = started()
        if not begun(run, place):
            break
        time.sleep(chance.uniform(0, 0.5))  # inside what comes next
        kill(run)
        interrupted += 1
    interrupted += host_killed(suite, chance.uniform(4, 12))
    mx = host_of("mx1")
    ends = pyinfra(DEPLOY)
    wrong = [f"{one.id}: {one.evidence}" for one in checks.run(only=PROOF) if one.verdict in BAD]
    again = pyinfra(DEPLOY)
    left = mx.run(LEFT).stdout
    good = (ends.code, again.code, again.changes, wrong, left) == (0, 0, 0, [], "")
    count(
        "deploys",
        "killed",
        suite,
        interrupted=interrupted,
        converged=interrupted * good,
        not_converged=interrupted * (not good),
    )
    assert good, f"{ends.output[-3000:]}\n{again.changed}\n{wrong}\n{left}"

    # two at once, with something to change: one waits for the other, and is told for whom
    mx.run("postconf -e message_size_limit=1000000; touch /etc/dovecot/dovecot.conf")
    runs = [started(), started()]
    said = [run.communicate(timeout=600)[0] for run in runs]
    good = all(run.returncode == 0 for run in runs) and pyinfra(DEPLOY).changes == 0
    count("deploys", "two at once", suite, interrupted=2, converged=2 * good, not_converged=2 * (not good))
    assert good, "\n".join(said)
    assert sum("is changing this host; waiting" in one for one in said) <= 1
