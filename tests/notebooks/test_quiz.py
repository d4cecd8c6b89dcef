"""The self-tests: each notebook asks its own, no cell has an answer in it, and every choice says why."""

from __future__ import annotations

import re

import pytest

from notebooks.workbench.show import quiz
from notebooks.workbench.show.errors import Trouble
from tests.notebooks import cells

CHAPTERS = {
    "start": "00-the-factory-and-its-host",
    **cells.CHAPTERS,
    "exercises": "90-exercises-somebody-complains",
}


def test_there_are_questions_for_each_notebook_and_no_others() -> None:
    assert {file.stem for file in quiz.QUESTIONS.iterdir()} == {*CHAPTERS}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_notebook_asks_in_one_cell_that_gives_nothing_away(chapter: str) -> None:
    asked = [source for source in cells.code(cells.load(CHAPTERS[chapter])) if "quiz(" in source]
    assert asked == [f'quiz("{chapter}")']


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_question_has_one_right_choice_and_a_reason_for_each(chapter: str) -> None:
    questions = quiz.quiz(chapter).questions
    assert len(questions) >= 3
    for one in questions:
        assert one.right in one.choices and len(one.choices) >= 2, one.text
        assert all(one.choices.values()), one.text
    assert len({[*one.choices].index(one.right) for one in questions}) > 1, "the right one is always in the same place"


def test_text_gives_nothing_away() -> None:
    shown = str(quiz.quiz("start"))
    assert "PostgreSQL" in shown and "Dovecot both ask it" not in shown and "✓" not in shown


def test_each_choice_opens_alone_and_says_whether_it_is_right() -> None:
    shown = quiz.quiz("start")._repr_html_()
    assert shown.count("<details") == shown.count("<summary>") == 9 and "<details open" not in shown
    assert shown.count("✓ Right") == 3 and shown.count("✖ Not quite") == 6
    assert len(set(re.findall(r"name='([^']+)'", shown))) == 3


def test_a_chapter_without_questions_is_told() -> None:
    with pytest.raises(Trouble, match="dovecot"):
        quiz.quiz("nothing")
