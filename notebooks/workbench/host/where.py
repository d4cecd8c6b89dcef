"""Which host the cells touch, how to reach it, and whether it may be changed."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checks.engine.inventory import ROOT as ROOT
from checks.engine.inventory import Server, lab_directory, lab_of
from checks.engine.target import Target
from notebooks.workbench.host import snapshots, worker
from notebooks.workbench.show.errors import NotAllowed, NotReady


@dataclass
class Place(Server):
    """The server of this notebook, and what the runbook knows of it."""

    steps: list[dict[str, Any]] = field(default_factory=list, repr=False)
    others: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return "LAB" if self.lab else "PRODUCTION"

    def target(self, via: str = "", *, secrets: bool = True) -> Target:
        """This server as the checks see it, once no snapshot of it is on its way."""
        snapshots.wait()
        return super().target(via, secrets=secrets)


_now: list[Place] = []
_allowed: set[str] = set()


def place() -> Place:
    """The host of this notebook: the one chosen with use(), else the inventory's first."""
    return _now[0] if _now else use()


def chosen() -> Place | None:
    """The host of this notebook, if it has one yet; no question is asked for it."""
    return _now[0] if _now else None


def use(name: str = "") -> Place:
    """Choose a host of the inventory by its name; else the one that MAILROOM_HOST names, else the first."""
    name = name or os.environ.get("MAILROOM_HOST", "")
    try:
        found = worker.ask("describe", host=name)
    except worker.Refused as refused:
        why = str(refused).splitlines()[-1]
        remedy = "use() another one." if _now and name else "In a terminal: make up (or python -m lab up)"
        raise NotReady("There is no host to work on.", why, remedy, "notebook 00") from None
    host, data = found["host"], found["hosts"][found["host"]]
    chosen = Place(host, data, lab_of(host, data), found["steps"], list(found["hosts"]))
    _now[:] = [chosen]
    return chosen


def allow(name: str) -> str:
    """Opt in to changing a host that is not of the lab, until the kernel ends. NotAllowed: another name than its full one."""
    here = place()
    if name not in (here.name, here.fqdn):
        raise NotAllowed(f"{name} is not the host of this notebook.", f"It works on {here.name} ({here.fqdn}).")
    _allowed.add(here.name)
    return f"{here.fqdn} may be changed from this notebook, until its kernel ends."


def may_change(here: Place) -> None:
    """Raise NotAllowed for a production host that the user has not opted in to."""
    if not here.lab and here.name not in _allowed:
        raise NotAllowed(
            f"{here.fqdn} is not a lab host; nothing was changed.",
            "apply() changes a server that people may depend on.",
            f'If you mean it: allow("{here.fqdn}"), then apply() again. plan() is always safe.',
            "docs/your-own-server.md",
        )


def lab_only(here: Place, what: str) -> None:
    if not here.lab:
        raise NotAllowed(f"{what} is for lab hosts; {here.fqdn} is none.", "It throws away what is on the host.")


def log_directory(here: Place) -> Path:
    """Where the logs of apply go: the lab's folder, or .runbook for other hosts."""
    folder = (lab_directory() if here.lab else ROOT / ".runbook") / "log" / here.name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
