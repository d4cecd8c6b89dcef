"""Packages, asked for in one reading, installed by pyinfra's own operations."""

from collections.abc import Callable
from typing import Any

from pyinfra.operations import apt, dnf, yum

from operations.base import Commands, changing, mail_host

INSTALL: dict[str, Callable[[list[str]], Any]] = {
    "apt-get": lambda names: apt.packages._inner(packages=names, update=True, no_recommends=True),
    "dnf": lambda names: dnf.packages._inner(packages=names),
    "yum": lambda names: yum.packages._inner(packages=names),
}


@changing
def installed(names: tuple[str, ...], managers: tuple[str, ...]) -> Commands:
    """These packages are installed, with the first of `managers` that the host has. Package lists are refreshed only when
    something is missing (dnf and yum do that themselves)."""
    there = mail_host()
    missing = [name for name in names if name not in there.packages]
    if missing:
        known = there.system.get("managers", "").split()
        yield from INSTALL[next((one for one in managers if one in known), managers[0])](missing)
