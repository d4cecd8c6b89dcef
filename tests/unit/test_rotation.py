"""Which key signs, what the DNS says of the next one, and when nothing is changed."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from checks.engine.target import Target
from checks.engine.verdicts import Failed
from postmaster.keys import command, state
from postmaster.model import NotFound
from postmaster.zone.need import shown
from tests.zones import GLUE, SOA, authorities

D = "example.test"
OLD, NEW = "m1 2026-01-01T00:00:00Z 2026-12-01T00:00:00Z", "m2 2026-12-01T00:00:00Z"
NOW = datetime(2026, 12, 3, 12, tzinfo=UTC)  # on the host and, in `desk`, on this machine
Desk = Callable[..., tuple[int, str]]


def printed(
    *domains: tuple[str, list[str], list[str]],
    now: datetime = NOW,
    queue: str = "5d",
    started: str = "",
    served: str = "",
) -> str:
    """What a host prints of (domain, lines of its file, selectors of its keys)."""
    rows = ["--- host", f"now={int(now.timestamp())}", f"queue={queue}", f"started={started}"]
    rows += [f"served={served or ' '.join(name for name, _, _ in domains)}"]
    for name, lines, keys in domains:
        rows += [f"--- domain {name}", "written=1000", *(f"line={line}" for line in lines)]
        rows += [f"key={key} 1700000000 {key}half==" for key in keys]
    return "\n".join(rows)


def one(*given: Any, **more: Any) -> state.Domain:
    (found,) = state.parse(printed((D, *given), **more)).domains
    return found


def test_the_roles_of_keys() -> None:
    found = one([NEW, OLD, "m0 2025-01-01T00:00:00Z 2026-01-01T00:00:00Z"], ["m1", "m2", "m3"])
    assert [(key.selector, key.role) for key in found.keys] == [
        ("m2", "signs"),
        ("m1", "old"),
        ("m0", "gone"),
        ("m3", "next"),
    ]
    assert (
        found.keys[0].record == "v=DKIM1; p=m2half=="
        and found.keys[0].name == f"m2._domainkey.{D}"
        and not found.trouble
    )
    assert found.keys[1].keep == datetime(2026, 12, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("queue", "days"),
    [("5d", 6), ("1d", 6), ("0", 6), ("10d", 11), ("2w", 15), ("240h", 11), ("7", 8), ("", 6), ("x", 6)],
)
def test_an_old_key_is_kept_for_as_long_as_letters_may_wait(queue: str, days: int) -> None:
    assert state.parse(printed((D, [NEW], ["m2"]), queue=queue)).waits == timedelta(days=days)


@pytest.mark.parametrize(
    ("lines", "keys", "why"),
    [
        ([], ["m1"], "earlier version"),
        ([], [], "no key yet"),
        ([NEW], [], "m2.pem, which signs, is gone"),
        (["m2"], ["m2"], "cannot be read"),
        (["m2 yesterday"], ["m2"], "time in it that is none"),
        (["../m2 2026-12-01T00:00:00Z"], ["m2"], "cannot be read"),
        ([NEW], ["m2", "m3", "m4"], "several keys wait to be the next one: m3, m4"),
    ],
)
def test_trouble_is_named(lines: list[str], keys: list[str], why: str) -> None:
    assert why in one(lines, keys).trouble


def test_a_domain_that_is_served_no_longer_is_passed_over_and_one_without_a_directory_is_not() -> None:
    found = state.parse(printed((D, [NEW], ["m2"]), ("gone.example", [NEW], ["m2"]), served=f"{D} new.example"))
    assert [domain.name for domain in found.domains] == [D, "new.example"] and "no key yet" in found.domains[1].trouble


def test_an_amavis_that_is_older_than_the_switch_is_seen() -> None:
    assert one([NEW], ["m2"], started="999").stale and not one([NEW], ["m2"], started="1001").stale
    assert not one([NEW], ["m2"], started="").stale, "it does not run, so it signs nothing"


class Host(Target):
    """A host whose keys are these; what a script is given is kept."""

    def __init__(self, *said: str, done: str = "") -> None:
        super().__init__(hostname=f"mx1.{D}", address="", domain=D)
        self.said, self.done, self.ran = [*said], done, []  # type: ignore[var-annotated]

    def shell(self, command: str, *, may_fail: bool = False, timeout: float = 15.0) -> str:
        if command == state.SCRIPT:
            return self.said.pop(0) if len(self.said) > 1 else self.said[0]
        self.ran.append(command)
        return self.done


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """desk(host, zone, "switch"): its exit code and what it said; a refusal is code 1."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return NOW.astimezone(tz)

    monkeypatch.setattr(command, "datetime", Clock)

    def said(host: Host, zone: str, action: str, *only: str, **more: Any) -> tuple[int, str]:
        monkeypatch.setattr(command, "Authorities", lambda *_: authorities((D, SOA + GLUE + zone), **more))
        monkeypatch.setattr(command, "resolver", lambda *_: "198.18.0.53")
        options = Namespace(action=action, domain=[*only], resolver="", json=False)
        try:
            code = command.command(host, options)
        except NotFound as error:
            return 1, str(error)
        return code, capsys.readouterr().out

    return said


