"""A new key in the place of the old one, by `python -m postmaster dkim`."""

import os
import subprocess
import sys

from checks.engine.inventory import ROOT
from notebooks.workbench.host import remote, where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady

ACTIONS = ("state", "rotate", "switch", "retire")
COLOURS = {"FORCE_COLOR", "CLICOLOR_FORCE"}  # a kernel sets these for what writes to a cell; here the words are read


@stoppable(
    "{host} finishes the one step that it has begun.", "dkim() shows where it stands; {call} goes on from there."
)
def dkim(action: str = "state") -> html.Text:
    """What the postmaster's desk says of the keys that sign: their "state"; "rotate", "switch" and "retire" change them.

    A refusal is an answer: it says what is missing, and that nothing was changed. Raises NotReady where the host cannot be asked.
    """
    if action not in ACTIONS:
        raise NotReady(f"dkim() knows no {action!r}; nothing was changed.", remedy=f"One of: {', '.join(ACTIONS)}")
    words = [sys.executable, "-m", "postmaster", "dkim", action, "--host", where.place().name]
    plain = {name: value for name, value in os.environ.items() if name not in COLOURS}
    done = subprocess.run(
        words, cwd=ROOT, env=plain, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300
    )
    if done.returncode == 2 and not done.stdout:
        raise NotReady("The keys cannot be read.", done.stderr.strip(), 'settled("believed.signing")')
    remote.forget()
    return html.Text(
        "\n".join(filter(None, [done.stdout.strip(), done.stderr.strip()])), f"python -m postmaster dkim {action}"
    )
