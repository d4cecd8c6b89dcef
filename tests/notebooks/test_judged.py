"""What the runbook makes of the judge's findings: a sign, words and a remedy for each question. No host is needed."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from typing import Any

import pytest

from notebooks.workbench.host import remote, where
from notebooks.workbench.host.remote import Done
from notebooks.workbench.message import judged, world
from notebooks.workbench.message.letters import Letter
from notebooks.workbench.show.errors import NotReady
from notebooks.workbench.show.html import Findings, Note
from tests.notebooks.test_outside import LAB, place

LETTER = Letter("foo@example.test", "alice@example.net", "Hello", 587, "<1@example.net>", "250 2.0.0 Ok")
# as the judge of a lab has written it, of a letter of foo's; and one signature more
TODAY: dict[str, Any] = {
    "client": {"address": "198.18.3.10", "family": "IPv4", "helo": "mx1.example.test"},
    "envelope_sender": "foo@example.test",
    "from": ["foo@example.test"],
    "spf": {"result": "pass", "domain": "example.test", "identity": "mailfrom", "why": "sender SPF authorized"},
    "dkim": [],
    "dmarc": {
        "result": "pass",
        "domain": "example.test",
        "policy": "quarantine",
        "aligned": {"spf": True, "dkim": False},
        "why": "",
    },
    "tls": {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"},
    "ptr": {"names": ["mx1.example.test"], "leads_back": ["mx1.example.test"], "why": ""},
    "verdict": {
        "few": {"place": "inbox", "reason": "SPF has passed."},
        "many": {"place": "refused", "reason": "There is no signature."},
    },
}
SIGNATURE = {"domain": "example.test", "selector": "2026a", "result": "pass", "why": ""}
QUESTIONS = {"spf": 0, "dkim": 1, "dmarc": 2, "tls": 3, "ptr": 4}


def found(what: str = "", value: Any = None) -> dict[str, Any]:
    """Today's findings, with one of them changed: a value instead, or some fields of it."""
    told = deepcopy(TODAY)
    if what:
        told[what] = told[what] | value if isinstance(value, dict) else value
    return told


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """On a lab with a world: the commands that reached it."""
    commands: list[str] = []
    monkeypatch.setattr(where, "_now", [place(LAB)])
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return commands


def answering(monkeypatch: pytest.MonkeyPatch, commands: list[str], *answers: Done) -> None:
    left = list(answers)

    def execute(command: str, *, on: str = "", **_: object) -> Done:
        commands.append(f"{on}: {command}")
        return left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr(remote, "execute", execute)


