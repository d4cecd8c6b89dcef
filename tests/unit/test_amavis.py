"""Chapter 3: its knobs, what speaks against a host, and the commands."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploys import texts
from deploys.chapters import amavis
from deploys.data import DataError, mail_data
from deploys.platforms import PLATFORMS
from facts.mail_host import File, MailHost, Unit, parse
from operations import amavis as workshop
from operations import clamav, postfix, services, users

GOOD: dict[str, Any] = {
    "antivirus": True,
    "amavis_processes": 2,
    "signature_updates": True,
    "virus_signatures": [],
    "spam_score": 5.0,
    "spam_refuse_score": None,
    "spam_network_tests": True,
    "quarantine_days": 30,
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"antivirus": "never"}, "antivirus = 'never' has to be True or False"),
        ({"amavis_processes": 0}, "from 1 to 64"),
        ({"amavis_processes": True}, "from 1 to 64"),
        ({"quarantine_days": 1.5}, "number of days"),
        ({"spam_score": "5"}, "SpamAssassin's own is 5.0"),
        ({"spam_refuse_score": 0}, "15 is a careful one"),
        ({"spam_refuse_score": 4}, "below spam_score"),
        ({"virus_signatures": "EICAR"}, "has to be a list"),
        ({"virus_signatures": ["X5O!P%"]}, "neither a line of a .hdb file"),
        ({"signature_updates": False}, "clamd does not start without"),
    ],
)
def test_wrong_knobs_are_named_with_their_remedy(change: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError) as refused:
        mail_data({**GOOD, **change, "accounts_file": "none", "secrets_file": "nowhere"}, "mx1.example.test")
    problem, *files = refused.value.problems
    assert says in problem and all("secrets file" in one for one in files)


def known(**values: Any) -> Any:
    return SimpleNamespace(**{**GOOD, **values})


@pytest.mark.parametrize(
    ("memory", "values", "fits"),
    [("2000", {}, True), ("1000", {}, False), ("1000", {"antivirus": False}, True)],
)
def test_a_small_host_does_without_antivirus(memory: str, values: dict[str, Any], fits: bool) -> None:
    there = MailHost(system={"memory_mb": memory})
    problems = amavis.unfit(there, known(**values), PLATFORMS["debian", "13"])
    assert (problems == []) is fits
    assert fits or "antivirus = False" in problems[0]


def test_the_red_hat_family_is_refused() -> None:
    (problem,) = amavis.unfit(MailHost(), known(), PLATFORMS["almalinux", "9"])
    assert "AlmaLinux 9" in problem and "deploys/dovecot.py" in problem


def test_settings_are_replaced_where_they_stand() -> None:
    before = "User clamav\nMaxThreads 12\nMaxThreadsElse 1\n"
    after = clamav.with_settings(before, {"MaxThreads": "2", "ConcurrentDatabaseReload": "no"})
    assert after == "User clamav\nMaxThreads 2\nMaxThreadsElse 1\nConcurrentDatabaseReload no\n"
    assert clamav.with_settings(after, {"MaxThreads": "2", "ConcurrentDatabaseReload": "no"}) == after


def test_a_part_of_amavis_is_read_by_amavis_first(ask: Any) -> None:
    (command,) = ask(MailHost(), workshop.part, dest="/etc/amavis/conf.d/60-mailroom", text="1;")
    assert command.index("test-config") < command.index("mv -fZ")


def test_clamd_is_let_into_amaviss_group_once(ask: Any) -> None:
    assert ask(MailHost(members={"amavis": ("clamav",)}), users.member, user="clamav", group="amavis") == []
    assert ask(MailHost(), users.member, user="clamav", group="amavis")


def test_a_unit_is_switched_off_before_it_is_installed_and_once(ask: Any) -> None:
    assert ask(MailHost(), services.service, service="clamav-freshclam", running=False)
    masked = MailHost(units={"clamav-freshclam": Unit(False, "masked", 0.0)})
    assert ask(masked, services.service, service="clamav-freshclam", running=False) == []
    assert ask(masked, services.service, service="clamav-freshclam")
    # a clamd that mailroom has not set up scans for somebody else
    theirs = MailHost(units={"clamav-daemon": Unit(True, "enabled", 0.0)})
    ours = services.drop_in_path("clamav-daemon.socket")
    assert ask(theirs, services.service, service="clamav-daemon", only_with=ours, running=False) == []
    theirs.files[ours] = File("644", "root", "root", 1.0, "regular file")
    assert len(ask(theirs, services.service, service="clamav-daemon", only_with=ours, running=False)) == 1


def test_the_first_signatures_are_waited_for_once(ask: Any) -> None:
    assert ask(MailHost(), clamav.signatures)
    assert ask(MailHost(system={"signatures": "daily.cld main.cvd"}), clamav.signatures) == []


def test_overrides_go_away_again(ask: Any) -> None:
    there = MailHost(overrides={"smtp/inet/content_filter": "", "smtp/inet/other": "1"})
    (command,) = ask(
        there,
        postfix.overrides,
        service="smtp/inet",
        settings=dict.fromkeys(("content_filter", "smtpd_proxy_filter"), ""),
        present=False,
    )
    assert "smtp/inet/content_filter" in command and "smtpd_proxy_filter" not in command
    assert ask(MailHost(), postfix.overrides, service="smtp/inet", settings={"content_filter": ""}, present=False) == []


def test_masked_units_and_members_are_read() -> None:
    there = parse(
        {
            "system": ["uid=0"],
            "units": ["Id=a.service", "LoadState=masked", "ActiveState=inactive", "UnitFileState=masked"],
            "owners": ["group:amavis:x:995:clamav,other"],
        }
    )
    assert there.units["a"].enabled == "masked" and there.members["amavis"] == ("clamav", "other")


def test_no_destiny_writes_to_a_stranger() -> None:
    text = Path(texts.__file__).with_name("templates").joinpath("amavis/60-mailroom.pl").read_text()
    for_everybody, bank, _ = text.partition("$policy_bank")
    assert bank and len(re.findall(r"\$final_\w+_destiny += D_", for_everybody)) >= 4
    assert "D_BOUNCE" not in for_everybody and "D_REJECT" not in for_everybody
