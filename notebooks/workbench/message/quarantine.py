"""The quarantine: what the workers have put aside, and how it is let go after all."""

from contextlib import closing

from checks.engine.verdicts import Failed
from notebooks.workbench.host import where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.message.letters import Letter
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import Trouble
from postmaster import quarantine as desk
from postmaster.model import NotFound
from postmaster.read.lines import clock


@stoppable()
def quarantine() -> html.Table:
    """The 20 newest letters that are held: `python -m postmaster quarantine`."""
    with closing(where.place().target()) as target:
        held = desk.held(target)[:20]
    rows = []
    for one in held:
        envelope = f"{one.sender or '<>'} → {', '.join(one.recipients)}"
        rows.append([one.id, clock(one.at, date=True)[5:19], envelope, one.subject, one.reason])
    return html.Table(["ID", "since (UTC)", "from → to", "subject", "reason"], rows, f"held on {target.hostname}")


@stoppable("{host} may have let the letter go already.", "quarantine() lists what is still held.")
def release(what: str | Letter | html.Note) -> html.Shown:
    """Let a held letter go on to its recipients: by its ID, or the letter itself. Trouble: it is not held."""
    if isinstance(what, html.Note):
        return what
    where.may_change(where.place())
    try:
        with closing(where.place().target()) as target:
            if isinstance(what, Letter):
                item = next((one for one in desk.held(target) if what.message_id == one.message_id), None)
                if not item:
                    raise Trouble(f"“{what.subject}” is not held.", remedy="quarantine() lists what is")
            else:
                item = desk.find(target, what)
            queue = desk.release(target, item)
    except (NotFound, Failed) as error:
        raise Trouble("Nothing was released.", str(error), "quarantine() lists what is held") from None
    return html.Note("Released.", f"{item.id} is on its way to {', '.join(item.recipients)} as {queue}.", "good")
