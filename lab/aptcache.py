"""Debian packages downloaded once for all hosts of all checkouts.

apt locks its archives folder, so hosts cannot share one. Each has its own, filled with hard links
from a common pool; whatever a host downloaded is linked back into the pool at the next occasion.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab import names


def folder(suite: str) -> Path:
    return names.cache() / "apt" / suite


def archives(suite: str, container: str) -> Path:
    """This host's /var/cache/apt/archives."""
    return folder(suite) / "hosts" / container


def fill(suite: str, container: str) -> Path:
    mine = archives(suite, container)
    mine.mkdir(parents=True, exist_ok=True)
    link_all(pool(suite), mine)
    return mine


def collect(suite: str, container: str) -> None:
    """Safe at any time: apt moves a package here only when it is complete."""
    mine = archives(suite, container)
    if mine.is_dir():
        link_all(mine, pool(suite))


def drop(suite: str, container: str) -> None:
    collect(suite, container)
    shutil.rmtree(archives(suite, container), ignore_errors=True)


def drop_lab(prefix: str) -> None:
    """Also what a killed run of this lab left behind."""
    for left in (names.cache() / "apt").glob(f"*/hosts/{prefix}-*"):
        drop(left.parent.parent.name, left.name)


def pool(suite: str) -> Path:
    shared = folder(suite) / "pool"
    shared.mkdir(parents=True, exist_ok=True)
    return shared


def link_all(source: Path, target: Path) -> None:
    for package in source.glob("*.deb"):
        if not (target / package.name).exists():
            try:
                os.link(package, target / package.name)
            except FileExistsError:  # another checkout did it in this moment
                continue
