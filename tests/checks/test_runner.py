"""Selection, order, what stands on a dead service, and nothing secret in what comes out."""

import ast
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import checks
from checks.engine import conditions, runner
from checks.engine.check import LAST, REGISTER, STEPS, Check, Result, claim
from checks.engine.target import Target
from checks.engine.verdicts import CannotStart, Failed, Skipped, Warned
from tests.checks import servers

ROOT = Path(__file__).parents[2]


class House:
    """A register of its own, with short names for making checks."""

    def __init__(self) -> None:
        self.register: dict[str, Check] = {}
        self.made: list[str] = []

    def add(self, id: str, outcome: str | Exception = "fine", **options: Any) -> None:
        def one(target: Target) -> str:
            self.made.append(id)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        self.place(one, id, f"title of {id}", **options)

    def place(self, function: Callable[[Target], str], id: str, title: str = "", **options: Any) -> None:
        """Register a function as if it stood where the id says."""
        module, _, function.__name__ = id.rpartition(".")
        function.__module__ = f"checks.claims.{module}"
        claim(title, register=self.register, **options)(function)

    def run(self, **options: Any) -> dict[str, Result]:
        found = runner.run(servers.target(), register=self.register, **options)
        return {result.id: result for result in found}


@pytest.fixture
def house() -> House:
    return House()


def test_what_stands_on_a_dead_service_is_skipped_with_the_reason(house: House) -> None:
    house.add("dovecot.password.login", needs="imap", provides="login")
    house.add("dovecot.mailboxes.special", needs="login")
    house.add("dovecot.start.listens", Failed("refused", "start it"), provides="imap")
    house.add("postfix.tls.offered")
    found = house.run()
    assert found["dovecot.start.listens"].verdict == "fail"
    assert found["dovecot.start.listens"].remedy == "start it"
    for id in ("dovecot.password.login", "dovecot.mailboxes.special"):
        assert found[id].verdict == "skip"
        assert "title of dovecot.start.listens" in found[id].evidence
        assert "dovecot.start.listens" in found[id].remedy
    assert found["postfix.tls.offered"].verdict == "pass"
    assert house.made == ["dovecot.start.listens", "postfix.tls.offered"]


def test_a_service_that_was_not_selected_is_asked_and_shown_only_if_it_fails(house: House) -> None:
    house.add("dovecot.start.listens", provides="imap")
    house.add("dovecot.tls.agreed", needs="imap")
    assert list(house.run(only=["dovecot.tls"])) == ["dovecot.tls.agreed"]
    assert house.made == ["dovecot.start.listens", "dovecot.tls.agreed"]
    house.register.clear()
    house.add("dovecot.start.listens", Failed("down"), provides="imap")
    house.add("dovecot.tls.agreed", needs="imap")
    assert {r.verdict for r in house.run(only=["dovecot.tls"]).values()} == {"fail", "skip"}


def test_a_service_nobody_could_ask_about_is_not_taken_for_dead(house: House) -> None:
    house.add("postgresql.install.answers", Skipped("no SSH"), provides="postgresql")
    house.add("dovecot.password.login", needs="postgresql")
    found = house.run()
    assert found["postgresql.install.answers"].verdict == "skip"
    assert found["dovecot.password.login"].verdict == "pass"


def test_verdicts_and_remedies(house: House) -> None:
    house.add("postfix.tls.one", Warned("soon"), remedy="renew")
    house.add("postfix.tls.two", Failed("bad", "this instead"), remedy="that")
    house.add("postfix.tls.three", ConnectionResetError("gone"), remedy="look")
    house.add("postfix.tls.four", kind="negative")
    found = house.run()
    assert [(r.verdict, r.remedy) for r in found.values()] == [
        ("warn", "renew"),
        ("fail", "this instead"),
        ("fail", "look"),
        ("pass", ""),
    ]
    assert found["postfix.tls.three"].evidence == "ConnectionResetError: gone"
    assert found["postfix.tls.four"].kind == "negative"


def test_no_secret_gets_out(house: House) -> None:
    auth = "AGZvb0BleGFtcGxlLnRlc3QAc2VudGluZWwtZm9v"  # base64 of \0foo@example.test\0sentinel-foo
    house.add("postfix.tls.one", Failed(f"said {auth}", "use sentinel-reader"))
    house.add("postfix.tls.two", RuntimeError("password=sentinel-bar"))
    house.add("postfix.tls.three", "sentinel-foo")
    text = str(house.run())
    assert "sentinel" not in text and auth not in text and "[secret]" in text


