"""pyinfra for a notebook, in a process that lives as long as its kernel; host/worker.py starts it.

It describes the inventory, predicts and applies steps, and says which are done, over one SSH connection a host. A process of its
own, because pyinfra patches the standard library (gevent), and a Jupyter kernel does not survive that. A request comes over a
pipe, such as {"do": "apply", "host": "mx1", "steps": ["dovecot.tls"], "data": {}}. Its answers are
{"starting": "Chapter 4: TLS | …"}, {"outcome": [name, "Success" | "No changes" | "Error"]}, {"told": text, "level": "WARNING"}, and
at last {"done": …} or {"refused": why}. Nothing secret is answered: pyinfra's own output keeps standard input to itself.
"""

# First of all: it patches the standard library.
import pyinfra_cli  # isort: skip  # noqa: F401

import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import click
import gevent
import pyinfra
from pyinfra.api import Host, State
from pyinfra.api.connect import connect_all
from pyinfra.api.operations import run_ops
from pyinfra.api.state import BaseStateCallback, StateStage
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.sshuserclient.client import get_host_keys, get_ssh_config
from pyinfra.context import ctx_host
from pyinfra_cli.util import load_func

from deploys import running
from deploys.running import name_of, several
from notebooks.workbench.host import describe
from operations import hold

clients: dict[str, Any] = {}  # each host's SSH client


def tell(**answer: Any) -> None:
    pipe.send(answer)


class Told(logging.Handler):
    """pyinfra's own words, line by line, without colours."""

    def emit(self, record: logging.LogRecord) -> None:
        tell(told=click.unstyle(record.getMessage()), level=record.levelname)


class Outcomes(BaseStateCallback):
    """What becomes of each operation. It is complete only when it has ended; after an error pyinfra ends nothing."""

    @staticmethod
    def operation_start(state: State, op_hash: str) -> None:
        tell(starting=name_of(state, op_hash))

    @staticmethod
    def operation_end(state: State, op_hash: str) -> None:
        for host in state.inventory.get_active_hosts():
            if op_hash in state.ops[host]:
                changed = state.ops[host][op_hash].operation_meta.did_change()
                tell(outcome=[name_of(state, op_hash), "Success" if changed else "No changes"])

    @staticmethod
    def operation_host_error(
        state: State, host: Host, op_hash: str, retry_count: int = 0, max_retries: int = 0
    ) -> None:
        tell(outcome=[name_of(state, op_hash), "Error"])


@contextmanager
def prepared(host: str, run: Callable[[], None], data: dict[str, Any], predict: bool) -> Iterator[State]:
    """The operations of a deploy, found for this host; with `predict` each says whether it would change something."""
    with running.begun(host, predict=predict, data=data) as state:
        state.add_callback_handler(Outcomes())
        state.set_stage(StateStage.Connect)
        connect(state, state.inventory.get_host(host))
        state.set_stage(StateStage.Prepare)
        load_func(state, run)
        yield state


def connect(state: State, one: Host) -> None:
    """By the connection of the last request, if it still answers."""
    client = clients.pop(one.name, None)
    try:
        alive = client.exec_command("true", timeout=5)[1].channel.recv_exit_status() == 0
    except Exception:  # there is none, or paramiko finds something wrong with it: there will be a new one
        alive = False
    if alive and isinstance(one.connector, SSHConnector):
        one.connector.client, one.connected = client, True
        state.activate_host(one)
    else:
        for read_once in (get_host_keys, get_ssh_config):  # a rewound lab host has another key than an hour ago
            read_once.cache.clear()
        connect_all(state)
    if isinstance(one.connector, SSHConnector):
        clients[one.name] = one.connector.client


def predict(host: str, steps: list[str], data: dict[str, Any]) -> dict[str, Any]:
    """The operations that would change something, the texts before and after (operations/preview.py), and the operations of which
    nobody can tell: they see nothing of a database that does not answer, and would take it for empty."""
    unasked: list[str] = []

    def run() -> None:
        from deploys.context import DATA
        from deploys.dry_run import DryRun

        several(steps)()
        if DATA in ctx_host.get().connector_data:
            found = DryRun()
            unasked.extend(name for step in steps if step in found.told for name in found.unasked(step))

    with tempfile.NamedTemporaryFile("r") as noted:
        os.environ["MAILROOM_PREVIEW"] = noted.name
        try:
            with prepared(host, run, data, predict=True) as state:
                ops = state.ops[state.inventory.get_host(host)]
                changing = [one for one in state.get_op_order() if ops[one].operation_meta._maybe_is_change]
                plan = [name for name in (name_of(state, one) for one in changing) if name not in unasked]
        finally:
            del os.environ["MAILROOM_PREVIEW"]
        changes = [json.loads(line) for line in noted]
        return {
            "plan": plan,
            "changes": [one for one in changes if not unasked or one["what"] not in ("", "database mail")],
            "unasked": unasked,
        }


def dry_run(host: str, steps: list[str]) -> dict[str, Any]:
    """Of each step that this host can have: what it stands on and is missing, which of those are whole chapters, whether it was
    ever done, what it would change where nothing is missing, what nobody can tell, and whether it is done."""
    found = {}

    def ask() -> None:
        from deploys.dry_run import DryRun
        from deploys.preflight import ready
        from deploys.told import whole_chapters

        if ready():
            run = DryRun()
            for step in steps or run.told:
                missing = run.missing(step)
                found[step] = {
                    "missing": missing,
                    "chapters": whole_chapters(step, missing),
                    "never": run.never(step),
                    "undone": [] if missing else run.undone(step),
                    "unasked": run.unasked(step),
                    "done": run.done(step),
                }

    with prepared(host, ask, {}, predict=True):
        return {"steps": found}


def apply(host: str, steps: list[str], data: dict[str, Any]) -> dict[str, Any]:
    with prepared(host, several(steps), data, predict=False) as state:
        state.set_stage(StateStage.Execute)
        try:
            run_ops(state)
        finally:
            with ctx_host.use(state.inventory.get_host(host)):
                hold.release()
        return {}


ACTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "describe": describe.described,
    "predict": predict,
    "dry_run": dry_run,
    "apply": apply,
}


def end_with(kernel: int) -> None:
    """End with the kernel, also when it was killed: no process may hold a host for it. Between requests the end of the pipe says so."""
    while os.getppid() == kernel:
        gevent.sleep(1)
    os._exit(1)


def main() -> None:
    gevent.spawn(end_with, os.getppid())
    pyinfra.is_cli = True
    pyinfra.logger.setLevel(logging.INFO)
    pyinfra.logger.addHandler(Told())
    while True:
        try:
            request = pipe.recv()
        except EOFError:
            return
        try:
            tell(done=ACTIONS[request.pop("do")](**request))
        except Exception as error:  # the kernel shows it; the next request finds a fresh state
            tell(refused=str(error) or type(error).__name__)


if __name__ == "__main__":
    pipe = Connection(int(sys.argv[1]))
    main()
