"""python -m classroom.asking [NAME…]: what is done on each host of the class, as a line of JSON for each. A part of the board.

The steps are asked themselves, by their dry run (deploys/dry_run.py), on the one reading of a host. A process of its own, since
pyinfra patches the standard library.
"""

from deploys import running  # isort: skip  # first of all: it patches the standard library

import json
import logging
import os
import sys
import time
from typing import Any

import click
import pyinfra
from pyinfra.api.connect import connect_all
from pyinfra.api.exceptions import InventoryError, PyinfraError
from pyinfra.api.state import StateStage
from pyinfra.context import ctx_host
from pyinfra_cli.util import load_func


class Said(logging.Handler):
    """Errors, by the prefix that pyinfra puts before a line about a host."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += click.unstyle(record.getMessage()).splitlines()

    def about(self, prefix: str) -> str:
        return " ".join(line.removeprefix(prefix).strip() for line in self.lines if line.startswith(prefix))


def this_host() -> dict[str, Any]:
    """Of each step whether it is done, changed (it was done, and something differs now), never, or unknown (PostgreSQL does not
    answer); and whether packages are installed right now."""
    from deploys.dry_run import DryRun

    found, run = {}, DryRun()
    for step in run.told:
        if run.done(step):
            found[step] = "done"
        elif run.never(step):
            found[step] = "never"
        else:
            found[step] = "unknown" if run.unasked(step) else "changed"
    return {"steps": found, "busy": run.installing}


def main() -> int:
    said, found = Said(), dict[str, dict[str, Any]]()
    pyinfra.logger.addHandler(said)

    def ask() -> None:
        from deploys.preflight import ready

        if ready():
            found[ctx_host.get().name] = this_host()

    os.chdir(running.ROOT)
    try:
        with running.begun(*sys.argv[1:], predict=True) as state:
            hosts = [host for host in state.inventory if host.name in sys.argv[1:] or not sys.argv[1:]]
            try:
                state.set_stage(StateStage.Connect)
                connect_all(state)
                connected = {host.name for host in state.active_hosts}
                state.set_stage(StateStage.Prepare)
                load_func(state, ask)
            except PyinfraError:  # no host is left
                connected = {host.name for host in state.activated_hosts}
            for host in hosts:
                one = {"name": host.name, "steps": {}, "at": time.time()} | found.get(host.name, {})
                if host.name not in found:
                    one["state"] = "refused" if host.name in connected else "away"
                    one["why"] = said.about(click.unstyle(host.print_prefix))
                print(json.dumps(one), flush=True)
    except InventoryError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
