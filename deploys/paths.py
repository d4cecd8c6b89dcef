"""Which files of a host the steps write, and look at: what one reading of a host has to read, and which daemon reads what.

Each operation says it of itself (`operations.base.writes`); a step says it by the operations that it uses.
"""

import importlib
import inspect
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import PurePosixPath
from string import Formatter
from typing import Any

from deploys.told import Told

# Which daemon has to be restarted when a file below is new. Sieve's scripts are read at each delivery.
READ_BY = {
    "postfix": ("/etc/postfix/*", "/etc/postfix/*/*"),
    "dovecot": ("/etc/dovecot/*",),
    "amavis": ("/etc/amavis/conf.d/*", "/etc/spamassassin/*"),
    "clamav": ("/etc/clamav/*", "/var/lib/clamav/*", "/etc/systemd/system/clamav-daemon.*.d/*"),
    "chrony": ("/etc/chrony/*", "/etc/chrony/*/*"),
}


def touched(kept: Told, *kinds: str) -> list[str]:
    """The files that these operations touch in one of these ways: "writes", "edits", "reads"."""
    return list(dict.fromkeys(path for one in kept for kind, path in _of(*one) if kind in kinds))


def _of(operation: str, given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    defaults, files = _declared(operation)
    values = {**defaults, **given}
    for kind, path, names in files:
        if all(values[name] for name in names):
            yield kind, path.format(**{name: PurePosixPath(values[name]) for name in names})


@cache
def _declared(operation: str) -> tuple[dict[str, Any], list[tuple[str, str, set[str]]]]:
    """The defaults of an operation's arguments, and its files: (kind, path, the arguments in that path)."""
    module, _, name = operation.partition(".")
    found = getattr(importlib.import_module(f"operations.{module}"), name)
    defaults = {key: one.default for key, one in inspect.signature(found._inner).parameters.items()}
    files = [
        (kind, path, {argument.partition(".")[0] for _, argument, _, _ in Formatter().parse(path) if argument})
        for kind, path in getattr(found, "files", ())
    ]
    return defaults, files


def not_among(paths: Iterable[str], patterns: Iterable[str]) -> tuple[str, ...]:
    """The paths that none of the shell's patterns names."""
    return tuple(path for path in paths if not matches(path, patterns))


def matches(path: str, patterns: Iterable[str]) -> bool:
    return any(PurePosixPath(path).match(pattern) for pattern in patterns)


def read_by(kept: Told, role: str, unit: str) -> tuple[str, ...]:
    """The files of ours that a daemon reads when it starts, with what systemd is told about its unit."""
    patterns = (*READ_BY.get(role, ()), f"/etc/systemd/system/{unit}.d/*")
    return tuple(path for path in touched(kept, "writes", "edits") if matches(path, patterns))
