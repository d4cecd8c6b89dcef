"""verify: the claims of a step and their negatives, made by the checks, from outside."""

from __future__ import annotations

import checks
from checks.engine.report import SIGNS
from notebooks.workbench.host import snapshots, where
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import NotReady, NotVerified
from notebooks.workbench.step import landmarks, steps


def verify(name: str) -> html.Findings:
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
    good = sum(one.verdict == "pass" for one in results)
    rows = [
        (SIGNS[one.verdict], "must not" if one.kind == "negative" else "works", one.title, one.evidence)
        for one in results
    ]
    proof = html.Findings(f"Step {step.number} on {here.name}: {good} of {len(results)} proven", rows)
    failed = [one for one in results if one.verdict == "fail"]
    if failed:
        if progress.in_notebook():  # the table; the exception that follows says what to do
            from IPython.display import display

            display(proof)
        raise failure(step, failed)
    return proof


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
