"""Debian packages downloaded once for all hosts of all checkouts.

apt locks its archives folder, so hosts cannot share one. Each has its own, filled with hard links
from a common pool; whatever a host downloaded is linked back into the pool at the next occasion.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from lab import names


def folder(suite: str, inside: str) -> Path:
    """The pool of a suite, or "hosts/NAME": that host's /var/cache/apt/archives. It need not be there."""
    return names.cache() / "apt" / suite / inside


def pool(suite: str) -> Path:
    return folder(suite, "pool")


def fill(suite: str, container: str) -> Path:
    mine = folder(suite, f"hosts/{container}")
    mine.mkdir(parents=True, exist_ok=True)  # the host puts something in
    link_all(pool(suite), mine)
    return mine


def collect(suite: str, container: str) -> None:
    """Safe at any time: apt moves a package here only when it is complete."""
    link_all(folder(suite, f"hosts/{container}"), pool(suite))


def drop(suite: str, container: str) -> None:
    collect(suite, container)
    shutil.rmtree(folder(suite, f"hosts/{container}"), ignore_errors=True)


def drop_lab(prefix: str) -> None:
    """Also what a killed run of this lab left behind."""
    for left in (names.cache() / "apt").glob(f"*/hosts/{prefix}-*"):
        drop(left.parent.parent.name, left.name)


def link_all(source: Path, target: Path) -> None:
    packages = list(source.glob("*.deb"))
    if packages:
        target.mkdir(parents=True, exist_ok=True)
    for package in packages:
        with suppress(FileExistsError):  # it has it, or another checkout did it in this moment
            os.link(package, target / package.name)
