"""What a learner is told where a step was never done, cannot be told, or has nothing to stand on. No host is needed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

import checks
from notebooks.workbench.host import remote, where, worker
from notebooks.workbench.show.errors import NotReady
from notebooks.workbench.step import banner, dry_run, plans, proving, rewinding
from notebooks.workbench.step.dry_run import DryRun

DATA = {"mail_hostname": "mx1.example.test", "mail_domains": ["example.test"], "ssh_hostname": "127.0.0.1"}
LAB = {"hosts": {"mx1": {"name": "mx1", "role": "mail", "address": "198.18.1.10"}}}
STEPS = (
    "postgresql.install",
    "postgresql.role",
    "postgresql.restart",
    "amavis.filter",
    "dovecot.install",
    "dovecot.passdb",
)
DONE = DryRun([], [], [], [], [], True)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, DryRun]:
    """What the dry run of each step says; done, where a test says nothing else. The host is one of the lab."""
    given = {
        "chapter": "", "name": "", "title": "Chapter: step", "doc": "", "article": "", "position": 1,
        "today": {}, "now": "", "compared": False,
    }  # fmt: skip
    listed = [{**given, **dict(zip(("chapter", "name"), one.split("."), strict=True))} for one in STEPS]
    monkeypatch.setattr(where, "_now", [where.Place("mx1", DATA, LAB, listed, ["mx1"])])
    found = dict.fromkeys(STEPS, DONE)

    def ask(do: str, *_: object, steps: list[str], **__: object) -> dict[str, Any]:
        assert do == "dry_run"
        return {
            "steps": {one: {k: v for k, v in asdict(found[one]).items() if k != "refused"} for one in steps or STEPS}
        }

    monkeypatch.setattr(worker, "ask", ask)
    monkeypatch.setattr(remote, "session", lambda *_: type("", (), {"close": lambda self: None})())
    monkeypatch.setattr(remote, "execute", lambda *_, **__: remote.Done(0, "Debian\n", ""))
    monkeypatch.setattr(proving, "_ask", lambda here, own: [])
    return found


def test_a_step_that_was_never_done_is_not_proven_but_named(answers: dict[str, DryRun]) -> None:
    answers["postgresql.role"] = DryRun([], [], ["postgresql.role"], ["Role mailreader"], [], False)
    with pytest.raises(NotReady, match="has not been done yet") as refused:
        proving.verify("postgresql.role")
    assert refused.value.remedy == 'apply("postgresql.role")'
    answers["postgresql.restart"] = DryRun([], [], ["postgresql.role"], [], [], False)
    with pytest.raises(NotReady) as refused:
        proving.verify("postgresql.restart")
    assert "postgresql.role" in refused.value.why
    answers["postgresql.restart"] = DryRun([], [], ["postgresql.role", *STEPS[3:]], [], [], False)
    with pytest.raises(NotReady) as refused:
        proving.verify("postgresql.restart")
    assert refused.value.remedy.count("apply(") == 1 and "the same way: amavis.filter, dovecot" in refused.value.remedy


def test_what_nobody_can_tell_is_skipped_with_the_reason(answers: dict[str, DryRun]) -> None:
    answers["postgresql.role"] = DryRun([], [], [], [], ["Role mailreader"], False)
    (sign, _, _, evidence), *_ = proving.verify("postgresql.role").rows
    assert sign == checks.engine.report.SIGNS["skip"] and "PostgreSQL does not answer" in evidence
    assert "Role mailreader" in evidence and "would change" not in evidence
    told = banner.hello()
    assert "PostgreSQL does not answer" in str(told) and "PostgreSQL does not answer" in told._repr_html_()
    assert told.next == ""


def test_a_plan_does_not_take_a_database_that_is_away_for_an_empty_one(
    answers: dict[str, DryRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"plan": [], "changes": [], "unasked": ["Role mailreader"]}
    monkeypatch.setattr(worker, "ask", lambda *_, **__: found)
    plan = plans.plan("postgresql.role")
    assert not plan.empty and "Nothing to do" not in str(plan) and "would make" not in str(plan)
    assert "PostgreSQL does not answer" in str(plan) and "Role mailreader" in plan._repr_html_()
    with pytest.raises(NotReady, match="may be settled"):
        plans.settled("postgresql.role")


def test_a_chapter_that_is_missing_is_said_in_one_sentence(
    answers: dict[str, DryRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = ["postgresql.install", "postgresql.access", "postgresql.role"]
    answers["dovecot.passdb"] = DryRun(missing, ["postgresql"], ["dovecot.passdb"], [], [], False)
    with pytest.raises(NotReady) as refused:
        proving.verify("dovecot.passdb")
    assert "Chapter 2 is missing on mx1." in str(refused.value)
    assert 'rewind("postgresql.restart") builds it' in refused.value.remedy
    where.place().lab = {}
    with pytest.raises(NotReady, match=r"deploys/dovecot\.py") as refused:
        proving.verify("dovecot.passdb")
    assert "rewind" not in str(refused.value)


def test_all_missing_steps_are_named_at_once(answers: dict[str, DryRun]) -> None:
    answers["dovecot.passdb"] = DryRun(["dovecot.install", "postgresql.role"], [], [], [], [], False)
    with pytest.raises(NotReady) as refused:
        proving.verify("dovecot.passdb")
    assert refused.value.remedy == 'apply("dovecot.install"), then apply("postgresql.role")'
    assert "dovecot.install, postgresql.role are not done" in refused.value.why


def test_a_filter_that_was_changed_since_was_not_left_out(answers: dict[str, DryRun]) -> None:
    answers["amavis.filter"] = DryRun([], [], [], ["The filter"], [], False)
    assert not rewinding._left_out()
    answers["amavis.filter"] = DryRun(["amavis.install"], [], ["amavis.filter"], [], [], False)
    assert rewinding._left_out()
    assert dry_run.ask("amavis.filter")["amavis.filter"].missing
