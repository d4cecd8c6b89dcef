"""On a whole server all checks pass; on one that is broken on purpose the matching ones do not, and say what to do."""

from pathlib import Path

import pytest

import checks
from checks.engine import report
from checks.engine.inventory import lab_directory
from checks.engine.target import read_json
from lab import Host, names
from tests.checks import breaks
from tests.checks.breaks.base import DOVECOT
from tests.live.support import ON_ONE_WITH_WORLD

LATER = (3, 5, 6)  # chapters that `server` does not have
CASES = [
    (suite, name)
    for name, one in breaks.OF_THREE.items()
    for suite in (names.SUITES if one.on_both else [names.DEFAULT_SUITE])
]


def secrets() -> list[str]:
    return [
        secret
        for name in ("accounts.json", "secrets.json")
        for secret in read_json(Path(lab_directory()) / name).values()
    ]


def test_a_whole_server_passes_and_keeps_no_letter_of_ours(server: Host) -> None:
    target = checks.lab_target()
    results = checks.run(target)
    wrong = [
        f"{one.id}: {one.evidence}" for one in results if one.verdict in ("fail", "skip") and one.chapter not in LATER
    ]
    assert not wrong, "\n".join(wrong)
    later = {one.verdict: one.evidence for one in results if one.chapter in LATER}
    assert list(later) == ["skip"] and "was not applied here" in later["skip"]
    assert len(results) == len(checks.selected())
    text = report.as_json(target, results, 0.0)
    assert not [secret for secret in secrets() if secret in text]
    left = server.run("mailq | tail -n +1; find /home/mail -type f -path '*/new/*' -o -type f -path '*/cur/*'").stdout
    assert "mailroom-check" not in left and "/home/mail" not in left, left


@pytest.mark.parametrize(("mx", "name"), CASES, indirect=["mx"])
def test_what_is_broken_is_seen(server: Host, name: str) -> None:
    broken_is_seen(server, breaks.OF_THREE[name])


@ON_ONE_WITH_WORLD
@pytest.mark.parametrize("name", breaks.OF_ALL)
def test_what_is_broken_in_the_whole_series_is_seen(mailserver: Host, name: str) -> None:
    broken_is_seen(mailserver, breaks.OF_ALL[name])


def broken_is_seen(host: Host, one: breaks.Break) -> None:
    """Break the host, run the checks that have to see it, and put it back."""
    host.run(breaks.KEEP)
    try:
        host.run(one.done)
        results = {result.id: result for result in checks.run(only=one.seen.split())}
    finally:
        host.run(one.back)
    for id in one.seen.split():
        assert results[id].verdict in ("fail", "warn"), results[id]
        assert results[id].remedy, id
        assert not [secret for secret in secrets() if secret in str(results[id])]


def test_an_early_stop_skips_the_rest_with_its_reason(server: Host) -> None:
    server.run("systemctl stop dovecot")
    try:
        results = checks.run(only=["dovecot.mailboxes", "dovecot.restart.delivery"])
    finally:
        server.run(DOVECOT)
    verdicts = {result.id: result.verdict for result in results}
    assert verdicts["dovecot.start.listens"] == "fail"
    assert {verdict for id, verdict in verdicts.items() if id != "dovecot.start.listens"} == {"skip"}
    assert [result.id for result in report.stopped(results)] == ["dovecot.start.listens"]
