"""The quarantine: what the workers have put aside, and how it is let go after all."""

from __future__ import annotations

from contextlib import closing

from checks.engine.verdicts import Failed
from notebooks.workbench.host import snapshots, where
from notebooks.workbench.message.letters import Letter
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import Trouble
from postmaster import quarantine as desk
from postmaster.model import NotFound
from postmaster.read.lines import clock


def quarantine() -> html.Table:
    """What is held, newest first: `python -m postmaster quarantine`."""
    snapshots.wait()
    with closing(where.place().target()) as target:
        held = desk.held(target)[:20]
    envelopes = [f"{one.sender or '<>'} → {', '.join(one.recipients)}" for one in held]
    rows = [
        [one.id, clock(one.at, date=True)[5:19], envelope, one.subject, one.reason]
        for one, envelope in zip(held, envelopes, strict=True)
    ]
    return html.Table(["ID", "since (UTC)", "from → to", "subject", "reason"], rows, f"held on {target.hostname}")


def release(what: str | Letter | html.Note) -> html.Shown:
    """Let a held letter go on to its reader: by its ID, or the letter itself."""
    if isinstance(what, html.Note):
        return what
    where.may_change(where.place())
    try:
        with closing(where.place().target()) as target:
            if isinstance(what, Letter):
                held = [one for one in desk.held(target) if what.message_id == one.message_id]
                if not held:
                    raise Trouble(f"“{what.subject}” is not held.", remedy="quarantine() lists what is")
                item = held[0]
            else:
                item = desk.find(target, what)
            queue = desk.release(target, item)
    except (NotFound, Failed) as error:
        raise Trouble("Nothing was released.", str(error), "quarantine() lists what is held") from None
    return html.Note("Released.", f"{item.id} is on its way to {', '.join(item.recipients)} as {queue}.", "good")
