"""What the cells of the exercises show: nothing before its time, escaped, and with the cell that comes next."""

from __future__ import annotations

import pytest

from classroom.exercise import doing, faults, record
from classroom.exercise.record import Record, Round
from classroom.people import ClassError
from notebooks.workbench.experiment import complaints, exercising
from notebooks.workbench.experiment.complaints import Complaint, Ending, Grade, Overview
from notebooks.workbench.host import snapshots
from notebooks.workbench.show.errors import Trouble

FAULT = faults.named("cut-off")


def ended(how: str = "fixed", points: int = 8) -> dict[str, object]:
    return {"id": FAULT.id, "started": 1.0, "seconds": 75, "hints": 1, "points": points, "how": how}


def going_on(hints: int = 0) -> Round:
    return Round("mx1", [FAULT.id], 7, 1.0, {}, hints={FAULT.id: hints})


def test_a_complaint_has_the_hints_that_were_given_and_no_more() -> None:
    for given in range(4):
        shown = Complaint(going_on(given), [FAULT])
        for text in (str(shown), shown._repr_html_()):
            assert [hint[:30] in text for hint in FAULT.hints] == [n < given for n in range(3)]
            assert f"{FAULT.points(given)} of 10 points" in text and "check()" in text
            assert FAULT.was not in text and FAULT.claims[0] not in text
    assert "no hint is left" in str(Complaint(going_on(3), [FAULT]))


def test_a_grade_says_the_complaint_again_and_no_check() -> None:
    graded = doing.Graded("nothing", ["open-register"], ["cut-off"])
    shown = Grade(graded, going_on())
    for text in (str(shown), shown._repr_html_()):
        assert "Not right yet" in text and "open-register" in text and "Nothing has changed" in text
        assert FAULT.claims[0] not in text and FAULT.was not in text
    broken = Grade(doing.Graded("something", ["cut-off"], [], [f"title {n}" for n in range(8)]), going_on())
    assert "complaint is gone" in str(broken) and "title 4" in str(broken) and "title 5" not in str(broken)
    assert "and 3 more" in str(broken)


@pytest.mark.parametrize(("how", "done", "note"), [("fixed", "something", ""), ("deploy", "deploy", "no points")])
def test_the_end_tells_all(how: str, done: str, note: str) -> None:
    graded = doing.Graded(done, ["cut-off"], [], ended=[ended(how)])
    text = Grade(graded, going_on())._repr_html_()
    assert "after 1:15 min" in text and note in text
    assert FAULT.source in text and "01-postfix-the-conveyor-belt.ipynb" in text and "inet_interfaces was" in text


def test_giving_up_says_what_is_not_right() -> None:
    shown = Ending([ended("given up", 0)], ["cut-off"])
    assert "–" in str(shown) and "is not right yet" in str(shown) and "box bad" in shown._repr_html_()


def test_the_list_has_all_and_marks_what_was_solved() -> None:
    kept = Record(history=[ended(), ended("given up", 0)])
    shown = Overview(list(faults.every().values()), kept)
    assert "✓ cut-off" in str(shown) and "✓ open-register" not in str(shown)
    assert f"1 of {len(faults.every())} solved, 8 points" in str(shown)
    page = shown._repr_html_()
    assert all(one.symptom.replace("'", "&#x27;") in page for one in faults.every().values())
    assert not [one.id for one in faults.every().values() if one.was in page]
    assert set(complaints.TITLES) == {one.chapter for one in faults.every().values()}


def test_the_words_of_the_terminal_become_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "wait", lambda: None)
    monkeypatch.setattr(record, "load", lambda: Record())
    with pytest.raises(Trouble) as trouble:
        exercising.hint()
    assert str(trouble.value) == "No exercise is going on.\n  Remedy: Begin one: exercise()"

    @exercising.explained
    def refused() -> None:
        raise ClassError(
            "What is wrong.", "  one", "  two", "python -m classroom exercise symptom tells, give-up ends."
        )

    with pytest.raises(Trouble) as trouble:
        refused()
    assert (trouble.value.what, trouble.value.why) == ("What is wrong.", "one\ntwo")
    assert trouble.value.remedy == "exercise() tells, give_up() ends."
