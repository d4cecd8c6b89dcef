"""rewind: a lab host back to the state right after a step."""

import time

from notebooks.workbench.host import snapshots, where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady, Trouble
from notebooks.workbench.step import applying, dry_run, steps

BARE = "bare"
# Who goes from chapter 2 to chapter 4 has left this one out, and gets it back by no rewind.
OPTIONAL = "amavis"


@stoppable(
    "The lab goes on putting {host} back, and the next cell waits for that. Steps that were to follow are not done.",
    "{call} again, and wait for its end.",
)
def rewind(name: str) -> html.Note:
    """Put the host back to where it was right after this step; "bare" is before the first. What came later is lost."""
    here = where.place()
    where.lab_only(here, "rewind()")
    begun = time.monotonic()
    step = None if name == BARE else steps.find(name)
    kept = snapshots.titles(here.name)
    wanted = up_to(step) if step else []
    # the newest boundary that was kept, at or before the wanted one
    start = next((n for n in range(len(wanted), 0, -1) if wanted[n - 1].title in kept), 0)
    title = wanted[start - 1].title if start else BARE
    said = snapshots.do(f"rewinding {here.name} to {title}", "rewind", here.name, title)
    if said is not None:
        raise Trouble(f"{here.name} could not be rewound to {title}.", said, "In a terminal: python -m lab snapshots")
    replayed = wanted[start:]
    if step and replayed:
        applying.run(step, replayed)
    return _told(here, step, title, replayed, time.monotonic() - begun)


def up_to(step: steps.Step) -> list[steps.Step]:
    """The steps that lead to this one, and itself; without the chapter that one may leave out, where the host has gone without."""
    every = steps.every()
    wanted = every[: every.index(step) + 1]
    if step.chapter == "dovecot" and _left_out():
        wanted = [one for one in wanted if one.chapter != OPTIONAL]
    return wanted


def _left_out() -> bool:
    """Whether the host is there and has never had the chapter that one may leave out. What was changed since was there."""
    step = f"{OPTIONAL}.filter"
    try:
        return bool(dry_run.ask(step)[step].never)
    except NotReady:
        return False  # a host that cannot even be asked is rewound all the same


def _told(
    here: where.Place, step: steps.Step | None, title: str, replayed: list[steps.Step], seconds: float
) -> html.Note:
    where_to = f"right after {step.title}" if step else "bare: before the first step"
    count = len(replayed)
    again = f", with {count} step{'s' * (count > 1)} after it done again" if replayed else ""
    text = f"From the snapshot “{title}”{again}, in {seconds:.1f} s."
    return html.Note(f"{here.name} is {where_to}.", text, "good")
