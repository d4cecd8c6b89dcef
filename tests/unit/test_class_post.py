"""The matrix of the postal union, and the letters themselves."""

import email
import email.policy
import io

import pytest

from classroom import post, terminal
from classroom.letters import SIGNS, Letter, Post
from classroom.people import Learner, numbered

ADA, BEN = Learner("ada", "Ada"), Learner("ben", "Zoë “B” O'Neil")
NONE = "ben has no mail server yet: chapter 1 is to be done there"


def test_who_reaches_whom() -> None:
    letters = [Letter("ada", "ben", "<1>", "arrived"), Letter("ben", "ada", "<2>", "unsent", NONE)]
    shown, out = Post([ADA, BEN], letters, 2.0), io.StringIO()
    terminal.post(shown, terminal.console(out, 80))
    lines = out.getvalue().splitlines()
    assert lines[1].split() == ["1", "Ada", "·", "✓"] and lines[2].endswith("  –  ·")
    assert "1 of 2 letters arrived, in 2.0 s" in lines and f"✖ ben → ada: {NONE}" in lines
    assert shown.as_dict()["arrived"] == 1 and shown.as_dict()["letters"][1]["state"] == "unsent"


@pytest.mark.parametrize("state", [state for state in SIGNS if state])
def test_each_state_has_a_sign_of_its_own(state: str) -> None:
    assert [one for one, (sign, _) in SIGNS.items() if sign == SIGNS[state][0]] == [state]


def test_thirty_fit_and_reasons_are_told_once() -> None:
    everybody = numbered(30)
    letters = [
        Letter(a.name, b.name, "<1>", "waiting", "the same for all") for a in everybody for b in everybody if a != b
    ]
    out = io.StringIO()
    terminal.post(Post(everybody, letters), terminal.console(out, 120))
    assert max(map(len, out.getvalue().splitlines())) <= 120
    assert out.getvalue().split().count("same") == 1 and "and 866 more" in out.getvalue()


def test_a_letter_says_who_writes_to_whom_in_any_script() -> None:
    text = post.written(Letter("ada", "ben", "<run.ada.ben@ada.class.example>"), ADA, BEN)
    read = email.message_from_bytes(text.encode("utf-8", "surrogateescape"), policy=email.policy.default)
    assert read["Message-ID"] == "<run.ada.ben@ada.class.example>" and read["To"] == "foo@ben.class.example"
    assert read["Subject"] == "Ada writes to Zoë “B” O'Neil" and "Dear Zoë “B”" in read.get_content()
