"""plan and settled: what a step would change, from pyinfra's own prediction."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from notebooks.workbench.host import snapshots, where
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import NotReady, NotSettled
from notebooks.workbench.step import landmarks, steps

Change = dict[str, str]  # what, before, after


class Plan(html.Shown):
    """The operations of a step that would change something, and how."""

    def __init__(self, step: steps.Step, operations: list[str], changes: list[Change], host: str) -> None:
        self.step, self.operations, self.changes, self.host = step, operations, changes, host
        self.kept = ""

    @property
    def empty(self) -> bool:
        return not self.operations

    def head(self) -> str:
        count = len(self.operations)
        if self.empty:
            return f"Nothing to do: {self.host} is as step {self.step.number} wants it."
        return f"Step {self.step.number} would make {count} change{'s' * (count > 1)} on {self.host}:"

    def __str__(self) -> str:
        parts = [f"{self.head()} {self.kept}".rstrip(), *(f"  ~ {name}" for name in self.operations)]
        for change in self.changes:
            parts += [f"  {change['what']}", *(f"    {line}" for line in diff(change))]
        return "\n".join(parts)

    def body(self) -> str:
        if self.empty:
            kept = f" <span class=dim>{html.escape(self.kept)}</span>"
            return html.box(f"<span class=good>✓</span> {html.escape(self.head())}{kept}", "good")
        listed = "".join(f"<div>~ {html.escape(name)}</div>" for name in self.operations)
        shown = "".join(drawn(change) for change in self.changes)
        after = "<div class=dim>Predicted by pyinfra; daemons that use what changes are restarted with it.</div>"
        return f"<b class=h>{html.escape(self.head())}</b>{listed}<div class=cols>{shown}</div>{after}"


def diff(change: Change) -> list[str]:
    """The changed lines with a little around them, without the file headers."""
    pair = (change["before"].splitlines(), change["after"].splitlines())
    return [line for line in difflib.unified_diff(*pair, lineterm="", n=2) if not line.startswith(("---", "+++"))]


def drawn(change: Change) -> str:
    kinds = {"+": "add", "-": "del", "@": "dim"}
    rows = diff(change)
    spans = [
        f'<span class="ln {kinds.get(line[:1], "")}">{html.escape("⋯" if line.startswith("@@") else line)}</span>'
        for line in rows
    ]
    first, rest = "".join(spans[: html.FOLD]), spans[html.FOLD :]
    more = html.details(f"{len(rest)} more lines", "".join(rest)) if rest else ""
    return f"<div class=col><div class=t>{html.escape(change['what'])}</div><pre>{first}</pre>{more}</div>"


def plan(name: str) -> Plan:
    """What the step would change, without changing it."""
    step = steps.find(name)
    need(step)
    return predicted(step)


def what_if(name: str, **data: object) -> Plan:
    """The plan of a step, were this the inventory's data: what_if("amavis.filter", spam_refuse_score=12)."""
    step = steps.find(name)
    need(step)
    return predicted(step, data)


def settled(name: str) -> Plan:
    """The plan after the step: it has to be empty. A lab host is then kept as it is, for rewind()."""
    step, here = steps.find(name), where.place()
    found = predicted(step)
    if not found.empty:
        raise NotSettled(
            f"Step {step.number} is not settled on {here.name}: a second run would change something.",
            "; ".join(found.operations),
            f'apply("{step.id}"), then settled("{step.id}") again',
            step.place,
        )
    if here.lab and snapshots.wanted() and snapshots.lacking(here.name, step.title):
        snapshots.keep(here.name, step.title)
        found.kept = f'The host is being kept as it is: rewind("{step.id}") comes back here.'
    return found


def need(step: steps.Step) -> None:
    """Raise NotReady, naming the step to run, when something that this one stands on is missing."""
    missing = landmarks.missing(step)
    if missing:
        first = steps.find(missing[0])
        also = f", then {', '.join(missing[1:])}" if missing[1:] else ""
        raise NotReady(
            f"Step {step.number} ({step.id}) has nothing to stand on yet.",
            f"{first.id} has not been done on {where.place().name}.",
            f'apply("{first.id}"){also}',
            first.place,
        )


def predicted(step: steps.Step, data: dict[str, object] | None = None) -> Plan:
    snapshots.wait()
    here = where.place()
    handle, preview = tempfile.mkstemp(prefix="mailroom-preview-")
    os.close(handle)
    try:
        with progress.Progress(f"asking pyinfra what {step.id} would change", delay=0.5) as shown:
            told = _dry_run(here.name, step, preview, shown, data or {})
        changes = [json.loads(line) for line in Path(preview).read_text().splitlines()]
    finally:
        os.unlink(preview)
    names = [op["name"].rpartition(" | ")[2] for op in told["plan"] if op["hosts_with_change"]]
    return Plan(step, names, [change for change in changes if change["before"] != change["after"]], here.name)


def _dry_run(
    host: str, step: steps.Step, preview: str, shown: progress.Progress, data: dict[str, object]
) -> dict[str, Any]:
    changed = [word for key, value in data.items() for word in ("--data", f"{key}={json.dumps(value)}")]
    command = [sys.executable, "-m", "pyinfra", "inventory.py", step.operation, "--dry", "--json", "--limit", host]
    command += changed
    process = subprocess.Popen(
        command,
        cwd=where.ROOT,
        env={**os.environ, "MAILROOM_PREVIEW": preview},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            out, err = process.communicate(timeout=0.3)
            break
        shown.tick()
    if process.returncode:
        raise NotReady(f"pyinfra refused step {step.number} on {host}.", reason(err), where=step.place)
    found: dict[str, Any] = json.loads(out)
    return found


def reason(text: str) -> str:
    """What pyinfra's output says went wrong, without its own bookkeeping."""
    lines = [re.sub(r"^\s*\[[^\]]+\]\s*", "", line).strip() for line in text.splitlines()]
    told = [line for line in lines if line and not line.startswith(("-->", "Connected", "Ready:"))]
    return "\n".join(told[-8:]) or "it gave no reason"
