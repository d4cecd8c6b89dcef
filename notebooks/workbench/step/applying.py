"""apply: one step, by the command that one would type, with its progress and a log."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from notebooks.workbench.host import snapshots, where
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import NotApplied, NotReady
from notebooks.workbench.step import landmarks, steps
from notebooks.workbench.step.plans import reason

SIGNS = {"Success": "✓", "Error": "✖"}


def apply(name: str) -> html.Findings:
    """Do the step on the host: `pyinfra inventory.py deploys.chapters.…`, and nothing else."""
    step, here = steps.find(name), where.place()
    where.may_change(here)
    snapshots.wait()
    return pyinfra(step, [step.operation], {})


def pyinfra(step: steps.Step, words: list[str], environment: dict[str, str]) -> html.Findings:
    """Run pyinfra on the host of this notebook; the step is what the result is called after."""
    here = where.place()
    command = [sys.executable, "-m", "pyinfra", "inventory.py", *words, "-y", "--limit", here.name]
    log = where.log_directory(here) / f"{datetime.now():%Y%m%d-%H%M%S}-{step.id}.log"
    begun = time.monotonic()
    with progress.Progress(f"applying {step.id} to {here.name}") as shown:
        code, text, outcomes = _follow(command, environment, shown)
    log.touch(mode=0o600)
    log.write_text(f"$ pyinfra {' '.join(command[3:])}\n{text}")
    if code:
        _explain(step, text, log)
    if any(outcome == "Success" for _, outcome in outcomes):
        snapshots.outdated.add(step.title)
    changed = [(SIGNS[outcome], "", name, "") for name, outcome in outcomes if outcome != "No changes"]
    count, same = len(changed), len(outcomes) - len(changed)
    what = f"{count} change{'s' * (count != 1)}" if count else "nothing had to be changed"
    rest = f"; {same} operation{'s' * (same != 1)} found nothing to change" if same else ""
    return html.Findings(
        f"Step {step.number} is on {here.name}: {what}, {time.monotonic() - begun:.1f} s.",
        [*changed, *(("!", "", note, "") for note in notes(text))],
        tail=f"log: {os.path.relpath(log, where.ROOT) if log.is_relative_to(where.ROOT) else log.name}{rest}",
    )


def notes(text: str) -> list[str]:
    """What the deploy itself has to say to the reader: a host's lines that are no outcome of an operation."""
    lines = (re.match(r"\s+\[[^\]]+\] (.*)", line) for line in text.splitlines())
    said = [line[1].strip() for line in lines if line]
    return list(
        dict.fromkeys(one for one in said if not re.match(r"Connected|Ready:|Success|No changes|Error|\[", one))
    )


def _follow(
    command: list[str], environment: dict[str, str], shown: progress.Progress
) -> tuple[int, str, list[tuple[str, str]]]:
    process = subprocess.Popen(
        command,
        cwd=where.ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    outcomes: list[tuple[str, str]] = []
    operation = ""
    try:
        for line in process.stdout:
            lines.append(line)
            if found := re.match(r"--> Starting operation: (.*)", line):
                operation = found[1].strip().rpartition(" | ")[2]
                shown.say(operation)
            elif operation and (found := re.match(r"\s+\[[^\]]+\] (Success|No changes|Error)\b", line)):
                outcomes.append((operation, found[1]))
    except KeyboardInterrupt:
        process.terminate()  # the learner pressed stop; twice is once, so it can simply be run again
        raise
    finally:
        process.wait()
    return process.returncode, "".join(lines), outcomes


def _explain(step: steps.Step, text: str, log: Path) -> None:
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
    before = text.partition("--> Results")[0]
    raise NotApplied(
        f"Step {step.number} ({step.id}) did not go through.",
        reason(before if before != text else text),
        f"Mend that, and apply again: what is done already is not done twice. Log: {log.name}",
        step.place,
    )