def test_the_last_run_after_all_others_and_side_by_side(house: House) -> None:
    together = threading.Barrier(2, timeout=5)
    for name in ("one", "two"):

        def wait(target: Target) -> str:
            house.made.append("late")
            together.wait()
            return "both were here"

        house.place(wait, f"dovecot.passdb.{name}", order=LAST)

    house.add("dovecot.tls.agreed")
    assert {r.verdict for r in house.run().values()} == {"pass"}
    assert house.made == ["dovecot.tls.agreed", "late", "late"]


def test_from_the_servers_own_address_some_prove_nothing(house: House) -> None:
    house.add("dovecot.cleartext.refused", needs="elsewhere")
    target = servers.target()
    target.ssh_host = target.via = "mx1"
    found = runner.run(target, register=house.register)
    assert found[0].verdict == "skip" and "--via" in found[0].remedy


def test_what_a_host_does_not_have_is_not_asked_about(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.add("dovecot.listener.own_from", needs="milter")
    monkeypatch.setattr(Target, "once", lambda self, command: "")
    found = house.run()["dovecot.listener.own_from"]
    assert found.verdict == "skip" and "for Debian only" in found.evidence
    assert not house.made


def test_without_amavis_nothing_is_scanned(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host of chapters 1, 2 and 4 has no file of ours that says antivirus = False."""
    said = {command: "" for command, _ in conditions.PARTS.values()} | {conditions.PARTS["antivirus"][0]: "scanned"}
    monkeypatch.setattr(Target, "once", lambda self, command: said[command])
    house.add("postfix.tls.one", needs="antivirus")
    found = house.run()["postfix.tls.one"]
    assert found.verdict == "skip" and "Amavis is not installed" in found.evidence
    assert not conditions.has(servers.target(), "antivirus")
    said[conditions.PARTS["amavis"][0]] = "/etc/amavis"
    assert house.run()["postfix.tls.one"].verdict == "pass" and conditions.has(servers.target(), "antivirus")


def test_the_checks_of_a_part_need_it() -> None:
    # first, and in this order: so it is said that there is no SSH, or no Amavis, and not what follows from it
    assert all(one.needs[:2] == ("ssh", "amavis") for one in checks.selected(chapter=3))
    assert all({"pigeonhole", "chrony"} & {*one.needs} for one in checks.selected(chapter=5))


def test_selection() -> None:
    assert all(c.step == "dovecot.tls" for c in checks.selected(["dovecot.tls"]))
    assert checks.selected(["dovecot.tls"]) == checks.for_step("dovecot.tls")
    assert checks.selected(["postfix.tls.old_*"])[0].id == "postfix.tls.old_refused"
    assert {c.chapter for c in checks.selected(chapter=2)} == {2}
    assert not [c for c in checks.selected(skip=["*.wrong_*"]) if "wrong" in c.id]
    with pytest.raises(CannotStart, match="No check matches nothing"):
        checks.run(servers.target(), ["nothing.like.it"])


def test_ids_are_held_to_their_form(house: House) -> None:
    house.add("postfix.tls.one")
    for id in ("postfix.tls.one", "postfix.tls", "exim.tls.one", "postfix.tls.One"):
        with pytest.raises(ValueError, match=id.split(".")[0]):
            house.add(id)


def test_every_step_has_a_claim_and_a_negative_and_nothing_else_is_there() -> None:
    there = {c.step for c in checks.selected()}
    assert there == {f"{module}.{step}" for module, steps in STEPS.items() for step in steps.split()}
    for step in sorted(there - {"host.ssh", "host.ports"}):
        kinds = {c.kind for c in checks.for_step(step)}
        assert kinds == {"claim", "negative"}, step


def test_every_need_is_provided_by_one_check() -> None:
    provided = [c.provides for c in REGISTER.values() if c.provides]
    assert len(provided) == len(set(provided))
    assert {need for c in REGISTER.values() for need in c.needs} <= {*provided, *conditions.WORDS}


@pytest.mark.parametrize("module", ["postfix", "postgresql", "amavis", "dovecot", "sieve"])
def test_the_steps_are_the_chapters_own(module: str) -> None:
    file = ROOT / "deploys" / "chapters" / f"{module}.py"
    written = file.read_text().partition("\nSTEPS = ")[2]
    names = [node.id for node in ast.walk(ast.parse(written)) if isinstance(node, ast.Name)]
    assert sorted(STEPS[module].split()) == sorted(names)
