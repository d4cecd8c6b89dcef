"""Self-tests: a question a line, graded on the spot; `...` is a question not answered yet and never an error."""

from __future__ import annotations

import re
from types import EllipsisType
from typing import Any

from notebooks.workbench.show import html


class Question(html.Shown):
    def __init__(self, text: str, verdict: str, because: str) -> None:
        self.text, self.verdict, self.because = text, verdict, because

    def __str__(self) -> str:
        sign = {"right": "✓ right", "wrong": "✖ not quite", "open": "? your answer in the place of ..."}[self.verdict]
        return f"{self.text}\n  {sign}" + (f": {self.because}" if self.verdict == "right" and self.because else "")

    def body(self) -> str:
        sign, kind = {
            "right": ("✓ right", "good"),
            "wrong": ("✖ not quite; try again, the chapter has it", "bad"),
            "open": ("write your answer in the place of <code>...</code> and run the cell again", ""),
        }[self.verdict]
        told = f" {html.escape(self.because)}" if self.verdict == "right" else ""
        return html.box(
            f"<b class=h>{html.escape(self.text)}</b><div><span class={kind or 'dim'}>{sign}.</span>{told}</div>", kind
        )


def question(text: str, answer: Any | EllipsisType, accept: Any, because: str = "") -> Question:
    """Grade one answer: `accept` is the value, a tuple of values, or "re:" and a regular expression."""
    if answer is ...:
        return Question(text, "open", "")
    wanted = accept if isinstance(accept, tuple) else (accept,)
    return Question(text, "right" if any(fits(answer, one) for one in wanted) else "wrong", because)


def fits(answer: Any, wanted: Any) -> bool:
    """Numbers as numbers; words without regard to case and blanks around them."""
    if isinstance(wanted, str) and wanted.startswith("re:"):
        return bool(re.search(wanted[3:], str(answer), re.IGNORECASE))
    if isinstance(answer, str) or isinstance(wanted, str):
        return str(answer).strip().lower() == str(wanted).strip().lower()
    return bool(answer == wanted)
