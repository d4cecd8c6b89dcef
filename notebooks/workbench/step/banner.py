"""hello: which host the cells of a notebook touch, and how far it has been built."""

from __future__ import annotations

from notebooks.workbench.host import remote, where
from notebooks.workbench.show import html
from notebooks.workbench.step import landmarks, steps


class Banner(html.Shown):
    def __init__(
        self, here: where.Place, system: str, dovecot: str, progress: list[tuple[str, int, int]], nexts: str
    ) -> None:
        self.here, self.system, self.dovecot, self.progress, self.next = here, system, dovecot, progress, nexts

    def about(self) -> str:
        version = f"Dovecot {self.dovecot}" if self.dovecot else "no Dovecot yet"
        return f"{self.here.fqdn} ({self.here.address}) · {self.system} · {version}"

    def warning(self) -> str:
        if self.here.lab:
            return "A lab host, made for breaking: rewind() brings it back."
        return f'A server of your own. Looking is free; apply() first asks for allow("{self.here.fqdn}").'

    def __str__(self) -> str:
        rows = [f"{self.here.kind}: these cells touch {self.here.name}, {self.about()}", self.warning()]
        rows += [f"  {name}: {done} of {count} steps done" for name, done, count in self.progress]
        return "\n".join([*rows, *([f"  next: {self.next}"] if self.next else [])])

    def body(self) -> str:
        kind = "good" if self.here.lab else "warn"
        bars = "".join(
            f"<div class=dim>{html.escape(name)}: {'■' * done}{'□' * (count - done)} {done} of {count}</div>"
            for name, done, count in self.progress
        )
        others = [name for name in self.here.others if name != self.here.name]
        more = f"<div class=dim>other hosts: use({', '.join(map(repr, others))})</div>" if others else ""
        then = f"<div>next: <code>{html.escape(self.next)}</code></div>" if self.next else ""
        name, about = html.escape(self.here.name), html.escape(self.about())
        head = f"<b class='h {kind}'>{self.here.kind}</b> these cells touch <b>{name}</b>: {about}"
        return html.box(f"{head}<div>{html.escape(self.warning())}</div>{bars}{then}{more}", kind)


def hello(chapter: str = "") -> Banner:
    """Say which host this notebook works on, and what is on it."""
    here = where.place()
    told = remote.execute(
        '. /etc/os-release; echo "$PRETTY_NAME"; dovecot --version 2>/dev/null | cut -d" " -f1'
    ).out.splitlines()
    built = landmarks.done()
    every = steps.every()
    names = [name for name in steps.CHAPTERS if any(step.chapter == name for step in every)]
    counts = []
    for name in names:
        ids = [step.id for step in every if step.chapter == name]
        counts.append((f"chapter {steps.CHAPTERS[name]}, {name}", sum(one in built for one in ids), len(ids)))
    wanted = [step for step in every if chapter in ("", step.chapter) and step.id not in built]
    return Banner(
        here, told[0] if told else "?", told[1] if len(told) > 1 else "", counts, wanted[0].id if wanted else ""
    )


def use(name: str) -> Banner:
    """Work on another host of the inventory from here on."""
    remote.forget()
    where.use(name)
    return hello()
