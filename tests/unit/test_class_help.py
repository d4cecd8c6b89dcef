"""What a teacher types for where to: a chapter, or a step by any of its names."""

import pytest

from classroom import catching
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
    assert steps.find(typed).id == catching.last_of(typed).id == "postgresql.maps"


@pytest.mark.parametrize("typed", ["chapter 2", "Chapter 2", "2"])
def test_a_chapter_is_its_last_step(typed: str) -> None:
    assert catching.last_of(typed).id == "postgresql.restart"


def test_what_is_not_there_is_told_with_what_is() -> None:
    with pytest.raises(Trouble, match=r"There are: postgresql\.maps, postgresql\.restart"):
        steps.find("chapter 2, mapz")
    with pytest.raises(Trouble, match="There is no chapter 7"):
        catching.last_of("chapter 7")
    with pytest.raises(Trouble, match="There are: postfix, postgresql"):
        steps.find("nonsense")
