"""The exercises as data, which of them a round has, what they are worth, and when none is put on a host."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import checks
from checks.engine import inventory
from checks.engine.inventory import Server
from classroom.exercise import choosing, commands, doing, faults, marks, proof, record
from classroom.exercise.faults import COSTS, WORTH, Fault
from classroom.exercise.record import Record, Round
from classroom.people import ClassError
from deploys.chapters import amavis, believed, dovecot, postfix, postgresql, sieve
from notebooks.workbench.step.steps import CHAPTERS
from tests.live.mending import MENDS

FAULTS = faults.every()
CHECKS = {one.id: one for one in checks.selected()}
STEPS = {
    f"{module.__name__.rpartition('.')[2]}.{step.__name__}"
    for module in (postfix, postgresql, amavis, dovecot, sieve, believed)
    for step in module.STEPS
}
EACH = pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.id)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(tmp_path))
    yield


@EACH
def test_a_fault_is_well_formed(fault: Fault) -> None:
    assert set(fault.claims) <= set(CHECKS) and fault.claims
    assert fault.step in STEPS
    assert CHAPTERS[fault.step.partition(".")[0]] == fault.chapter
    assert len(fault.hints) == len(COSTS) and all(len(one) > 40 for one in fault.hints)
    assert fault.source.startswith("https://") and fault.was and fault.harm and fault.undo
    assert fault.symptom[0].isupper() and fault.symptom[-1] == "."
    assert fault.telling


@EACH
def test_nothing_names_the_fault_before_the_last_hint(fault: Fault) -> None:
    early = " ".join([fault.id.replace("-", " "), fault.symptom, *fault.hints[:2]]).lower()
    assert not [word for word in fault.telling if word.lower() in early]
    assert [word for word in fault.telling if word.lower() in fault.hints[2].lower()]


@EACH
def test_a_user_tells_the_symptom(fault: Fault) -> None:
    """No name of a program, a protocol or a file."""
    jargon = "postfix dovecot postgres amavis clam sieve smtp imap tls sasl socket relay port queue daemon /etc .cf"
    assert not [word for word in jargon.split() if word in f"{fault.id} {fault.symptom}".lower()]


@EACH
def test_the_fault_leaves_no_telltale(fault: Fault) -> None:
    for word in ("broken", "exercise", "fault", "harm", "logger", "history"):
        assert word not in fault.harm.lower()


def test_each_can_be_solved_in_a_way_of_ones_own() -> None:
    assert list(MENDS) == list(FAULTS)
    assert not [id for id, (wrong, right) in MENDS.items() if right.strip() == FAULTS[id].undo.strip() or not wrong]


def test_the_same_seed_chooses_the_same() -> None:
    every = list(FAULTS.values())
    first = [one.id for one in choosing.choose(every, 7, 3, ())]
    assert first == [one.id for one in choosing.choose(list(reversed(every)), 7, 3, ())]
    assert len({tuple(one.id for one in choosing.choose(every, seed, 1, ())) for seed in range(60)}) > 5


def test_none_is_chosen_that_was_just_before_and_none_gets_in_anothers_way() -> None:
    every = list(FAULTS.values())
    for seed in range(50):
        before = [one.id for one in choosing.choose(every, seed, 1, ())]
        chosen = choosing.choose(every, seed, 3, before)
        assert not {one.id for one in chosen} & set(before)
        touched = [word for one in chosen for word in one.touches]
        assert len(touched) == len(set(touched))


@pytest.mark.parametrize("count", [0, 6])
def test_too_many_or_none_are_refused(count: int) -> None:
    with pytest.raises(ClassError, match="nothing was changed"):
        choosing.choose(list(FAULTS.values()), 1, count, ())


def test_where_there_is_no_other_choice_it_says_so() -> None:
    only = [FAULTS["cut-off"]]
    with pytest.raises(ClassError, match="Those of the last round are left out"):
        choosing.choose(only, 1, 1, ["cut-off"])


def test_only_what_is_proven_here_can_be_broken() -> None:
    passed = [id for id, one in CHECKS.items() if one.chapter in (1, 2)]
    assert {one.chapter for one in faults.offered(passed)} == {1, 2}
    assert {one.chapter for one in faults.offered(passed, 2)} == {2}
    assert faults.offered([]) == []


def test_hints_cost_points_and_so_does_help() -> None:
    fault = FAULTS["cut-off"]
    assert [fault.points(hints) for hints in range(4)] == [10, 8, 5, 1]
    this = Round("mx1", [fault.id], 1, 0.0, {}, hints={fault.id: 1})
    worth = {how: doing.points(fault, this, how) for how in ("fixed", "run", "deploy", "rewound", "given up")}
    assert worth == {"fixed": 8, "run": 4, "deploy": 0, "rewound": 0, "given up": 0}
    assert sum(COSTS) < WORTH


def test_what_was_done_shows_on_the_host(tmp_path: Path) -> None:
    before = {"container": "a", "run": "root since noon", "state": "1"}
    assert marks.told(before, before, 0) == "nothing"
    assert marks.told(before, before | {"state": "2"}, 0) == "something"
    assert marks.told(before, before | {"state": "2", "run": "root since one"}, 0) == "run"
    (tmp_path / "log").mkdir()
    (tmp_path / "log/20260101-000000-dovecot.log").touch()
    assert marks.told(before, before | {"state": "2", "run": "root since one"}, 0) == "deploy"
    assert marks.told(before, before | {"state": "2"}, 0) == "something"  # a deploy that found nothing to do
    assert marks.told(before, before | {"container": "b", "run": ""}, 0) == "rewound"


def test_a_round_is_written_down_and_told_without_spoilers(capsys: pytest.CaptureFixture[str]) -> None:
    kept = Record(Round("mx1", ["cut-off"], 7, 1.0, {"postfix.restart.listens": "pass"}, kept="c2VjcmV0"))
    kept.save()
    assert record.load() == kept and record.path().stat().st_mode & 0o777 == 0o600
    number = [doing.hint()[1] for _ in range(3)]
    assert number == [1, 2, 3]
    with pytest.raises(ClassError, match="All 3 hints"):
        doing.hint()
    data, _, _ = commands.VERBS["symptom"][0](None)  # type: ignore[arg-type]
    assert "c2VjcmV0" not in json.dumps(data) and "claims" not in json.dumps(data)
    ended = record.load().end("given up", {})
    assert [one["points"] for one in ended] == [0] and ended[0]["hints"] == 3
    again = record.load()
    assert again.now is None and again.just_before() == ["cut-off"]
    with pytest.raises(ClassError, match="No exercise is going on"):
        doing.check()


def test_a_second_exercise_waits_for_the_first() -> None:
    Record(Round("mx1", ["cut-off"], 7, 1.0, {})).save()
    with pytest.raises(ClassError, match="going on already"):
        doing.start([])
    with pytest.raises(ClassError, match="outbox-is-stuck is not going on"):
        doing.hint("outbox-is-stuck")


def test_a_chapter_without_exercises_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(ClassError, match="no exercise of chapter 9; there are of 1, 2, 3, 4, 5, 6"):
        doing.start([], chapter=9)


def test_it_says_which_proof_a_host_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "server", lambda name: Server("mx1", {}))
    unproven = proof.lacking("mx1", [FAULTS["new-phone"]], {"believed.clients.found": "skip"})
    assert "[believed.clients.found]" in unproven[1] and "[believed.clients.encrypted]" in unproven[2]
    assert "make mailserver" in unproven[-1]
    assert "world" not in proof.lacking("mx1", [FAULTS["cut-off"]], {})[-1]


def test_there_are_enough_and_from_every_chapter() -> None:
    assert len(FAULTS) >= 24 and {one.chapter for one in FAULTS.values()} == set(CHAPTERS.values())
    assert len({one.source for one in FAULTS.values()}) == len(FAULTS)


def test_a_server_of_somebodys_own_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "server", lambda name: Server("mail.example.org", {}))
    with pytest.raises(ClassError, match=r"mail\.example\.org is no lab host"):
        doing.start([])


def test_a_server_that_is_not_whole_gets_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(*_: Any, **__: Any) -> dict[str, checks.Result]:
        return {"a.b.c": checks.Result("a.b.c", 1, "b", "claim", "It works", "fail", "It does not")}

    monkeypatch.setattr(proof, "verdicts", failed)
    with pytest.raises(ClassError, match=r"nothing was changed\. 1 checks fail") as refused:
        proof.whole("mx1")
    assert "It works [a.b.c]" in str(refused.value) and "python -m checks --short" in str(refused.value)


@pytest.mark.parametrize(("failing", "asked"), [(0, 1), (2, 2), (6, 1)])
def test_what_fails_is_asked_a_second_time_where_it_is_little(
    failing: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that was busy for a moment; where much fails, the server is not whole."""
    ids = [f"a.b.{n}" for n in range(8)]
    heard: list[list[str]] = []

    def verdicts(_: str, only: Sequence[str] = (), heard_by: Any = None, **__: Any) -> dict[str, checks.Result]:
        heard.append(list(only))
        bad = set(ids[:failing]) if len(heard) == 1 else set()
        return {id: checks.Result(id, 1, "b", "claim", id, "fail" if id in bad else "pass", "") for id in (only or ids)}

    monkeypatch.setattr(proof, "verdicts", verdicts)
    found = proof.of_all("mx1")
    assert list(found) == ids and len(heard) == asked and heard[1:] == [ids[:failing]] * (asked - 1)
    assert sum(one.verdict == "fail" for one in found.values()) == (failing if asked == 1 else 0)


def test_what_was_whole_within_the_hour_need_not_be_asked_again() -> None:
    kept, seen = Record(), {"container": "a", "run": "", "state": "1"}
    kept.is_whole("mx1", seen, {"a.b.c": "pass"})
    assert kept.was_whole("mx1", seen) == {"a.b.c": "pass"}
    assert kept.was_whole("mx1", seen | {"state": "2"}) == {} == kept.was_whole("mx2", seen)
    kept.whole["at"] -= record.HOUR
    assert kept.was_whole("mx1", seen) == {}
