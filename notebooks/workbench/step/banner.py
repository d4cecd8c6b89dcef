"""hello: which host the cells of a notebook touch, and how far it has been built."""

from dataclasses import dataclass

from notebooks.workbench.host import remote, where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady
from notebooks.workbench.step import dry_run, steps


@dataclass(repr=False)
class Banner(html.Shown):
    here: where.Place
    system: str
    dovecot: str
    progress: list[tuple[str, int, int]]
    next: str
    built: str = ""  # that it is built already, and how to begin anew
    refused: str = ""  # why pyinfra would do nothing at all here; then there is no progress to tell
    unasked: str = ""  # steps of which nobody can tell whether they are done

    def about(self) -> str:
        version = f"Dovecot {self.dovecot}" if self.dovecot else "no Dovecot yet"
        return f"{self.here.fqdn} ({self.here.address}) · {self.system} · {version}"

    def warning(self) -> str:
        if self.here.lab:
            return "A lab host, made for breaking: rewind() brings it back."
        return f'A server of your own. Looking is free; apply() first asks for allow("{self.here.fqdn}").'

    def __str__(self) -> str:
        rows = [f"{self.here.kind}: these cells touch {self.here.name}, {self.about()}", self.warning()]
        rows += [f"  {name:<22}{done:>3} of {count:>2} steps done" for name, done, count in self.progress]
        rows += [f"  {line}" for line in [self.built, *self.refused.splitlines(), self.unasked] if line]
        return "\n".join([*rows, *([f"  next: {self.next}"] if self.next else [])])

    def body(self) -> str:
        kind = "good" if self.here.lab else "warn"
        bars = "".join(map(bar, self.progress))
        bars = f"<table class=bars><tbody>{bars}</tbody></table>" if bars else ""
        bars += f"<div>{html.escape(self.built)}</div>" if self.built else ""
        others = [name for name in self.here.others if name != self.here.name]
        more = f"<div class=dim>other hosts: use({', '.join(map(repr, others))})</div>" if others else ""
        then = f"<div>next: <code>{html.escape(self.next)}</code></div>" if self.next else ""
        name, about = html.escape(self.here.name), html.escape(self.about())
        head = f"<b class='h {kind}'>{self.here.kind}</b> these cells touch <b>{name}</b>: {about}"
        refused = f"<div class='bad pre'>{html.escape(self.refused)}</div>" if self.refused else ""
        refused += f"<div class=warn>{html.escape(self.unasked)}</div>" if self.unasked else ""
        return html.box(f"{head}<div>{html.escape(self.warning())}</div>{bars}{refused}{then}{more}", kind)


def bar(chapter: tuple[str, int, int]) -> str:
    """A row: the chapter, a field for each of its steps, and the count. All bars are equally long, however many steps there are."""
    name, done, count = chapter
    number, _, piece = name.partition(", ")
    fields = "<i class=on></i>" * done + "<i></i>" * (count - done)
    full = "<span class=good>✓</span>" if done == count else ""
    told = f"{done} of {count}"
    cells = (f"<td class=dim>{number}</td><td>{html.escape(piece)}</td>", f"<td><div class=bar>{fields}</div></td>")
    return f"<tr>{''.join(cells)}<td class=n>{told}</td><td>{full}</td></tr>"


def already(here: where.Place, chapter: str, built: set[str]) -> str:
    """On a lab host of which something is built: how to see that being built. `chapter` is the one that the notebook tells, if any."""
    every = [step.id for step in steps.every()]
    own = [step for step in every if step.startswith(f"{chapter}.")] if chapter else every
    begun = [step for step in own if step.endswith(".install")] or own  # a bare host has its name
    if not here.lab or not any(step in built for step in begun):
        return ""
    # a chapter that was left out is no place to begin from
    before = [step for step in every[: every.index(own[0])] if step in built]
    start = f'rewind("{before[-1] if before else "bare"}")'
    if not chapter:
        return f"It is built already, as far as the bars say. To build it yourself from the first step: {start}"
    whole = "This chapter is built already" if {*own} <= built else "A part of this chapter is built already"
    return f"{whole}, and every cell may be run all the same. To begin it anew: {start}"


@stoppable()
def hello(chapter: str = "") -> Banner:
    """Say which host this notebook works on, and how many steps of each chapter are done; `next` is one of `chapter`, if named.

    NotReady: the inventory has no such host, or it cannot be reached.
    """
    here = where.place()
    told = remote.execute(
        '. /etc/os-release; echo "$PRETTY_NAME"; dovecot --version 2>/dev/null | cut -d" " -f1'
    ).out.splitlines()
    system, dovecot = [*told, "", ""][:2]
    try:
        asked = dry_run.ask()
    except NotReady as refused:
        return Banner(here, system, dovecot, [], "", refused=str(refused))
    built = {step for step, found in asked.items() if found.done}
    # what cannot be told is not the next one to do; nor is the restart that comes after it
    hidden = {step for step, found in asked.items() if found.unasked and not found.undone}
    counts = []
    for name, number in steps.CHAPTERS.items():
        ids = [step.id for step in steps.every() if step.chapter == name]
        counts.append((f"chapter {number}, {name}", len(built & {*ids}), len(ids)))
    # a step that the operator has undone since is the next one again: to apply it is what puts it back
    wanted = (step.id for step in steps.every() if chapter in ("", step.chapter) and step.id not in built | hidden)
    unasked = dry_run.AWAY + ", ".join(sorted(hidden)) if hidden else ""
    again = already(here, chapter, built)
    return Banner(here, system, dovecot, counts, next(wanted, ""), again, unasked=unasked)


@stoppable()
def use(name: str) -> Banner:
    """Work on another host of the inventory from here on. NotReady: the inventory has no host of this name."""
    remote.forget()
    where.use(name)
    return hello()
