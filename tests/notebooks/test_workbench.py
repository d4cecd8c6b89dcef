"""The runbook's parts that need no host: what is marked, drawn, graded, masked and said."""

from __future__ import annotations

import re

from deploys.told import CHAPTERS
from deploys.told import steps as steps_of
from notebooks.workbench.experiment import tcpdump
from notebooks.workbench.host import commands, worker
from notebooks.workbench.host.remote import HASH, KEY
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotVerified, Trouble
from notebooks.workbench.step import plans, views
from notebooks.workbench.step.steps import Step, plain


def test_a_view_marks_what_differs_and_nothing_else() -> None:
    article, today = "$ ssl = yes", "ssl = required\nssl_min_protocol = TLSv1.2"
    assert views.marked(article, today, "del").count("del") == 1
    assert views.marked("$ protocols = imap", "protocols=imap", "del").count("del") == 0
    assert views.marked(today, article, "add").count("add") == 2


def test_code_in_a_sentence_is_shown_as_code() -> None:
    assert html.prose("`a < b` and `c`, `d") == "<code>a &lt; b</code> and <code>c</code>, `d"


def test_a_view_says_its_first_sentence_whole() -> None:
    doc = "main.cf: TLS offered to every server, passwords never without it. https://www.postfix.org/TLS_README.html"
    assert views.first_sentence(doc) == "main.cf: TLS offered to every server, passwords never without it."


def test_a_view_says_one_sentence_of_each_step_and_not_a_paragraph() -> None:
    for chapter in CHAPTERS:
        for step in steps_of(chapter):
            said = views.first_sentence(step.__doc__)
            assert len(said) < 170 and not re.search(r"[.] [`\w]", said), f"{chapter}.{step.__name__}: {said}"


def test_a_second_block_of_a_kind_is_new() -> None:
    """4.8: the article has one userdb, and the lines of the second one are in its passdb."""
    article = "$ passdb {\n    driver = sql\n  }\n  userdb {\n    driver = prefetch\n  }"
    today = "passdb {\n  driver = sql\n}\nuserdb {\n  driver = prefetch\n}\nuserdb {\n  driver = sql\n}"
    marks = [" add" in line for line in views.marked(today, article, "add").split("<span")[1:]]
    assert marks == [False] * 6 + [True] * 3
    assert " del" not in views.marked(article, today, "del")
    other = "pgsql 127.0.0.1 {\n  parameters {\n  }\n}"
    assert views.marked(other, article, "add").count(" add") == 4, "a brace belongs to what it closes"
    moved = "userdb {\n  driver = prefetch\n}\npassdb {\n  driver = sql\n}"
    assert " add" not in views.marked(moved, article, "add"), "in whatever order"
    assert views.marked("a\na\nx\ny", "x\ny\na", "add").count(" add") == 1, "the one that was moved, and a new one"


def view(now: str, today: str = "#!include conf.d/*.conf", article: str = "#!include conf.d/*.conf") -> views.View:
    step = Step("dovecot", "includes", "Chapter 4: includes off", "Doc: more.", article, 4, {"2.4": today}, "", True)
    return views.View(step, now, "mx1", "2.4")


def test_what_differs_on_the_host_is_blue() -> None:
    assert '<span class="ln chg">!include conf.d/*.conf</span>' in view("!include conf.d/*.conf").body()
    assert 'ln chg">' not in view("#!include conf.d/*.conf\n# 644 root:root").body()


def test_remarks_alone_are_nothing_of_the_steps() -> None:
    now = list(view("# postfix: active").columns.values())[-1]
    assert now == "(nothing yet)\n# postfix: active"
    assert list(view("").columns.values())[-1] == "(nothing yet)"


def test_an_explanation_has_a_line_of_its_own() -> None:
    assert "<div>Doc: more.</div>" in view("").body()


