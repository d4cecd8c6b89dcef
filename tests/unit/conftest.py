"""Facts in, commands out."""

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.api.state import StateStage
from pyinfra.context import ctx_host, ctx_state

from facts.mail_host import MailHost, ReadMailHost
from operations import base
from tests.unit.inventories import GOOD, SERVICES, put


def text(command: Any) -> str:
    """A command as it is sent, with its standard input behind it; pyinfra's own operations yield plain strings."""
    if isinstance(command, str):
        return command
    return command.get_raw_value() + str(command.connector_arguments.get("_stdin", ""))


@pytest.fixture
def ask(yielded: Callable[..., list[Any]]) -> Callable[..., list[str]]:
    """ask(there, operation, …): the commands of `yielded` as text."""
    return lambda *args, **kwargs: [text(command) for command in yielded(*args, **kwargs)]


@pytest.fixture
def noops() -> list[str]:
    """Why operations of this test did nothing."""
    return []


@pytest.fixture
def yielded(noops: list[str]) -> Iterator[Callable[..., list[Any]]]:
    """yielded(there, operation, …): the commands that the operation would run on a host that is like `there`.

    Facts of pyinfra's own answer like a host on which nothing is installed.
    """
    like: list[MailHost] = []
    host = SimpleNamespace(
        name="mx1",
        connector_data={},
        log_styled=lambda *a, **k: None,
        noop=noops.append,
        get_fact=lambda fact, **k: like[0] if fact is ReadMailHost else {},
    )
    state = SimpleNamespace(current_stage=StateStage.Execute, is_executing=False)
    with ctx_state.use(state), ctx_host.use(host):

        def commands(there: MailHost, operation: Any, *args: Any, **kwargs: Any) -> list[Any]:
            like[:] = [there]
            base.forget()
            kwargs.pop("name", None)  # that is for pyinfra
            return list(operation._inner(*args, **kwargs))

        yield commands


@pytest.fixture
def knobs(tmp_path: Path) -> dict[str, Any]:
    """The defaults of group_data, with secrets that are right."""
    values = runpy.run_path(str(Path(__file__).parents[2] / "group_data/all.py"))
    return {
        **{key: value for key, value in values.items() if not key.startswith("_")},
        "mail_hostname": "mx1.example.test",
        "accounts_file": put(tmp_path / "accounts.json", GOOD),
        "secrets_file": put(tmp_path / "secrets.json", SERVICES),
    }
