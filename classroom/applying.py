"""python -m classroom.applying "chapter 2" ada ben: all steps up to there on these learners' hosts, side by side. A part of catch-up.

What is done already is not done twice, and what a learner has done beyond it stays. One process for all hosts, since each would
take a second of a core to begin; and a process of its own, since pyinfra patches the standard library. A line of JSON for each
host: {"name": …, "ok": …, "changed": 12, "seconds": 20.1, "said": why not}.
"""

from deploys import running  # isort: skip  # first of all: it patches the standard library

import json
import logging
import os
import sys
import time
from collections import Counter
from datetime import datetime

import click
import pyinfra
from pyinfra.api import Host, State
from pyinfra.api.connect import connect_all
from pyinfra.api.exceptions import InventoryError, PyinfraError
from pyinfra.api.operations import run_ops
from pyinfra.api.state import BaseStateCallback, StateStage
from pyinfra_cli.exceptions import UnexpectedExternalError
from pyinfra_cli.util import load_func

from classroom.asking import Said
from classroom.catching import last_of, up_to
from lab import state as lab
from notebooks.workbench.host import describe
from notebooks.workbench.show.errors import Trouble
from notebooks.workbench.step.rewinding import OPTIONAL
from notebooks.workbench.step.steps import Step


class Changes(BaseStateCallback):
    """How many operations have changed each host, and at which one it stopped."""

    def __init__(self) -> None:
        self.changed, self.at = Counter[str](), dict[str, str]()

    # pyinfra declares these static, and calls them on the object
    def operation_end(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        for host in state.inventory.get_active_hosts():
            if op_hash in state.ops[host]:
                self.changed[host.name] += state.ops[host][op_hash].operation_meta.did_change()

    def operation_host_error(  # type: ignore[override]
        self, state: State, host: Host, op_hash: str, retry_count: int = 0, max_retries: int = 0
    ) -> None:
        self.at[host.name] = " | ".join(filter(None, running.title_of(state, op_hash)))


def steps() -> None:
    """All steps, of which a host that has gone without the chapter that one may leave out does not get that one."""
    from deploys.dry_run import DryRun
    from deploys.preflight import ready

    if ready():
        left_out = bool(DryRun().never(f"{OPTIONAL}.filter"))
        running.several([one.id for one in up_to(LAST, EVERY, left_out)])()


def run(names: list[str], said: Said) -> list[dict[str, object]]:
    begun, changes = time.monotonic(), Changes()
    with running.begun(*names, predict=False) as state:
        state.add_callback_handler(changes)
        hosts = [state.inventory.get_host(name) for name in names]
        try:
            state.set_stage(StateStage.Connect)
            connect_all(state)
            state.set_stage(StateStage.Prepare)
            load_func(state, steps)
            state.set_stage(StateStage.Execute)
            run_ops(state)
        except (PyinfraError, UnexpectedExternalError) as error:
            if state.active_hosts or not state.failed_hosts:  # pyinfra ends so where no host is left
                raise
            logging.getLogger(__name__).debug("no host is left", exc_info=error)
        well = {host.name for host in state.active_hosts}
        return [
            {
                "name": one.name,
                "ok": one.name in well,
                "changed": changes.changed[one.name],
                "seconds": round(time.monotonic() - begun, 1),
                "said": ""
                if one.name in well
                else f"{changes.at.get(one.name, 'before the first step')}: {said.about(click.unstyle(one.print_prefix))}",
            }
            for one in hosts
        ]


def log_file() -> logging.FileHandler:
    """All that pyinfra says, beside the class's other files; others may not read it."""
    folder = lab.path("log")
    folder.mkdir(exist_ok=True, mode=0o700)
    file = folder / f"{datetime.now():%Y%m%d-%H%M%S}-catch-up.log"
    file.touch(mode=0o600)
    return logging.FileHandler(file)


if __name__ == "__main__":
    wanted, *names = sys.argv[1:]
    os.chdir(running.ROOT)
    said = Said()
    pyinfra.logger.setLevel(logging.INFO)
    try:
        pyinfra.logger.addHandler(log_file())
        EVERY = [Step(**one) for one in describe.described(names[0])["steps"]]
        LAST = last_of(wanted, EVERY)
        pyinfra.logger.addHandler(said)
        for one in run(names, said):
            print(json.dumps(one), flush=True)
    except (InventoryError, Trouble) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
