"""apply: one step, by the command that one would type, with its progress and a log."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path

from notebooks.workbench.host import snapshots, where, worker
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import NotApplied, NotReady
from notebooks.workbench.step import landmarks, steps
from notebooks.workbench.step.plans import Heard

SIGNS = {"Success": "✓", "Error": "✖"}


def apply(name: str) -> html.Findings:
    """Do the step on the host, as `pyinfra inventory.py deploys.chapters.…` does."""
    step, here = steps.find(name), where.place()
    where.may_change(here)
    snapshots.wait()
    return run(step, [step])


def run(step: steps.Step, several: list[steps.Step]) -> html.Findings:
    """One run of pyinfra on the host of this notebook; the step is what the result is called after."""
    here = where.place()
    log = where.log_directory(here) / f"{datetime.now():%Y%m%d-%H%M%S}-{step.id}.log"
    log.touch(mode=0o600)
    outcomes: list[tuple[str, str]] = []
    heard = Heard(here.name)
    begun, why = time.monotonic(), ""
    with progress.Progress(f"applying {step.id} to {here.name}") as shown, log.open("w") as file:
        file.write(f"$ pyinfra inventory.py {' '.join(one.operation for one in several)} -y --limit {here.name}\n")

        def hear(answer: worker.Answer) -> None:
            if "starting" in answer:
                shown.say(answer["starting"])
            elif "outcome" in answer:
                outcomes.append((answer["outcome"][0], answer["outcome"][1]))
            else:
                file.write(f"{answer['told']}\n")
                heard(answer)

        try:
            worker.ask("apply", hear, shown.tick, host=here.name, steps=[one.id for one in several], data={})
        except worker.Refused as refused:
            why = heard.reason(refused)
    if why:
        _explain(step, why, log)
    if any(outcome == "Success" for _, outcome in outcomes):
        snapshots.outdated.add(step.title)
    changed = [(SIGNS[outcome], "", name, "") for name, outcome in outcomes if outcome != "No changes"]
    count, same = len(changed), len(outcomes) - len(changed)
    what = f"{count} change{'s' * (count != 1)}" if count else "nothing had to be changed"
    rest = f"; {same} operation{'s' * (same != 1)} found nothing to change" if same else ""
    return html.Findings(
        f"Step {step.number} is on {here.name}: {what}, {time.monotonic() - begun:.1f} s.",
        [*changed, *(("!", "", note, "") for note in dict.fromkeys(heard.notes))],
        tail=f"log: {os.path.relpath(log, where.ROOT) if log.is_relative_to(where.ROOT) else log.name}{rest}",
    )


def _explain(step: steps.Step, why: str, log: Path) -> None:
    """Raise for a run that failed: a missing prerequisite, if that is it, else pyinfra's own words."""
    missing = landmarks.missing(step)
    if missing:
        first = steps.find(missing[0])
        raise NotReady(
            f"Step {step.number} ({step.id}) has nothing to stand on yet; nothing was changed.",
            f"{first.id} has not been done on {where.place().name}.",
            f'apply("{first.id}")',
            first.place,
        )
    raise NotApplied(
        f"Step {step.number} ({step.id}) did not go through.",
        why,
        f"Fix that, and apply again: what is done already is not done twice. Log: {log.name}",
        step.place,
    )
