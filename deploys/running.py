"""pyinfra's API for a program that shows a run in its own way: the runbook's worker, and `python -m deploys`.

Only for a process of its own: pyinfra patches the standard library (gevent).
"""

# First of all: it patches the standard library.
import pyinfra_cli  # isort: skip  # noqa: F401

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from pyinfra.api import Config, State
from pyinfra.context import ctx_config, ctx_inventory, ctx_state
from pyinfra_cli.inventory import make_inventory

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def begun(*hosts: str, predict: bool, data: dict[str, Any] | None = None) -> Iterator[State]:
    """A run on these hosts of the inventory, or on all of them; no host is connected yet. With `predict` each operation says
    whether it would change something. InventoryError: there is no such inventory, or no lab."""
    state, config = State(check_for_changes=predict), Config()
    state.cwd = str(ROOT)
    with ctx_state.use(state), ctx_config.use(config):
        config.lock_current_state()
        inventory = make_inventory(str(ROOT / "inventory.py"), cwd=str(ROOT), override_data=data or {})
        with ctx_inventory.use(inventory):
            state.init(inventory, config, initial_limit=[inventory.get_host(one) for one in hosts] or None)
            yield state


def several(steps: Sequence[str]) -> Callable[[], None]:
    """One step as it is typed; several as one run, as a whole deploy is."""
    names = [step.split(".") for step in steps]
    found = [getattr(import_module(f"deploys.chapters.{chapter}"), name) for chapter, name in names]
    if len(found) == 1:
        alone: Callable[[], None] = found[0]
        return alone
    from deploys.restart import restart_changed
    from deploys.step import compose

    def together() -> None:
        compose(found)
        restart_changed()

    return together


def title_of(state: State, op_hash: str) -> tuple[str, str]:
    """The step of an operation, and its own name: ("Chapter 4: TLS", "TLS is required")."""
    step, _, name = min(state.op_meta[op_hash].names).rpartition(" | ")
    return step, name


def name_of(state: State, op_hash: str) -> str:
    return title_of(state, op_hash)[1]
