"""The message's passport in a cell: the way of a message as the host's own log tells it, drawn and in words."""

from __future__ import annotations

import io
import time

from checks.engine.verdicts import CannotStart, Failed
from notebooks.workbench.host import remote, snapshots, where
from notebooks.workbench.message.letters import Letter
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady, Trouble
from postmaster import picture, reading, text
from postmaster.model import NotFound, Passport


class Shown(html.Shown):
    """The picture; below it, behind a click, every hop in words and the log's own lines."""

    def __init__(self, passport: Passport, log: str) -> None:
        self.passport, self.log = passport, log

    def __str__(self) -> str:
        out = io.StringIO()
        text.show(self.passport, out, width=100)
        return out.getvalue().rstrip("\n")

    def body(self) -> str:
        passport = self.passport
        fates = "".join(f"<div><b>{html.escape(one)}</b></div>" for one in [*text.fates(passport), *passport.notes])
        words = (
            f"<details><summary>{len(passport.hops)} hops in words</summary><pre>{html.escape(self)}</pre></details>"
        )
        log = f"<details><summary>the log's own lines</summary><pre>{html.escape(self.log)}</pre></details>"
        title = (
            f"<div class=dim>The passport of <code>{html.escape(passport.message_id or passport.asked)}</code></div>"
        )
        return f"{title}{picture.drawing(passport)}{fates}{words}{log}"


def passport(message: str | Letter | html.Note, wait: float = 15.0) -> Shown | html.Note:
    """Every hop of a message: a letter that send() returned, a Message-ID, or a queue id. Waits while it is on its way."""
    if isinstance(message, html.Note):  # an experiment that was not made says so, and left no letter
        return message
    snapshots.wait()
    asked = message.message_id if isinstance(message, Letter) else message
    target = where.place().target()
    end = time.monotonic() + wait
    try:
        while True:
            try:
                found = reading.passport(target, asked)
                if found.ended or time.monotonic() > end:
                    return Shown(found, remote.masked("\n".join(found.log())))
            except NotFound as error:
                if time.monotonic() > end or not asked.strip():
                    what, _, why = str(error).partition("\n")
                    raise Trouble(
                        what, why, "mailbox() and log() show what did arrive", "chapter 3, the passport"
                    ) from None
            time.sleep(0.5)
    except (CannotStart, Failed, OSError) as error:
        raise NotReady("The host's log could not be read.", remote.masked(str(error))) from None
    finally:
        target.close()
