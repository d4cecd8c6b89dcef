"""The board from what hosts answer: rows, the terminal, the page, and CSV. Names are what people typed: they are escaped."""

import csv
import io
import re
from typing import Any

import pytest

from classroom import board, page, terminal
from classroom.board import Board, Row
from classroom.people import Learner

NOW = 1795380000.0
STEPS = ["postfix.install", "postfix.tls", "postgresql.install", "amavis.install", "dovecot.install", "dovecot.tls"]
STEPS += ["sieve.clock", "believed.signing"]


def answer(name: str, **other: str) -> dict[str, Any]:
    return {
        "name": name,
        "steps": dict.fromkeys(STEPS, "never") | {key.replace("__", "."): v for key, v in other.items()},
    }


ADA, BEN, CLEO, DAN = (Learner(name.lower(), name) for name in ("Ada", "Ben", "Cleo", "Dan"))
ANSWERS = [
    answer("ada", postfix__install="done", postfix__tls="changed"),
    answer("ben", **{step.replace(".", "__"): "done" for step in STEPS if not step.startswith(("amavis", "believed"))}),
    {"name": "cleo", "steps": {}, "state": "away", "why": ""},
]


@pytest.fixture
def shown() -> Board:
    before = {"ada": [1, NOW - 600], "ben": [3, NOW - 60], "cleo": [4, NOW - 7200]}
    return Board(board.rows([ADA, BEN, CLEO, DAN], ANSWERS, before, NOW), NOW, 1.25)


def test_who_is_at_what_and_since_when(shown: Board) -> None:
    ada, ben, cleo, dan = shown.rows
    assert ada.at == "postfix.tls" and ada.count("postfix") == (1, 2) and ada.changed("postfix")
    assert ben.at == "believed.signing", "chapter 3 was left out, and is not waited for"
    assert not ben.changed("amavis")
    assert [board.minutes(shown, row) for row in shown.rows] == ["10 min", "now", "2 h", "now"]
    assert (cleo.state, dan.state) == ("away", "away") and "no such host" in dan.why
    assert shown.as_dict()["learners"][0]["chapters"]["1"] == {"done": 1, "of": 2}
    assert board.number_of("dovecot.mail_owner") == "chapter 4, mail owner"


def test_who_may_want_help(shown: Board) -> None:
    """Far above the class's median, or without an answer; who installs packages, or is done, is not stuck."""
    many = [Row(Learner(f"l{n}", f"L {n}"), {"postfix.install": "never"}, since=NOW - 120) for n in range(9)]
    slow, slower, busy, done = (Row(Learner(name, name), {"postfix.install": "never"}) for name in "abcd")
    slow.since, slower.since, busy.since, done.since = NOW - 350, NOW - 400, NOW - 900, NOW - 9000
    busy.busy, done.steps = True, {"postfix.install": "done"}
    board = Board([*many, slow, slower, busy, done], NOW, 1)
    assert board.patience == 360 and [row.learner.name for row in board.wanting] == ["b"]
    for row in board.rows:
        row.since = NOW - 1800
    assert not board.wanting, "a break is nobody's"
    assert [row.learner.name for row in shown.wanting] == ["cleo", "dan"], (
        "ten minutes are not far above a median of five"
    )
    assert [shown.trouble(row) for row in shown.rows] == ["", "", "error", "error"]
    text, out = page.page(shown), io.StringIO()
    assert text.count('class="error"') == 2 and "⚑ Cleo 2 h, Dan now" in text
    terminal.board(shown, terminal.console(out, 80))
    assert "May want help: Cleo (2 h), Dan (now)" in out.getvalue()
    assert [one["trouble"] for one in shown.as_dict()["learners"]] == ["", "", "error", "error"]


def test_a_long_reason_leaves_the_bars_their_room(shown: Board) -> None:
    shown.rows[2].state, shown.rows[2].why = "refused", "refused: " + "a reason of many words " * 9
    out = io.StringIO()
    terminal.board(shown, terminal.console(out, 80))
    assert "━━━" in out.getvalue() and max(map(len, out.getvalue().splitlines())) <= 80


def test_all_done() -> None:
    everything = {"name": "ada", "steps": dict.fromkeys(STEPS, "done")}
    [row] = board.rows([ADA], [everything], {}, NOW)
    assert row.at == "" and row.done == len(STEPS)


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal(shown: Board, width: int) -> None:
    out = io.StringIO()
    terminal.board(shown, terminal.console(out, width))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width and len(lines) == 8
    assert "chapter 1, tls" in lines[1] and "!" in lines[1] and "10 min" in lines[1]
    assert "does not answer" in lines[3] and "4 hosts asked in 1.2 s" in out.getvalue()


def test_a_host_that_installs_packages_is_not_called_changed() -> None:
    half = answer("ada", postfix__install="never", postfix__tls="changed")
    [row] = board.rows([ADA], [half | {"busy": True}], {}, NOW)
    assert not row.changed("postfix") and board.place_of(row) == "installing packages"


def test_a_bar_is_full_only_when_all_is_done() -> None:
    for done in range(12):
        steps = {f"postfix.{n}": "done" if n < done else "never" for n in range(11)}
        bar = terminal.cells(Row(ADA, steps), 3)[0].plain
        assert ("╌" in bar) == (done < 11) and ("━" in bar) == (done > 0)


def test_the_page_stands_alone_and_escapes(shown: Board) -> None:
    shown.rows[0].learner = Learner("ada", '<script>"Ada"</script>')
    text = page.page(shown)
    assert "<script>&quot;" not in text and "&lt;script&gt;" in text
    assert not re.findall(r"https?://|src=|<link", text), "a page for a room without the Internet"
    assert 'http-equiv="refresh"' in text and "prefers-color-scheme: dark" in text
    assert text.count("<tr") == 5 and "✓" in text and "1/2!" in text and "2 of 4 servers answer" in text


def test_csv_has_a_column_for_each_step(shown: Board) -> None:
    heads, *lines = csv.reader(io.StringIO(board.as_csv(shown)))
    assert heads == ["name", "host", "state", "done", "at", "minutes", *STEPS]
    assert lines[0][:6] == ["Ada", "ada", "asked", "1", "chapter 1, tls", "10"] and lines[2][2] == "away"
