"""What a teacher types for where to: a chapter, or a step by any of its names."""

from pathlib import Path

import pytest

from classroom import catching, helping, prepared
from notebooks.workbench.host import snapshots
from notebooks.workbench.show.errors import Trouble
from notebooks.workbench.step import steps
from notebooks.workbench.step.steps import Step

KNOWN = [
    ("postfix", "install", "install Postfix"),
    ("postgresql", "maps", "Postfix's maps"),
    ("postgresql", "restart", "restart"),
]


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    every = [
        Step(chapter, name, f"Chapter {steps.CHAPTERS[chapter]}: {title}", "", "", position, {}, "", False)
        for position, (chapter, name, title) in enumerate(KNOWN, 1)
    ]
    monkeypatch.setattr(steps, "every", lambda: every)


@pytest.mark.parametrize(
    "typed", ["chapter 2, maps", "Chapter 2, Postfix's maps", "Chapter 2: Postfix's maps", "postgresql.maps", "2.2"]
)
def test_a_step_by_any_of_its_names(typed: str) -> None:
    assert steps.find(typed).id == catching.last_of(typed, steps.every()).id == "postgresql.maps"


@pytest.mark.parametrize("typed", ["chapter 2", "Chapter 2", "2"])
def test_a_chapter_is_its_last_step(typed: str) -> None:
    assert catching.last_of(typed, steps.every()).id == "postgresql.restart"


def test_what_is_not_there_is_told_with_what_is() -> None:
    with pytest.raises(Trouble, match=r"There are: postgresql\.maps, postgresql\.restart"):
        steps.find("chapter 2, mapz")
    with pytest.raises(Trouble, match="There is no chapter 7"):
        catching.last_of("chapter 7", steps.every())
    with pytest.raises(Trouble, match="There are: postfix, postgresql"):
        steps.find("nonsense")


def known(*done: str, **other: str) -> dict[str, object]:
    """What a host with these steps done answers; a bare one has a step that only takes something away, and is "changed" there."""
    every = [
        "postfix.host_name",
        "postfix.install",
        "postgresql.install",
        "amavis.install",
        "dovecot.install",
        "sieve.x",
    ]
    found = {step: "done" if step in done else "never" for step in every} | {"dovecot.client": "changed"}
    return {"name": "ada", "steps": found, **other}


def test_a_prepared_state_takes_nothing_from_who_is_beyond_it() -> None:
    one, two = ("postfix.host_name", "postfix.install"), ("postfix.host_name", "postfix.install", "postgresql.install")
    assert helping.behind(known(), 2) and helping.behind(known(*one), 2), "on the way there"
    assert not helping.behind(known(*two), 2), "nothing is missing"
    assert not helping.behind(known(*one, "dovecot.install"), 2) and not helping.behind(
        known(*one, "amavis.install"), 2
    )
    assert helping.behind(known(*two), 4) and not helping.behind(known(*two, "amavis.install"), 4), (
        "kept without chapter 3"
    )
    assert helping.behind(known(state="refused"), 2) and not helping.behind(known(state="away"), 2)


def test_the_best_of_what_was_prepared() -> None:
    there = {("trixie", "1"): "one", ("trixie", "2"): "two", ("bookworm", "4"): "four"}
    found = [prepared.best("trixie", n, there) for n in ("1", "2", "3", "6")]
    assert found == ["one", "two", "two", "two"] and prepared.best("bookworm", "2", there) == ""
    assert prepared.chapter_of("four", there) == 4


def test_in_a_place_nothing_is_kept_unless_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(tmp_path))
    monkeypatch.delenv("MAILROOM_SNAPSHOTS", raising=False)
    assert snapshots.wanted()
    (tmp_path / "place").touch()
    assert not snapshots.wanted()
    monkeypatch.setenv("MAILROOM_SNAPSHOTS", "yes")
    assert snapshots.wanted()
