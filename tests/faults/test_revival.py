"""What died is alive again by itself, what was stopped stays stopped, and no unit may do more than it was left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from checks.engine.target import Target
from lab import Host
from tests.faults import revival
from tests.faults.breaking import KILLS, POSTMASTER, killed, rescue
from tests.faults.conftest import LONG
from tests.faults.sender import until

SECONDS, LETTERS = 10, 10  # daemons start at the pace of this machine: ten seconds, and what ten letters take on it
PATIENCE = 60
# Those that test_messages.py, with letters on their way, does not kill.
MORE = (
    killed("Postfix pickup", "pgrep -x pickup"),
    killed("PostgreSQL checkpointer", "pgrep -f '[p]ostgres: .*checkpointer'"),
    killed(
        "Dovecot config", "pgrep -P $(systemctl show -P MainPID dovecot) -x config"
    ),  # ends by itself when nobody asks
    killed("Dovecot stats", "pgrep -P $(systemctl show -P MainPID dovecot) -x stats"),
    killed("chronyd", "pgrep -x chronyd"),
)
FAULTS = [one for one in (*KILLS, *MORE) if one.name.startswith("kill -9")]
SHORT = ("kill -9 Dovecot master", "kill -9 PostgreSQL postmaster", "kill -9 Postfix pickup")
UNITS = (
    "postfix@-",
    "postfix",
    "postgresql@15-main",
    "postgresql@17-main",
    "dovecot",
    "amavis",
    "clamav-daemon",
    "chrony",
)


@pytest.fixture
def mended(mailserver: Host) -> Iterator[Host]:
    """The mail server; whatever happened, everything runs again at the end."""
    yield mailserver
    mailserver.run("systemctl reset-failed", check=False)
    rescue(mailserver)
    mailserver.run("systemctl start postfix 'postfix@-' chrony; postqueue -f", check=False)


@pytest.mark.parametrize("fault", [one for one in FAULTS if LONG or one.name in SHORT], ids=lambda one: one.name)
def test_mail_flows_again_by_itself(fault, mended: Host, target: Target, count: Callable[..., None]) -> None:  # type: ignore[no-untyped-def]
    mended.run("pkill -x anvil", check=False)  # the logins of other tests in this minute are not those of this one
    usual = revival.flow(target, PATIENCE).seconds
    assert usual is not None, "no mail flows, and nothing was broken yet"
    if mended.run(fault.command, check=False).returncode:
        pytest.skip("no such process just now")
    flow = revival.flow(target, PATIENCE)
    lost = sum(taken is not None and read is None for taken, read in zip(flow.taken, flow.read, strict=True))
    seconds = PATIENCE if flow.seconds is None else flow.seconds
    name = f"{fault.name}, until read by IMAP"
    count("faults", name, mended.suite, injected=1, lost=lost, altered=0, duplicated=0, seconds=round(seconds, 1))
    assert flow.seconds is not None, f"not within {PATIENCE} s: taken {flow.taken}, read {flow.read}"
    assert flow.seconds <= SECONDS + LETTERS * usual


STOPS = {
    "postfix": "postfix stop",
    "postgresql": "systemctl stop 'postgresql@*'",
    "dovecot": "doveadm stop",
    "amavis": "systemctl stop amavis",
    "clamd": "systemctl stop clamav-daemon.socket clamav-daemon",
}
PROGRAMS = {
    "postfix": "master",
    "postgresql": "postgres",
    "dovecot": "dovecot",
    "amavis": "/usr/sbin/amavisd",
    "clamd": "clamd",
}


def test_what_was_stopped_on_purpose_stays_stopped(mended: Host) -> None:
    runs = {what: f"pgrep -x {program} || pgrep -f '^{program} '" for what, program in PROGRAMS.items()}
    assert not [what for what, look in runs.items() if not mended.run(look, check=False).stdout]
    for command in STOPS.values():
        mended.run(command)
    time.sleep(4)
    assert not [what for what, look in runs.items() if mended.run(look, check=False).stdout]


@pytest.mark.parametrize(
    "file, unit", [("/etc/dovecot/dovecot.conf", "dovecot"), ("/etc/amavis/conf.d/99-broken", "amavis")]
)
def test_what_cannot_start_is_tried_at_little_cost_and_runs_once_it_is_mended(
    file: str, unit: str, mended: Host
) -> None:
    mended.run(
        f"cp -a {file} /root/kept.conf 2>/dev/null; echo 'no such thing here' >> {file}; kill -9 $(systemctl show -P MainPID {unit})"
    )
    try:
        time.sleep(3)
        before, begun = spent(mended), time.monotonic()
        time.sleep(10)
        share = (spent(mended) - before) / (time.monotonic() - begun)
    finally:
        mended.run(f"if [ -e /root/kept.conf ]; then mv /root/kept.conf {file}; else rm {file}; fi")
    for _ in range(80):
        if mended.run(f"systemctl is-active {unit}", check=False).stdout.strip() == "active":
            break
        time.sleep(0.25)
    else:
        pytest.fail(f"{unit} does not run again by itself")
    assert share < 0.6, f"{unit} takes {share:.0%} of a processor while it cannot start"


BROKEN = "for folder in /etc/postgresql/*/main/conf.d; do echo 'shared_buffers = none' > $folder/zz-broken.conf; done"
MENDED = "rm -f /etc/postgresql/*/main/conf.d/zz-broken.conf"
KILLED = f"kill -9 $({POSTMASTER})"
ANSWERS = "pg_isready -q && doveadm auth test foo@example.test wrong 2>&1 | grep -q 'auth failed'"


def test_a_database_that_cannot_start_disturbs_nobody(mended: Host) -> None:
    """Those who ask it are told of its return, and not each time that it is tried."""
    mended.run(f"{BROKEN}; {KILLED}")
    try:
        until(lambda: mended.run("pg_isready -q", check=False).returncode != 0, 5)
        look = "pgrep -x -o qmgr; pgrep -x -o auth; systemctl show -P NRestarts 'postgresql@*'"
        *before, tried = mended.run(look).stdout.split()
        time.sleep(8)
        *after, again = mended.run(look).stdout.split()
    finally:
        mended.run(MENDED)
    assert until(lambda: mended.run(ANSWERS, check=False).returncode == 0, 40) is not None
    assert before == after and int(again) > int(tried)


@pytest.mark.skipif(not LONG, reason="takes longer than pg_ctl waits, a minute")
def test_a_database_that_mends_its_files_for_long_is_noticed_when_it_is_back(mended: Host) -> None:
    """Dovecot 2.4 has given up by then: it would ask again half an hour later."""
    mended.run(f"""{KILLED}; for i in $(seq 600); do p=$(pgrep -f 'postgres: .*: startup') && kill -STOP $p && break; sleep 0.02; done
        sleep 70; pg_isready -q && exit 1; kill -CONT $p""")
    assert until(lambda: mended.run(ANSWERS, check=False).returncode == 0, 15) is not None


def spent(host: Host) -> float:
    """Seconds of processor time of all that has ended on the host: a unit's own counter begins anew with each start."""
    return float(host.run("awk '{print $16 + $17}' /proc/1/stat").stdout) / 100


# As `systemd-analyze security` scores it: 10 may do anything. Debian's own: amavis 6.1, clamd and PostgreSQL 9.6, Dovecot 8.5,
# Postfix 9.6 on Debian 12 and 3.9 on 13.
EXPOSED = {"amavis": 2.5, "clamav-daemon": 3.5, "dovecot": 4.0, "postfix": 4.0, "postgresql": 3.5, "chrony": 3.5}


def test_no_unit_may_do_more_than_it_was_left(mailserver: Host) -> None:
    lines = mailserver.run("systemd-analyze security --no-pager 2>/dev/null").stdout.splitlines()
    scores = {
        words[0].partition(".")[0].partition("@")[0]: float(words[1])
        for line in lines
        if len(words := line.split()) > 2 and words[0].endswith(".service")
    }
    found = {unit: scores[unit] for unit in EXPOSED if unit in scores}
    assert set(found) == set(EXPOSED)
    assert not {unit: score for unit, score in found.items() if score > EXPOSED[unit]}