def test_a_diff_shows_changed_lines_only() -> None:
    shown = plans.diff({"what": "main.cf", "before": "a = 1\nb = 2\n", "after": "a = 1\nb = 3\n"})
    assert [line for line in shown if line[:1] in "+-"] == ["-b = 2", "+b = 3"]


def test_what_pyinfra_says_is_told_without_its_bookkeeping() -> None:
    heard = worker.Heard()
    for level, told in (
        ("INFO", "[mx1] Connected"),
        ("WARNING", "[mx1] not in the data any more: x"),
        ("ERROR", "[mx1] refused: port 25 is taken"),
        ("ERROR", "[mx1] Error: executed 0 commands"),
    ):
        heard({"told": told, "level": level})
    assert heard.notes == ["not in the data any more: x"]
    assert heard.reason("No hosts remaining!") == "refused: port 25 is taken"
    assert worker.Heard().reason("no such step") == "no such step"


def test_a_trouble_says_what_why_remedy_and_where() -> None:
    trouble: Trouble = NotVerified("Not so: x", "two\nlines", 'apply("x")', "chapter 4, TLS")
    text = "\n".join(trouble._render_traceback_())
    assert all(word in text for word in ("✖ Not so: x", "Why:", "Remedy:", "Where:", "chapter 4, TLS"))
    assert "Remedy" not in str(Trouble("only what"))


def test_an_expectation_is_met_by_a_reply_and_not_by_a_tag() -> None:
    assert commands.begins("a1 NO [AUTHENTICATIONFAILED] no", "NO [AUTH")
    assert commands.begins("250-one\n250 two", "250 two") and commands.begins("x\n* LIST () Sent", r"re:LIST .* Sent$")
    assert not commands.begins("554 5.7.1 no", "250")


def test_hashes_and_keys_are_masked() -> None:
    stored = "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA+/x and more"
    assert HASH.sub(r"\1$(hash)", stored) == "{ARGON2ID}$(hash) and more"
    assert KEY.sub("(key)", "-----BEGIN {0}-----\nabc\n-----END {0}-----".format("PRIVATE KEY")) == "(key)"
    for old in (
        "{SSHA512}wh0c29tZXNhbHQ+/aGFzaA==",
        "{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69",
        "{CRYPT}ab01FAX.bQRSU",
    ):
        assert HASH.sub(r"\1$(hash)", f"{old} and more") == old.partition("}")[0] + "}$(hash) and more"
    for none in ("{ARGON2ID}", "{CRYPT}*", "{ARGON2ID} of 1234567890123456"):
        assert HASH.sub("", none) == none


def test_a_dollar_is_no_tex() -> None:
    """MathJax leaves alone what is inside of this class; a browser showed `$argon2id$…` in italics without it."""
    assert 'class="mr mathjax_ignore"' in html.Text("$argon2id$v=19$")._repr_html_()


def test_long_output_is_folded_and_everything_is_escaped() -> None:
    shown = html.Text("\n".join(["<script>"] * 100))._repr_html_()
    assert "<details>" in shown and "<script>" not in shown
    assert "<details>" not in html.Text("short")._repr_html_()
    assert "<i>" not in html.Table(["<i>"], [["<i>"]])._repr_html_()


def test_a_step_is_found_by_any_of_its_names() -> None:
    step = Step("dovecot", "tls", "Chapter 4: TLS", "Doc. https://example.org", "", 5, {}, "", True)
    assert plain("chapter 4, TLS") == plain(step.title)
    assert (step.id, step.number, step.short, step.link) == ("dovecot.tls", "4.5", "TLS", "https://example.org")


def test_a_tap_shows_the_words_of_a_login() -> None:
    dump = "09:00:00.000001 eth0 In IP 1 > 2: tcp\nE..4..a LOGIN foo pw\n09:00:01.000001 eth0 In IP 2 > 1: tcp\nE..a OK done\n"
    assert tcpdump.words(dump) == ["a LOGIN foo pw", "a OK done"]
