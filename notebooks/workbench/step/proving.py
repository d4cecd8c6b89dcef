"""verify: the claims of a step and their negatives, made by the checks, from outside."""

from __future__ import annotations

from collections.abc import Sequence

import checks
from checks.engine.report import SIGNS
from notebooks.workbench.host import snapshots, where
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import NotReady, NotVerified
from notebooks.workbench.step import landmarks, steps

COLOURS = {"pass": "good", "fail": "bad", "warn": "warn", "skip": "dim"}


class Verified(html.Shown):
    """What was checked for a step, with the evidence."""

    def __init__(self, step: steps.Step, results: Sequence[checks.Result], host: str) -> None:
        self.step, self.results, self.host = step, list(results), host

    def head(self) -> str:
        good = sum(result.verdict == "pass" for result in self.results)
        return f"Step {self.step.number} on {self.host}: {good} of {len(self.results)} proven"

    def __str__(self) -> str:
        rows = [self.head()]
        for one in self.results:
            rows.append(f"  {SIGNS[one.verdict]} {kind(one)} {one.title}")
            rows += [f"      {line}" for line in one.evidence.splitlines()[:6]]
        return "\n".join(rows)

    def body(self) -> str:
        rows = [
            [
                f'<span class="{COLOURS[one.verdict]}">{SIGNS[one.verdict]}</span>',
                f"<span class=dim>{kind(one)}</span>",
                html.escape(one.title) + f'<div class="dim pre">{html.escape(one.evidence)}</div>',
            ]
            for one in self.results
        ]
        table = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
        bad = any(one.verdict == "fail" for one in self.results)
        inner = f"<b class=h>{html.escape(self.head())}</b><div class=wide><table><tbody>{table}</tbody></table></div>"
        return html.box(inner, "bad" if bad else "good")


def kind(result: checks.Result) -> str:
    return "must not" if result.kind == "negative" else "works"


def verify(name: str) -> Verified:
    """Prove the step, or raise NotVerified with what, why, the remedy, and where it is explained."""
    step, here = steps.find(name), where.place()
    snapshots.wait()
    if step.id not in landmarks.done(step.id):
        raise NotReady(
            f"Step {step.number} has not been done on {here.name}, so there is nothing to prove.",
            remedy=f'apply("{step.id}")',
            where=step.place,
        )
    own = [check.id for check in checks.for_step(step.id)]
    results = [landmark_result(step), *(_ask(here, own) if own else [])]
    verified = Verified(step, results, here.name)
    failed = [one for one in results if one.verdict == "fail"]
    if failed:
        _show(verified)
        raise failure(step, failed)
    return verified


def landmark_result(step: steps.Step) -> checks.Result:
    """The first line of each proof: what the step has left on the host."""
    evidence = "\n".join(landmarks.now(step).splitlines()[:4])
    number = steps.CHAPTERS[step.chapter]
    return checks.Result(
        step.id, number, step.name, "claim", "The step has left its mark on the host", "pass", evidence
    )


def _ask(here: where.Place, ids: list[str]) -> list[checks.Result]:
    results: list[checks.Result] = []
    with progress.Progress(f"asking {here.name} from {here.client or 'here'}", delay=0.5) as shown:

        def keep(one: checks.Result) -> None:
            results.append(one)
            shown.say(one.title)

        checks.run(here.target(), ids, on_result=keep)
    return results


def _show(verified: Verified) -> None:
    """The table of a failing proof; the exception that follows says what to do."""
    if progress.in_notebook():
        from IPython.display import display

        display(verified)


def failure(step: steps.Step, failed: list[checks.Result]) -> NotVerified:
    """The failing checks as one trouble; the first is what others stand on."""
    first = failed[0]
    also = [f"{one.title}: {one.evidence}" for one in failed[1:]]
    remedies = dict.fromkeys(one.remedy for one in failed if one.remedy)
    told = next((one for one in steps.every() if one.id == f"{first.id.split('.')[0]}.{first.step}"), step)
    return NotVerified(
        f"Not so: {first.title} [{first.id}]",
        "\n".join([first.evidence, *also]),
        "\n".join(remedies) or f'apply("{told.id}") and read its log',
        told.place,
    )
