"""The runbook's parts that need no host: what is marked, drawn, graded, masked and said."""

from __future__ import annotations

import pytest

from notebooks.workbench.experiment import tcpdump
from notebooks.workbench.host import commands, worker
from notebooks.workbench.host.remote import HASH, KEY
from notebooks.workbench.show import html, quiz
from notebooks.workbench.show.errors import NotVerified, Trouble
from notebooks.workbench.step import plans, views
from notebooks.workbench.step.steps import Step, plain


def test_a_view_marks_what_differs_and_nothing_else() -> None:
    article, today = "$ ssl = yes", "ssl = required\nssl_min_protocol = TLSv1.2"
    assert views.marked(article, today, "del").count("del") == 1
    assert views.marked("$ protocols = imap", "protocols=imap", "del").count("del") == 0
    assert views.marked(today, article, "add").count("add") == 2


def test_a_view_says_its_first_sentence_whole() -> None:
    doc = "main.cf: TLS offered to every server, passwords never without it. https://www.postfix.org/TLS_README.html"
    assert views.first_sentence(doc) == "main.cf: TLS offered to every server, passwords never without it."


def test_a_diff_shows_changed_lines_only() -> None:
    shown = plans.diff({"what": "main.cf", "before": "a = 1\nb = 2\n", "after": "a = 1\nb = 3\n"})
    assert [line for line in shown if line[:1] in "+-"] == ["-b = 2", "+b = 3"]


def test_what_pyinfra_says_is_told_without_its_bookkeeping() -> None:
    heard = plans.Heard("mx1")
    for level, told in (
        ("INFO", "[mx1] Connected"),
        ("WARNING", "[mx1] not in the data any more: x"),
        ("ERROR", "[mx1] refused: port 25 is taken"),
        ("ERROR", "[mx1] Error: executed 0 commands"),
    ):
        heard({"told": told, "level": level})
    assert heard.notes == ["not in the data any more: x"]
    assert heard.reason(worker.Refused("No hosts remaining!")) == "refused: port 25 is taken"
    assert plans.Heard("mx1").reason(worker.Refused("no such step")) == "no such step"


def test_a_trouble_says_what_why_remedy_and_where() -> None:
    trouble: Trouble = NotVerified("Not so: x", "two\nlines", 'apply("x")', "chapter 4, TLS")
    text = "\n".join(trouble._render_traceback_())
    assert all(word in text for word in ("✖ Not so: x", "Why:", "Remedy:", "Where:", "chapter 4, TLS"))
    assert "Remedy" not in str(Trouble("only what"))


@pytest.mark.parametrize(
    ("answer", "accept", "right"),
    [
        (993, 993, True),
        ("993", 993, True),
        (" UserDB ", "userdb", True),
        ("a salt", "re:salt", True),
        (25, (587, 465), False),
    ],
)
def test_a_question_is_graded(answer: object, accept: object, right: bool) -> None:
    assert (quiz.question("?", answer, accept).verdict == "right") is right


def test_an_open_question_is_no_failure_and_gives_nothing_away() -> None:
    shown = quiz.question("Which port?", ..., 993, "because")
    assert "993" not in str(shown) + shown._repr_html_() and "because" not in str(shown) + shown._repr_html_()


def test_an_expectation_is_met_by_a_reply_and_not_by_a_tag() -> None:
    assert commands.begins("a1 NO [AUTHENTICATIONFAILED] no", "NO [AUTH")
    assert commands.begins("250-one\n250 two", "250 two") and commands.begins("x\n* LIST () Sent", r"re:LIST .* Sent$")
    assert not commands.begins("554 5.7.1 no", "250")


def test_hashes_and_keys_are_masked() -> None:
    stored = "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA+/x and more"
    assert HASH.sub(r"\1$(hash)", stored) == "{ARGON2ID}$(hash) and more"
    assert KEY.sub("(key)", "-----BEGIN {0}-----\nabc\n-----END {0}-----".format("PRIVATE KEY")) == "(key)"
    assert HASH.sub("", "{ARGON2ID}") == "{ARGON2ID}"


def test_a_dollar_is_no_tex() -> None:
    """MathJax leaves alone what is inside of this class; a browser showed `$argon2id$…` in italics without it."""
    assert 'class="mr mathjax_ignore"' in html.Text("$argon2id$v=19$")._repr_html_()


def test_long_output_is_folded_and_everything_is_escaped() -> None:
    shown = html.Text("\n".join(["<script>"] * 100))._repr_html_()
    assert "<details>" in shown and "<script>" not in shown
    assert "<details>" not in html.Text("short")._repr_html_()
    assert "<i>" not in html.Table(["<i>"], [["<i>"]])._repr_html_()


def test_a_step_is_found_by_any_of_its_names() -> None:
    step = Step("dovecot", "tls", "Chapter 4: TLS", "Doc. https://example.org", "", {}, "dovecot", 5)
    assert plain("chapter 4, TLS") == plain(step.title)
    assert (step.id, step.number, step.short, step.link) == ("dovecot.tls", "4.5", "TLS", "https://example.org")


def test_a_tap_shows_the_words_of_a_login() -> None:
    tap = tcpdump.Tap(143)
    tap.text = "09:00:00.000001 eth0 In IP 1 > 2: tcp\nE..4..a LOGIN foo pw\n09:00:01.000001 eth0 In IP 2 > 1: tcp\nE..a OK done\n"
    assert tap.words() == ["a LOGIN foo pw", "a OK done"]
