"""The whole series, from a bare host, in one run; what earlier chapters made stays as later ones changed it."""

import time

import pytest

import checks
from lab import Host
from tests.live.conftest import first_run
from tests.live.support import MAILSERVER, ON_ONE_WITH_WORLD, WHOLE, applied
from tests.live.traffic import until

STARTED = "ps -o lstart= -p 1"
WITH_RELAY = {f"believed.relay.{check}" for check in ("login", "none_waits", "verified")}
RUNNING = "postfix postgresql dovecot amavis clamav-daemon chrony mailroom-sender.socket mailroom-learn.path"


def test_a_bare_host_in_one_run_and_twice_is_once(world_mx: Host) -> None:
    first = first_run(world_mx)
    assert first.changes and first.changes > 80
    second = applied(MAILSERVER, "--debug")
    assert (second.changes, second.operations, second.commands) == (0, first.operations, 2), second.changed


def test_the_earlier_chapters_have_nothing_to_change_back(mailserver: Host) -> None:
    run = applied(WHOLE)
    assert run.changes == 0, run.changed
    assert applied(MAILSERVER).changes == 0


def test_after_a_boot_everything_runs_again(mailserver: Host) -> None:
    """All of it by itself, also what a socket could start later; there is nothing for a run to do."""
    boot = mailserver.run(STARTED).stdout
    mailserver.run("systemctl reboot", check=False)
    mailserver.close()
    until(lambda: rebooted(mailserver, boot), "the host is back", 60)
    until(
        lambda: not mailserver.run(f"systemctl is-active {RUNNING} | grep -v ^active", check=False).stdout, RUNNING, 60
    )
    run = applied(MAILSERVER)
    assert run.changes == 0, run.changed


def rebooted(host: Host, before: str) -> bool:
    try:
        return host.run(STARTED, check=False).stdout not in ("", before)  # on its way down it ends commands, too
    except OSError:
        return False


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_all_checks_pass_quickly_and_leave_nothing(mailserver: Host, world: Host, family: str) -> None:
    target = checks.lab_target()
    if family == "IPv6":
        target.address = mailserver.address6 or pytest.skip("this machine has IPv6 switched off")
    begun = time.monotonic()
    results = checks.run(target)
    seconds = time.monotonic() - begun
    wrong = [f"{one.id}: {one.evidence}" for one in results if one.verdict == "fail"]
    assert not wrong, "\n".join(wrong)
    skipped = {one.id: one.evidence for one in results if one.verdict == "skip"}
    assert set(skipped) == {"amavis.clamav.updates", "amavis.spamassassin.updates", *WITH_RELAY}, skipped
    assert seconds < 240, f"{seconds:.0f} s"  # on two cores with nothing else to do: 36 s
    letters = "'(' -path '*/new/*' -o -path '*/cur/*' -o -path '*/virusmails/*' -o -path '*-learn/*' ')'"
    left = mailserver.run(
        f"find /home/mail /var/lib/amavis /var/spool/mailroom-learn -type f {letters} -exec grep -l mailroom-check {{}} +; mailq",
        check=False,
    ).stdout
    assert left == "Mail queue is empty\n", left
    scripts = mailserver.run("find /home/mail/.home -name 'mailroom-check*'").stdout
    assert scripts == ""


def test_nothing_of_the_package_fetches_signatures(mailserver: Host) -> None:
    """signature_updates is False in a lab; a unit that the package has beside the daemon counts, too."""
    units = mailserver.run(
        "systemctl list-units --state=active,activating,failed --plain --no-legend '*freshclam*'; pgrep -a freshclam",
        check=False,
    )
    assert units.stdout == "" and "freshclam[" not in mailserver.run("journalctl -b --no-pager").stdout


def test_a_stopped_worker_is_brought_back(mailserver: Host) -> None:
    for unit in ("clamav-daemon", "amavis", "chrony"):
        mailserver.run(f"systemctl stop {unit}")
    run = applied(MAILSERVER)
    assert run.changes == 3, run.changed
    assert mailserver.run("systemctl is-active clamav-daemon amavis chrony").stdout.split() == ["active"] * 3
    assert applied(MAILSERVER).changes == 0


@ON_ONE_WITH_WORLD
def test_a_small_server_does_without_antivirus(mailserver: Host) -> None:
    """And gets it back. Mail goes on through SpamAssassin, and no check asks for a virus."""
    without = ("--data", "antivirus=false")
    try:
        assert applied(MAILSERVER, *without).changes
        assert applied(MAILSERVER, *without).changes == 0
        results = checks.run(checks.lab_target(), chapter=3)
        wrong = [f"{one.id}: {one.evidence}" for one in results if one.verdict == "fail"]
        assert not wrong, "\n".join(wrong)
        assert mailserver.run("systemctl is-active clamav-daemon", check=False).stdout == "inactive\n"
    finally:
        applied(MAILSERVER)
    assert mailserver.run("systemctl is-active clamav-daemon").stdout == "active\n"
    assert applied(MAILSERVER).changes == 0