def text(selector: str) -> str:
    return f"{selector}._domainkey 60 TXT {shown('TXT', f'v=DKIM1; p={selector}half==')}\n"


WAITS = printed((D, [NEW], ["m2", "m3"]))


@pytest.mark.parametrize(
    ("zone", "more", "why"),
    [
        ("", {}, "there is none"),
        (text("m3").replace("m3half", "m4half"), {}, "another key"),
        (text("m3").replace("half==", ""), {}, "cut off"),
        (text("m3") + text("m3").replace("half", "HALF"), {}, "there are 2"),
        (text("m3").replace("p=m3half==", "p="), {}, "revoked"),
        (text("m3").replace("half==", "half==; t=y"), {}, "trial"),
        (text("m3"), {"dead": "198.18.0.54"}, "no answer"),
        (f"m3._domainkey.{D} 60 TXT \"v=DKIM1; p=m3half==\"\n", {}, f"appends {D}"),
    ],
)  # fmt: skip
def test_a_record_that_is_not_right_lets_nothing_change(desk: Desk, zone: str, more: dict[str, Any], why: str) -> None:
    host = Host(WAITS)
    code, said = desk(host, zone, "switch", **more)
    assert code == 1 and "nothing was changed" in said and why in said and f"m3._domainkey.{D}" in said, said
    assert host.ran == []


@pytest.mark.parametrize(
    "zone", [text("m3"), text("m3").upper().replace("M3HALF", "m3half"), f'm3._domainkey 60 CNAME k.{D}.\nk 60 TXT "v=DKIM1; p=m3half=="\n']
)  # fmt: skip
def test_with_the_record_it_switches_to_exactly_the_key_that_was_asked_about(desk: Desk, zone: str) -> None:
    host = Host(WAITS, printed((D, ["m3 2026-12-02T00:00:00Z", NEW], ["m2", "m3"])), done=f"switched {D} m3\nrestarted")
    code, said = desk(host, zone.replace("V=DKIM1; P=", "v=DKIM1; p="), "switch")
    (ran,) = host.ran
    assert (
        f"{D} m2 m3 m3half==" in ran and "m3 signs now, and m2 no longer" in said and "maximal_queue_lifetime" in said
    )
    assert code == 1 and "need the old record, too" in said, "it is looked for afterwards, and was never there"


def test_of_several_domains_all_switch_or_none_but_one_can_be_named(desk: Desk) -> None:
    both = printed((D, [NEW], ["m2", "m3"]), (f"sub.{D}", [NEW], ["m2", "m3"]))
    host = Host(both, done="restarted")
    code, said = desk(host, text("m3"), "switch")
    assert code == 1 and f"m3._domainkey.sub.{D}: there is none" in said and f"--domain {D}" in said and host.ran == []
    desk(host, text("m3"), "switch", D.upper())
    assert len(host.ran) == 1 and f"{D} m2 m3" in host.ran[0] and f"sub.{D} m2" not in host.ran[0]
    code, said = desk(host, "", "switch", "example.org")
    assert code == 1 and "does not sign for example.org" in said and len(host.ran) == 1


