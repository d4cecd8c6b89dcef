"""apply: one step, by the command that one would type, with its progress and a log."""

import os
import time
from datetime import datetime

from notebooks.workbench.host import snapshots, where, worker
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import NotApplied
from notebooks.workbench.step import dry_run, steps

SIGNS = {"Success": "✓", "Error": "✖"}


@stoppable(
    "A command that had begun on {host}, such as an installation, runs to its end there. No other one follows it.",
    "{call} again. It waits for that command, does what is missing, and does nothing twice.",
)
def apply(name: str) -> html.Findings:
    """Do the step on the host, as `pyinfra inventory.py deploys.chapters.…` does; a line for each operation that changed something.

    NotAllowed: the host is not of the lab, and allow() was not called. NotReady: a step that this one needs is missing.
    NotApplied: an operation failed; the log says more.
    """
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
    begun = time.monotonic()
    with progress.Progress(f"applying {step.id} to {here.name}") as shown, log.open("w") as file:
        file.write(f"$ pyinfra inventory.py {' '.join(one.operation for one in several)} -y --limit {here.name}\n")

        def hear(answer: worker.Answer) -> None:
            if "starting" in answer:
                shown.say(answer["starting"])
            elif "outcome" in answer:
                outcomes.append((answer["outcome"][0], answer["outcome"][1]))
            else:
                file.write(f"{answer['told']}\n")

        try:
            ids = [one.id for one in several]
            notes = worker.ask("apply", hear, shown.tick, host=here.name, steps=ids, data={})["notes"]
        except worker.Refused as refused:
            dry_run.need(step)
            raise NotApplied(
                f"Step {step.number} ({step.id}) did not go through.",
                str(refused),
                f"Fix that, and apply again: what is done already is not done twice. Log: {log.name}",
                step.place,
            ) from None
    if any(outcome == "Success" for _, outcome in outcomes):
        every = steps.every()  # what was kept after it has the host as it was before
        snapshots.outdated.update(one.title for one in every[every.index(several[0]) :])
    changed = [(SIGNS[outcome], "", name, "") for name, outcome in outcomes if outcome != "No changes"]
    count, same = len(changed), len(outcomes) - len(changed)
    what = f"{count} change{'s' * (count != 1)}" if count else "nothing had to be changed"
    rest = f"; {same} operation{'s' * (same != 1)} found nothing to change" if same else ""
    return html.Findings(
        f"Step {step.number} is on {here.name}: {what}, {time.monotonic() - begun:.1f} s.",
        [*changed, *(("!", "", note, "") for note in dict.fromkeys(notes))],
        tail=f"log: {os.path.relpath(log, where.ROOT) if log.is_relative_to(where.ROOT) else log.name}{rest}",
    )
