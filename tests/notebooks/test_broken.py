"""On a host broken on purpose the matching proof fails and says what, why, the remedy, and where; and the way back."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from checks.engine import ssh
from checks.engine.verdicts import Failed
from lab import Host, names
from notebooks.workbench.experiment import breaking, tcpdump
from notebooks.workbench.host import remote, where
from notebooks.workbench.show.errors import NotApplied, NotReady, NotVerified
from notebooks.workbench.step import applying, dry_run, plans, proving, rewinding
from notebooks.workbench.talk import protocols
from tests.conftest import LabHost

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]
ROOT = where.ROOT


@pytest.fixture(params=[names.DEFAULT_SUITE])
def mx(request: pytest.FixtureRequest, lab_host: LabHost) -> Host:
    """The mail host; one release says enough here."""
    return lab_host(request.param)


@pytest.fixture(params=[names.DEFAULT_SUITE])
def world_mx(request: pytest.FixtureRequest, lab_host: LabHost) -> Host:
    """That of a lab with a world."""
    return lab_host(request.param, world=True)


@pytest.fixture
def host(mx: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """The mail host, whatever is on it, which this process's runbook works on."""
    yield from at_work_on(mx, monkeypatch)


def at_work_on(host: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("MAILROOM_SNAPSHOTS", "no")
    remote.forget()
    where.use(host.name)
    yield host
    remote.forget()


@pytest.fixture
def built(server: Host, host: Host) -> Host:
    """The same with chapters 1, 2 and 4 on it."""
    return host


@pytest.fixture
def whole(mailserver: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A mail host with all chapters on it, in a lab with a world."""
    yield from at_work_on(mailserver, monkeypatch)


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


def test_a_tap_ends_with_the_block_that_failed(host: Host) -> None:
    client = where.place().client
    with pytest.raises(ZeroDivisionError), tcpdump.tapped(143):
        assert remote.execute("pgrep -x tcpdump", on=client).out
        raise ZeroDivisionError
    assert not remote.execute("pgrep -x tcpdump", on=client).out


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


def test_a_host_that_hangs_up_is_told_and_asked_again(host: Host) -> None:
    away = "kill -9 $PPID; sleep 9"
    with pytest.raises(NotReady, match="hung up while this ran"):
        remote.execute(away)
    assert remote.execute("echo back; kill -9 $$").out == "back\n"
    client = ssh.connect(host.name, where.place().ssh_config)
    with pytest.raises(Failed, match="the SSH connection was lost"):
        ssh.execute(client, away)
    with pytest.raises(Failed, match="the SSH connection was lost"):
        ssh.execute(client, "true")


@pytest.mark.timed
def test_rewind_to_a_step_boundary_takes_at_most_ten_seconds(
    bare: Host, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotReady, match=r"postfix\.install") as refused:
        applying.apply("postfix.tls")
    assert 'apply("postfix.install")' in refused.value.remedy
    applying.apply("postfix.install")
    monkeypatch.setenv("MAILROOM_SNAPSHOTS", "yes")
    plans.settled("postfix.install")
    applying.apply("postfix.restrictions")
    assert dry_run.ask("postfix.restrictions")["postfix.restrictions"].done
    begun = time.monotonic()
    rewinding.rewind("chapter 1, install Postfix")
    seconds = time.monotonic() - begun
    found = dry_run.ask("postfix.install", "postfix.restrictions")
    assert [step for step, one in found.items() if one.done] == ["postfix.install"]
    assert seconds <= 10.0, f"{seconds:.1f} s"
    # a boundary that was not kept: from the nearest earlier one, with the steps between done again
    told = str(rewinding.rewind("postfix.identity"))
    assert "with 1 step after it done again" in told
    assert dry_run.ask("postfix.identity")["postfix.identity"].done


@contextmanager
def in_dovecot_conf(host: Host, line: str) -> Iterator[None]:
    """dovecot.conf with this line behind all others, for as long as the block runs."""
    host.run(f"cp -p /etc/dovecot/dovecot.conf /root/good.conf; echo '{line}' >> /etc/dovecot/dovecot.conf")
    try:
        yield
    finally:
        host.run("mv /root/good.conf /etc/dovecot/dovecot.conf")


def test_an_unknown_word_is_answered_with_the_line_that_has_it(built: Host) -> None:
    """Not with the remedy of the check that could not look because of it."""
    with in_dovecot_conf(built, "nonsense = 1"), pytest.raises(NotVerified) as failed:
        proving.verify("dovecot.tls")
    trouble = failed.value
    assert "nonsense" in trouble.why and "doveconf" in trouble.remedy, str(trouble)
    assert "ssl = required" not in trouble.remedy and "ssl_min_protocol" not in trouble.remedy


def test_without_a_certificate_a_dialogue_says_which_step_makes_it(built: Host) -> None:
    built.run("mv /etc/postfix/certs/cert.pem /root/")
    try:
        with pytest.raises(NotReady) as refused:
            protocols.imap(993, "LOGOUT")
    finally:
        built.run("mv /root/cert.pem /etc/postfix/certs/")
    assert "no certificate" in refused.value.why and 'apply("postfix.certificate")' in refused.value.remedy
    assert "cat --" not in refused.value.why


def test_a_step_that_fails_says_why_once(built: Host) -> None:
    with in_dovecot_conf(built, "service {"), pytest.raises(NotApplied) as failed:
        applying.apply("dovecot.restart")
    lines = failed.value.why.splitlines()
    assert lines and len(lines) == len({*lines}), failed.value.why


@pytest.mark.parametrize(("name", "replayed"), [("chapter 1, who we are", True), ("bare", False)])
def test_a_rewind_in_the_terminal_builds_what_was_not_kept(bare: Host, host: Host, name: str, replayed: bool) -> None:
    """As the README prints it, after `make up`, which keeps nothing on the way."""
    command = [
        "make",
        "--no-print-directory",
        "--assume-old=.venv/.installed",
        "rewind",
        f"HOST={host.name}",
        f"TO={name}",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("after it done again" in done.stdout) == replayed
    remote.forget()
    assert dry_run.ask("postfix.identity")["postfix.identity"].done == replayed


def test_a_rewind_to_nowhere_says_where_one_can_go(host: Host) -> None:
    command = [sys.executable, "-m", "notebooks.rewind", host.name, "chapter 9, tea"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (
        done.returncode == 1 and "There is no step 'chapter 9, tea'" in done.stderr and "Traceback" not in done.stderr
    )
