"""plan and settled: what a step would change, from pyinfra's own prediction."""

from __future__ import annotations

import difflib

from notebooks.workbench.host import snapshots, where, worker
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
    heard = Heard(here.name)
    with progress.Progress(f"asking pyinfra what {step.id} would change", delay=0.5) as shown:
        try:
            found = worker.ask("predict", heard, shown.tick, host=here.name, steps=[step.id], data=data or {})
        except worker.Refused as refused:
            why = heard.reason(refused)
            raise NotReady(f"pyinfra refused step {step.number} on {here.name}.", why, where=step.place) from None
    return Plan(step, found["plan"], [one for one in found["changes"] if one["before"] != one["after"]], here.name)


class Heard:
    """What pyinfra and the deploy had to say on the way, beside what became of each operation."""

    def __init__(self, host: str) -> None:
        self.before = f"[{host}]"  # which host is speaking: there is one
        self.notes: list[str] = []  # for the reader: nothing failed
        self.errors: list[str] = []

    def __call__(self, answer: worker.Answer) -> None:
        if answer.get("level") in ("WARNING", "ERROR"):
            text = answer["told"].strip().removeprefix(self.before).strip()
            if not text.startswith("Error: executed "):  # pyinfra counts the commands that went before
                (self.notes if answer["level"] == "WARNING" else self.errors).append(text)

    def reason(self, refused: worker.Refused) -> str:
        """What went wrong: what was said about it, or else what ended the run."""
        return "\n".join(self.errors[-8:]) or str(refused)
