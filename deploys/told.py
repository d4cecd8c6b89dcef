"""What the chapters tell the operations: every step is run with a recorder in the place of each operation.

So nobody keeps a second list of what is ours; whatever a step sets, here it is.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import operations
from deploys.platforms import Platform

CHAPTERS = {
    "postfix": "postfix",
    "postgresql": "postgresql",
    "amavis": "amavis",
    "dovecot": "dovecot",
    "sieve": "sieve",
}

Told = list[tuple[str, dict[str, Any]]]  # ("postfix.override", {"service": …, "settings": …})


def told(system: Platform) -> Told:
    """What all chapters that this system has would say to the operations. Only after `ready()`: steps ask for the data."""
    with _recorder() as kept:
        for chapter, role in CHAPTERS.items():
            if role in system.packages:
                for step in importlib.import_module(f"deploys.chapters.{chapter}").STEPS:
                    inspect.unwrap(step)()
    return kept


def each(kept: Told, operation: str) -> Iterator[dict[str, Any]]:
    """What one operation was told, each time."""
    return (given for name, given in kept if name == operation)


@contextmanager
def _recorder() -> Iterator[Told]:
    kept: Told = []
    replaced: list[tuple[Any, str, Any]] = []
    for found in pkgutil.iter_modules(operations.__path__):
        module = importlib.import_module(f"operations.{found.name}")
        for name, one in list(vars(module).items()):
            if hasattr(one, "_inner"):
                replaced.append((module, name, one))
                setattr(module, name, _keeper(f"{found.name}.{name}", one._inner, kept))
    try:
        yield kept
    finally:
        for module, name, one in replaced:
            setattr(module, name, one)


def _keeper(operation: str, function: Callable[..., Any], kept: Told) -> Callable[..., None]:
    parameters = inspect.signature(function).parameters

    def keep(*args: Any, **kwargs: Any) -> None:
        given = dict(zip(parameters, args, strict=False))
        kept.append((operation, {**given, **{key: value for key, value in kwargs.items() if key in parameters}}))

    return keep
