"""What the chapters tell the operations: every step is run with a recorder in the place of each operation.

So nobody keeps a second list of what is ours: which texts a step sets, which files it writes (`deploys.paths`), what `show` prints
of it (`deploys.shown`). It takes some 3 ms for all steps.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from pyinfra.context import ctx_host, ctx_state

import operations
from deploys.context import DATA, PLATFORM
from deploys.data import MailData
from deploys.platforms import Platform
from facts.mail_host import MailHost
from operations.base import KEPT

CHAPTERS = {
    "postfix": "postfix",
    "postgresql": "postgresql",
    "amavis": "amavis",
    "dovecot": "dovecot",
    "sieve": "sieve",
}

Told = list[tuple[str, dict[str, Any]]]  # ("postfix.override", {"service": …, "settings": …})


def by_step(known: MailData, system: Platform, there: MailHost) -> dict[str, Told]:
    """{"postfix.tls": …}: what each step of the chapters that this system has would say to the operations."""
    kept: Told = []
    found: dict[str, Told] = {}
    with _recorder(kept), _stand_in(known, system, there):
        for chapter, role in CHAPTERS.items():
            for step in steps(chapter) if role in system.packages else ():
                inspect.unwrap(step)()
                found[f"{chapter}.{step.__name__}"] = kept[:]
                kept.clear()
    return found


def told(known: MailData, system: Platform, there: MailHost) -> Told:
    """The same of all steps, in their order."""
    return [one for kept in by_step(known, system, there).values() for one in kept]


def steps(chapter: str) -> tuple[Any, ...]:
    """The steps of a chapter. By name, as the chapters are made of what is made here."""
    return importlib.import_module(f"deploys.chapters.{chapter}").STEPS


def each(kept: Told, operation: str) -> Iterator[dict[str, Any]]:
    """What one operation was told, each time."""
    return (given for name, given in kept if name == operation)


@contextmanager
def _stand_in(known: MailData, system: Platform, there: MailHost) -> Iterator[None]:
    """A host for which the preflight is done, in the place of the real one, if there is one yet."""
    kept = {DATA: known, PLATFORM: system, KEPT: (None, there)}
    state = SimpleNamespace(current_stage=None, is_executing=False)
    with ctx_state.use(state), ctx_host.use(SimpleNamespace(name=known.hostname, connector_data=kept)):
        yield


@contextmanager
def _recorder(kept: Told) -> Iterator[None]:
    replaced: list[tuple[Any, str, Any]] = []
    for found in pkgutil.iter_modules(operations.__path__):
        module = importlib.import_module(f"operations.{found.name}")
        for name, one in list(vars(module).items()):
            if hasattr(one, "_inner"):
                replaced.append((module, name, one))
                setattr(module, name, _keeper(f"{found.name}.{name}", one._inner, kept))
    try:
        yield
    finally:
        for module, name, one in replaced:
            setattr(module, name, one)


def _keeper(operation: str, function: Callable[..., Any], kept: Told) -> Callable[..., None]:
    parameters = inspect.signature(function).parameters

    def keep(*args: Any, **kwargs: Any) -> None:
        given = dict(zip(parameters, args, strict=False))
        kept.append((operation, {**given, **{key: value for key, value in kwargs.items() if key in parameters}}))

    return keep
