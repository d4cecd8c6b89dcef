"""plan and settled: what a step would change, from pyinfra's own prediction."""

import difflib

from notebooks.workbench.host import snapshots, where, worker
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import NotReady, NotSettled
from notebooks.workbench.step import dry_run, steps

Change = dict[str, str]  # what, before, after


class Plan(html.Shown):
    """The operations of a step that would change something, and how."""

    def __init__(
        self,
        step: steps.Step,
        operations: list[str],
        changes: list[Change],
        host: str,
        unasked: list[str] | None = None,
    ) -> None:
        self.step, self.operations, self.changes, self.host = step, operations, changes, host
        self.unasked = dry_run.AWAY + ", ".join(unasked) if unasked else ""
        self.kept = ""

    @property
    def empty(self) -> bool:
        return not self.operations and not self.unasked

    def head(self) -> str:
        count = len(self.operations)
        if self.empty:
            return f"Nothing to do: {self.host} is as step {self.step.number} wants it."
        if not count:
            return f"Step {self.step.number} on {self.host}:"
        return f"Step {self.step.number} would make {count} change{'s' * (count > 1)} on {self.host}:"

    def __str__(self) -> str:
        parts = [f"{self.head()} {self.kept}".rstrip(), *(f"  ~ {name}" for name in self.operations)]
        parts += [f"  ? {self.unasked}"] if self.unasked else []
        for change in self.changes:
            parts += [f"  {change['what']}", *(f"    {line}" for line in diff(change))]
        return "\n".join(parts)

    def body(self) -> str:
        if self.empty:
            kept = f" <span class=dim>{html.escape(self.kept)}</span>"
            return html.box(f"<span class=good>✓</span> {html.escape(self.head())}{kept}", "good")
        listed = "".join(f"<div>~ {html.escape(name)}</div>" for name in self.operations)
        listed += f"<div class=warn>? {html.escape(self.unasked)}</div>" if self.unasked else ""
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
    return f"<div class=col><div class=t>{html.escape(change['what'])}</div>{html.pre(first)}{more}</div>"


@stoppable()
def plan(name: str) -> Plan:
    """What the step would change, and how, without changing it. NotReady: a step that this one needs is missing."""
    return predicted(steps.find(name))


@stoppable()
def what_if(name: str, **data: object) -> Plan:
    """The plan of a step, were this the inventory's data: what_if("amavis.filter", spam_refuse_score=12)."""
    return predicted(steps.find(name), data)


@stoppable(
    "Nothing was changed on {host}. If the lab has begun to keep it as it is, that goes on, and the next cell waits for it."
)
def settled(name: str) -> Plan:
    """The plan after the step: it has to be empty, or NotSettled is raised. After what takes long to do again, a lab host is kept."""
    step, here = steps.find(name), where.place()
    found = predicted(step)
    if found.unasked and not found.operations:
        raise NotReady(f"Step {step.number} may be settled on {here.name} or not.", found.unasked, where=step.place)
    if not found.empty:
        raise NotSettled(
            f"Step {step.number} is not settled on {here.name}: a second run would change something.",
            "; ".join(found.operations),
            f'apply("{step.id}"), then settled("{step.id}") again',
            step.place,
        )
    if here.lab and step.boundary and snapshots.wanted() and snapshots.lacking(here.name, step.title):
        snapshots.keep(here.name, step.title)
        found.kept = f'The host is being kept as it is: rewind("{step.id}") comes back here.'
    return found


def predicted(step: steps.Step, data: dict[str, object] | None = None) -> Plan:
    snapshots.wait()
    here = where.place()
    with progress.Progress(f"asking pyinfra what {step.id} would change", delay=0.5) as shown:
        try:
            found = worker.ask("predict", tick=shown.tick, host=here.name, steps=[step.id], data=data or {})
        except worker.Refused as refused:
            dry_run.need(step)
            why = str(refused)
            raise NotReady(f"pyinfra refused step {step.number} on {here.name}.", why, where=step.place) from None
    changes = [one for one in found["changes"] if one["before"] != one["after"]]
    return Plan(step, found["plan"], changes, here.name, found["unasked"])
