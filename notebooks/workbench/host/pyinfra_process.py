"""pyinfra for a notebook, in a process that lives as long as its kernel: `python -m notebooks.workbench.host.pyinfra_process`.

It describes the inventory, predicts steps and applies them, over one SSH connection a host. A process of its own, because pyinfra
patches the standard library (gevent), and a Jupyter kernel does not survive that. One request is a line of JSON on standard
input: {"do": "apply", "host": "mx1", "steps": ["dovecot.tls"]}. Its answers are lines of JSON on standard output:
{"starting": "Chapter 4: TLS | …"}, {"outcome": [name, "Success" | "No changes" | "Error"]}, {"told": text, "level": "WARNING"}, and
at last {"done": …} or {"refused": why}. Nothing secret is written: pyinfra's own output keeps standard input to itself.
"""

from __future__ import annotations

# First of all: it patches the standard library.
import pyinfra_cli  # isort: skip  # noqa: F401

import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import gevent
import pyinfra
from pyinfra.api import Config, Host, State
from pyinfra.api.connect import connect_all
from pyinfra.api.operations import run_ops
from pyinfra.api.state import BaseStateCallback, StateStage
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.sshuserclient.client import get_host_keys, get_ssh_config
from pyinfra.context import ctx_config, ctx_host, ctx_inventory, ctx_state
from pyinfra_cli.inventory import make_inventory
from pyinfra_cli.util import load_func

from notebooks.workbench.host import describe
from operations import hold

ROOT = Path(__file__).resolve().parents[3]
answers = sys.stdout  # replaced in main(): what an inventory prints must not spoil the JSON
clients: dict[str, Any] = {}  # each host's SSH client


def tell(**answer: Any) -> None:
    print(json.dumps(answer), file=answers, flush=True)


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


def name_of(state: State, op_hash: str) -> str:
    return ", ".join(state.op_meta[op_hash].names).rpartition(" | ")[2]


@contextmanager
def prepared(host: str, steps: list[str], data: dict[str, Any], predict: bool) -> Iterator[State]:
    """The steps' operations, found for this host; with `predict` each says whether it would change something."""
    state, config = State(check_for_changes=predict), Config()
    state.cwd = str(ROOT)
    with ctx_state.use(state), ctx_config.use(config):
        config.lock_current_state()
        inventory = make_inventory(str(ROOT / "inventory.py"), cwd=str(ROOT), override_data=data)
        with ctx_inventory.use(inventory):
            one = inventory.get_host(host)
            state.init(inventory, config, initial_limit=[one])
            state.add_callback_handler(Outcomes())
            state.set_stage(StateStage.Connect)
            connect(state, one)
            state.set_stage(StateStage.Prepare)
            load_func(state, deploy(steps))
            yield state


def deploy(steps: list[str]) -> Any:
    """One step as it is typed; several as one run, as a whole deploy is."""
    found = [getattr(import_module(f"deploys.chapters.{chapter}"), name) for chapter, name in map(_pair, steps)]
    if len(found) == 1:
        return found[0]
    from deploys.restart import restart_changed
    from deploys.step import compose

    def several() -> None:
        compose(found)
        restart_changed()

    return several


def _pair(step: str) -> tuple[str, str]:
    chapter, _, name = step.partition(".")
    return chapter, name


def connect(state: State, one: Host) -> None:
    """By the connection of the last request, if it still answers."""
    client = clients.pop(one.name, None)
    if client is not None and isinstance(one.connector, SSHConnector) and answers_still(client):
        one.connector.client, one.connected = client, True
        state.activate_host(one)
    else:
        for read_once in (get_host_keys, get_ssh_config):  # a rewound lab host has another key than an hour ago
            read_once.cache.clear()
        connect_all(state)
    if isinstance(one.connector, SSHConnector):
        clients[one.name] = one.connector.client


def answers_still(client: Any) -> bool:
    try:
        return bool(client.exec_command("true", timeout=5)[1].channel.recv_exit_status() == 0)
    except Exception:  # whatever paramiko finds wrong with it: there will be a new one
        return False


def predict(host: str, steps: list[str], data: dict[str, Any]) -> dict[str, Any]:
    """The operations that would change something, and the texts before and after (operations/preview.py)."""
    with tempfile.NamedTemporaryFile("r") as noted:
        os.environ["MAILROOM_PREVIEW"] = noted.name
        try:
            with prepared(host, steps, data, predict=True) as state:
                ops = state.ops[state.inventory.get_host(host)]
                changing = [one for one in state.get_op_order() if ops[one].operation_meta._maybe_is_change]
                plan = [name_of(state, one) for one in changing]
        finally:
            del os.environ["MAILROOM_PREVIEW"]
        return {"plan": plan, "changes": [json.loads(line) for line in noted]}


def apply(host: str, steps: list[str], data: dict[str, Any]) -> dict[str, Any]:
    with prepared(host, steps, data, predict=False) as state:
        state.set_stage(StateStage.Execute)
        try:
            run_ops(state)
        finally:
            with ctx_host.use(state.inventory.get_host(host)):
                hold.release()
        return {}


ACTIONS: dict[str, Callable[..., dict[str, Any]]] = {"describe": describe.described, "predict": predict, "apply": apply}


def end_with(kernel: int) -> None:
    """A kernel that was killed leaves nobody who holds a host; while nothing is done, the end of standard input says so."""
    while os.getppid() == kernel:
        gevent.sleep(1)
    os._exit(1)


def main() -> None:
    global answers
    gevent.spawn(end_with, os.getppid())
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.insert(0, str(ROOT))
    pyinfra.is_cli = True
    pyinfra.logger.setLevel(logging.INFO)
    pyinfra.logger.addHandler(Told())
    for line in sys.stdin:
        request = json.loads(line)
        try:
            tell(done=ACTIONS[request.pop("do")](**request))
        except Exception as error:  # the kernel shows it; the next request finds a fresh state
            tell(refused=str(error) or type(error).__name__)


if __name__ == "__main__":
    main()
