"""Self-tests: questions with choices, each of which opens and says whether it is right, and why.

The questions are in notebooks/questions/, so that no cell has the answers in it. A choice is a <details>: a keyboard opens it
as a mouse does, and it works without a kernel, as in the book.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from notebooks.workbench.show import html
from notebooks.workbench.show.errors import Trouble

QUESTIONS = Path(__file__).resolve().parents[2] / "questions"
HOW = "Open the choice that you take to be right: click on it, or go to it with Tab and press Enter."


@dataclass(frozen=True)
class Question:
    """What is asked, and the reason why each choice is right or wrong."""

    text: str
    right: str
    choices: dict[str, str]


class Quiz(html.Shown):
    def __init__(self, chapter: str, questions: list[Question]) -> None:
        self.chapter, self.questions = chapter, questions

    def __str__(self) -> str:
        """The questions, and nothing that gives an answer away."""
        asked = [f"{number}. {one.text}\n   {' | '.join(one.choices)}" for number, one in enumerate(self.questions, 1)]
        return "\n".join(asked)

    def body(self) -> str:
        asked = "".join(self.drawn(number, one) for number, one in enumerate(self.questions, 1))
        # in a notebook Enter would edit the cell instead: https://lumino.readthedocs.io/en/latest/api/classes/commands.CommandRegistry.html
        return f"{html.dim(HOW)}<div data-lm-suppress-shortcuts=true>{asked}</div>"

    def drawn(self, number: int, one: Question) -> str:
        choices = "".join(
            f"<details name='quiz-{self.chapter}-{number}' class='choice {'right' if choice == one.right else 'wrong'}'>"
            f"<summary>{html.escape(choice)}</summary><div>{self.verdict(choice == one.right)} {html.escape(why)}</div></details>"
            for choice, why in one.choices.items()
        )
        return html.box(f"<b class=h>{number}. {html.escape(one.text)}</b><div class=choices>{choices}</div>")

    @staticmethod
    def verdict(right: bool) -> str:
        return "<b class=good>✓ Right.</b>" if right else "<b class=bad>✖ Not quite.</b>"


def quiz(chapter: str) -> Quiz:
    """The questions on a chapter, "start" for those of notebook 00. Trouble: there are none of that name."""
    file = QUESTIONS / f"{chapter}.toml"
    if not file.exists():
        names = ", ".join(sorted(one.stem for one in QUESTIONS.glob("*.toml")))
        raise Trouble(f"There are no questions on {chapter!r}.", remedy=f"There are: {names}")
    return Quiz(chapter, [Question(**one) for one in tomllib.loads(file.read_text())["question"]])
