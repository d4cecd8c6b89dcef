"""On a host broken on purpose the matching proof fails and says what, why, the remedy, and where; and the way back."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from lab import Host
from lab import snapshots as lab_snapshots
from notebooks.workbench.experiment import breaking
from notebooks.workbench.host import remote, where
from notebooks.workbench.show.errors import NotReady, NotVerified
from notebooks.workbench.step import applying, landmarks, plans, proving, rewinding
from tests.conftest import LabHost

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]
ROOT = where.ROOT


@pytest.fixture
def host(lab_host: LabHost, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """The Debian 13 mail host, which this process's runbook works on."""
    monkeypatch.setenv("MAILROOM_SNAPSHOTS", "no")
    yield from at_work_on(lab_host("trixie"))


def at_work_on(host: Host) -> Iterator[Host]:
    remote.forget()
    where.use(host.name)
    yield host
    remote.forget()


@pytest.fixture
def built(host: Host) -> Host:
    """The same with chapters 1, 2 and 4 on it; quick where they are already."""
    command = [sys.executable, "-m", "pyinfra", "inventory.py", "deploys/dovecot.py", "-y"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return host


@pytest.fixture
def whole(lab_host: LabHost, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A mail host with all chapters on it, in a lab with a world; quick where they are already."""
    monkeypatch.setenv("MAILROOM_SNAPSHOTS", "no")
    host = lab_host("trixie", world=True)
    command = [sys.executable, "-m", "pyinfra", "inventory.py", "deploys/mailserver.py", "-y"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    yield from at_work_on(host)


# What each breakage is found by, and a word that its explanation has to have.
SIGNS = {"postgresql": "postgresql", "socket": "socket", "certificate": "expired", "password": "dovecot"}
LATER = {"scanner": "clamd", "orders": "fatal", "hatch": "dovecot-lmtp"}  # of chapters 3 and 5


@pytest.mark.parametrize("name", SIGNS)
def test_the_matching_proof_fails_and_explains_itself(name: str, built: Host) -> None:
    broken_found_and_mended(name, SIGNS[name])


@pytest.mark.parametrize("name", LATER)
def test_it_does_so_for_the_workers_and_the_sorting_desk(name: str, whole: Host) -> None:
    broken_found_and_mended(name, LATER[name])


def test_every_breakage_is_tried() -> None:
    assert set(breaking.BREAKAGES) == set(SIGNS) | set(LATER)


def broken_found_and_mended(name: str, sign: str) -> None:
    step = breaking.BREAKAGES[name].verify
    breaking.break_it(name)
    try:
        with pytest.raises(NotVerified) as failed:
            proving.verify(step)
    finally:
        breaking.mend(name)
    trouble = failed.value
    assert trouble.what and trouble.why and trouble.remedy and "chapter " in trouble.where
    assert sign in str(trouble).lower(), str(trouble)
    shown = "".join(trouble._render_traceback_())
    assert "Traceback" not in shown and all(word in shown for word in ("Why:", "Remedy:", "Where:"))
    proving.verify(step)


@pytest.mark.timed
def test_apply_costs_at_most_a_second_more_than_the_command(host: Host) -> None:
    """Of a step that needs no other, so that no server has to be built for it."""
    plain = [sys.executable, "-m", "pyinfra", "inventory.py", "deploys.chapters.postfix.host_name", "-y"]

    def seconds(action: object) -> float:
        begun = time.monotonic()
        action()  # type: ignore[operator]
        return time.monotonic() - begun

    ours = [seconds(lambda: applying.apply("postfix.host_name")) for _ in range(3)]
    theirs = [seconds(lambda: subprocess.run(plain, cwd=ROOT, check=True, capture_output=True)) for _ in range(3)]
    assert statistics.median(ours) - statistics.median(theirs) < 1.0, (ours, theirs)


@pytest.mark.timed
def test_rewind_to_a_step_boundary_takes_at_most_ten_seconds(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    rewinding.rewind(rewinding.BARE)
    with pytest.raises(NotReady, match=r"postfix\.install") as refused:
        applying.apply("postfix.tls")
    assert 'apply("postfix.install")' in refused.value.remedy
    applying.apply("postfix.install")
    monkeypatch.setenv("MAILROOM_SNAPSHOTS", "yes")
    plans.settled("postfix.install")
    applying.apply("postfix.restrictions")
    assert "postfix.restrictions" in landmarks.done("postfix.restrictions")
    begun = time.monotonic()
    rewinding.rewind("chapter 1, install Postfix")
    seconds = time.monotonic() - begun
    assert landmarks.done("postfix.install", "postfix.restrictions") == {"postfix.install"}
    assert seconds <= 10.0, f"{seconds:.1f} s"
    # a boundary that was not kept: from the nearest earlier one, with the steps between done again
    told = str(rewinding.rewind("postfix.identity"))
    assert "1 step after it had to be done again" in told
    assert "postfix.identity" in landmarks.done("postfix.identity")
    lab_snapshots.rewind(host.name, lab_snapshots.BARE)