def test_what_another_run_holds_or_has_changed_is_said(desk: Desk) -> None:
    for done, why in (
        ("busy eve since noon", "eve since noon is changing"),
        (f"changed {D}", "have changed since they were read"),
        (f"clock {D}", "set back"),
        ("refused Error in config", "would not start"),
        ("switched a m3\nfailed the disk is full", "the disk is full. Done before: switched a m3"),
    ):
        code, said = desk(Host(WAITS, done=done), text("m3"), "switch")
        assert code == 1 and why in said, said


def test_a_switch_that_was_cut_off_is_finished(desk: Desk) -> None:
    host = Host(printed((D, [NEW], ["m2"]), started="999"), printed((D, [NEW], ["m2"])), done="restarted")
    code, said = desk(host, text("m2"), "switch")
    assert code == 0 and "cut off" in said and len(host.ran) == 1
    code, said = desk(Host(printed((D, [NEW, OLD], ["m1", "m2"]), started="999")), text("m2"), "retire")
    assert code == 1 and "dkim switch" in said


def test_too_early_is_refused_with_the_date(desk: Desk) -> None:
    since = NOW - timedelta(days=3)
    lines = [f"m2 {since:%FT%TZ}", f"m1 2026-01-01T00:00:00Z {since:%FT%TZ}"]
    host = Host(printed((D, lines, ["m1", "m2"])))
    code, said = desk(host, text("m2"), "retire")
    assert (
        code == 1 and "Too early; nothing was changed" in said and f"not before {since + timedelta(days=6):%F}" in said
    )
    assert host.ran == [] and "6 days: 5 in a queue" in said
    lines = ["m2 2026-02-01T00:00:00Z", "m1 2026-01-01T00:00:00Z 2026-02-01T00:00:00Z"]
    host = Host(printed((D, lines, ["m1", "m2"])), printed((D, lines, ["m2"])), done=f"retired {D} m1")
    code, said = desk(host, text("m2") + text("m1"), "retire")
    assert code == 0 and f"m1._domainkey.{D}. TXT" in said and "empty it to p=" in said and f"{D} m1" in host.ran[0]


def test_clocks_that_disagree_change_nothing(desk: Desk) -> None:
    for now in (NOW - timedelta(days=2), NOW + timedelta(days=400)):
        host = Host(printed((D, [NEW, OLD], ["m1", "m2"]), now=now))
        for action in ("rotate", "switch", "retire"):
            code, said = desk(host, text("m2"), action)
            assert code == 1 and "clock" in said and "nothing was changed" in said and host.ran == []


def test_a_host_that_signs_for_nobody_says_so(desk: Desk) -> None:
    with pytest.raises(Failed, match="signs for no domain"):
        desk(Host("--- host\nnow=1"), "", "state")


def test_the_state_says_what_to_do_next(desk: Desk) -> None:
    for lines, keys, zone, code, word in (
        ([NEW], ["m2"], text("m2"), 0, "record right"),
        ([NEW], ["m2"], "", 1, "Add: m2._domainkey"),
        ([NEW], ["m2", "m3"], text("m2"), 0, "Publish the next key's record"),
        ([NEW], ["m2", "m3"], text("m2") + text("m3"), 0, "dkim switch"),
        ([NEW, OLD.replace("2026-12-01", "2026-02-01")], ["m1", "m2"], text("m2"), 0, "dkim retire"),
        ([NEW, OLD], ["m2"], text("m2") + text("m1"), 0, "Take the record m1._domainkey"),
        (["m2 2024-12-01T00:00:00Z"], ["m2"], text("m2"), 0, "more than a year"),
    ):
        found = desk(Host(printed((D, lines, keys))), zone, "state")
        assert found[0] == code and word in found[1], found
