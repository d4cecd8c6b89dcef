"""rewind: a lab host back to the state right after a step."""

from __future__ import annotations

import time

from notebooks.workbench.host import snapshots, where
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import NotReady, Trouble
from notebooks.workbench.step import applying, landmarks, steps

BARE = "bare"
# Who goes from chapter 2 to chapter 4 has left this one out, and gets it back by no rewind.
OPTIONAL = "amavis"


def rewind(name: str) -> html.Note:
    """Put the host back to where it was right after this step; "bare" is before the first. What came later is lost."""
    here = where.place()
    where.lab_only(here, "rewind()")
    begun = time.monotonic()
    every = steps.every()
    step = None if name == BARE else steps.find(name)
    kept = snapshots.titles(here.name)
    wanted = every[: every.index(step) + 1] if step else []
    if step and step.chapter == "dovecot" and _left_out():
        wanted = [one for one in wanted if one.chapter != OPTIONAL]
    # the newest boundary that was kept, at or before the wanted one
    start = next((n for n in range(len(wanted), 0, -1) if wanted[n - 1].title in kept), 0)
    title = wanted[start - 1].title if start else BARE
    process = snapshots.lab("rewind", here.name, title)
    progress.until_done(process, f"rewinding {here.name} to {title}")
    if process.returncode:
        said = process.stdout.read().strip() if process.stdout else ""
        raise Trouble(f"{here.name} could not be rewound to {title}.", said, "In a terminal: python -m lab snapshots")
    replayed = wanted[start:]
    if step and replayed:
        applying.run(step, replayed)
    return _told(here, step, title, replayed, time.monotonic() - begun)


def _left_out() -> bool:
    """Whether the host is there and has never had the chapter that one may leave out."""
    try:
        return f"{OPTIONAL}.filter" not in landmarks.done(f"{OPTIONAL}.filter")
    except NotReady:
        return False  # a host that cannot even be asked is rewound all the same


def _told(
    here: where.Place, step: steps.Step | None, title: str, replayed: list[steps.Step], seconds: float
) -> html.Note:
    where_to = f"right after {step.title}" if step else "bare: before the first step"
    text = f"From the snapshot “{title}”, in {seconds:.1f} s."
    if replayed:
        count = len(replayed)
        text += f" There was no later one, so {count} step{'s' * (count > 1)} after it had to be done again."
    return html.Note(f"{here.name} is {where_to}.", text, "good")