def test_a_letter_of_today_has_one_question_open(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    answering(monkeypatch, asked, Done(3, "", "No letter …\n"), Done(0, json.dumps(TODAY), ""))
    shown = judged.judged(LETTER)
    assert asked == ["world: judge '<1@example.net>'"] * 2, "it waits for the letter, and does nothing else"
    assert isinstance(shown, Findings) and [row[0] for row in shown.rows] == ["✓", "✖", "✓", "✓", "✓"]
    assert str(shown).splitlines()[:2] == ["Gmail would put it into the inbox today.", "SPF has passed."]
    assert "more than 5,000 letters a day, it would refuse it. There is no signature." in str(shown)
    assert "chapter 6" in shown.rows[1][3] and "✖" in shown._repr_html_()


@pytest.mark.parametrize(
    ("what", "value", "sign", "seen", "todo"),
    [
        ("spf", {"result": "fail"}, "✖", "example.test says that 198.18.3.10 may not send for it", "names"),
        ("spf", {"result": "softfail"}, "✖", "may not send for it", "send from a host"),
        ("spf", {"result": "none"}, "✖", "example.test does not say who may send for it", "v=spf1 mx -all"),
        ("spf", {"result": "neutral"}, "✖", "does not say who may send", "v=spf1 mx -all"),
        ("spf", {"result": "permerror", "why": "two records"}, "✖", "cannot be read: two records", "correct"),
        ("spf", {"result": "temperror"}, "?", "could not be looked up", "ask again"),
        ("dkim", [SIGNATURE], "✓", "the signature of example.test (key 2026a) holds", ""),
        (
            "dkim",
            [SIGNATURE | {"result": "fail", "why": "body hash"}],
            "✖",
            "does not hold: body hash",
            "compare the key",
        ),
        (
            "dkim",
            [SIGNATURE | {"result": "permerror", "why": "no key"}],
            "✖",
            "does not hold: no key",
            "compare the key",
        ),
        ("dkim", [SIGNATURE | {"result": "temperror", "why": "timeout"}], "?", "could not be checked", "ask again"),
        ("dkim", [SIGNATURE | {"result": "fail", "why": "x"}, SIGNATURE], "✓", "does not hold: x\nthe signature", ""),
        ("dmarc", {"aligned": {"spf": True, "dkim": True}}, "✓", "from example.test, by SPF and DKIM; others", ""),
        ("dmarc", {"result": "fail", "policy": "reject"}, "✖", "which asks for: reject", "domain in From"),
        ("dmarc", {"result": "none"}, "✖", "asks nobody to compare; it is proved by SPF", "v=DMARC1; p=none"),
        ("dmarc", {"result": "permerror", "why": "From names 2"}, "✖", "cannot be judged: From names 2", "one From"),
        ("dmarc", {"result": "temperror"}, "?", "could not be looked up", "ask again"),
        ("tls", {"version": None, "cipher": None}, "✖", "no: it came in clear text", 'apply("postfix.tls")'),
        ("tls", {"version": "TLSv1.2"}, "✓", "yes: TLSv1.2", ""),
        ("ptr", {"names": [], "leads_back": []}, "✖", "198.18.3.10 (IPv4) has no name", "the provider"),
        ("ptr", {"leads_back": []}, "✖", "is called mx1.example.test, and that name leads elsewhere", "address record"),
        ("ptr", {"names": [], "leads_back": [], "why": "timeout"}, "?", "could not be looked up", "ask again"),
    ],
)
def test_each_answer_in_words(what: str, value: Any, sign: str, seen: str, todo: str) -> None:
    rows = judged.shown(found(what, value)).rows
    row = rows[QUESTIONS[what]]
    assert row[0] == sign and seen in row[2] and todo in row[3] and bool(row[3]) == bool(todo)
    others = [one for number, one in enumerate(rows) if number != QUESTIONS[what]]
    same = [one for number, one in enumerate(judged.shown(TODAY).rows) if number != QUESTIONS[what]]
    assert others == same


def test_each_verdict_in_words() -> None:
    for place_, words in {"inbox": "put it into the inbox", "spam": "file it as spam", "refused": "refuse it"}.items():
        verdict = {"place": place_, "reason": "Because."}
        told = judged.shown(TODAY | {"verdict": {"few": verdict, "many": verdict}})
        assert told.title == f"Gmail would {words} today." and told.tail.endswith(f"it would {words}.")


def test_no_letter_and_no_judge_are_told(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    answering(monkeypatch, asked, Done(3, "", "No letter with that has arrived here.\n"))
    monkeypatch.setattr(judged, "located", lambda *_: "in: queue")
    with pytest.raises(NotReady, match="There is no letter to judge") as caught:
        judged.judged(LETTER, wait=0.0)
    assert caught.value.why == "No letter with that has arrived here.\nin: queue"
    answering(monkeypatch, asked, Done(127, "", "judge: command not found"))
    with pytest.raises(NotReady, match="did not answer") as caught:
        judged.judged(LETTER)
    assert "lab add world" in caught.value.remedy
    monkeypatch.setattr(where, "_now", [place({"hosts": {"mx1": {"name": "mx1", "role": "mail"}}})])
    with pytest.raises(NotReady, match="no judge"):
        judged.judged(LETTER)


def test_on_an_own_server_it_is_skipped(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    monkeypatch.setattr(where, "_now", [place({})])
    letter = world.to_world("foo", "alice", "Hello")
    assert isinstance(letter, Note) and "skipped" in str(letter) and judged.judged(letter) is letter and asked == []


def test_a_stranger_writes_to_us_by_our_server_and_to_others_by_theirs(
    monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    lab = {
        "hosts": {"world": {"name": "world", "role": "world", "address": "198.18.3.254", "fqdn": "world.example.net"}}
    }
    here = place(lab)
    monkeypatch.setattr(where, "_now", [here])
    monkeypatch.setattr(type(here), "address", "198.18.3.10", raising=False)
    monkeypatch.setattr(world, "located", lambda letter: asked.append("looked for here"))
    answering(monkeypatch, asked, Done(0, "198.18.3.225 ash.homes.example.net\n<~  250 Ok\n<~  221 Bye\n", ""))
    for recipient, server, followed in (("foo", "198.18.3.10", True), ("zoe@example.org", "198.18.3.254", False)):
        asked.clear()
        monkeypatch.setattr(world, "strangers", lambda: [("198.18.3.225", "ash.homes.example.net")])
        world.from_world("foo@example.test", recipient, "Hello", by="ash")
        assert f"swaks --server {server} --local-interface 198.18.3.225" in asked[0]
        assert ("looked for here" in asked) == followed
