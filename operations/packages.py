"""Packages, asked for in one reading, installed by pyinfra's own operations.

Except with yum: pyinfra's yum.packages asks `dnf repoquery`, which a host with yum alone does not have, and warns for each package.
"""

from collections.abc import Callable
from typing import Any

from pyinfra.operations import apt, dnf

from operations.base import Commands, changing, mail_host, shell

INSTALL: dict[str, Callable[[list[str]], Any]] = {
    "apt-get": lambda names: apt.packages._inner(packages=names, update=True, no_recommends=True),
    "dnf": lambda names: dnf.packages._inner(packages=names),
    "yum": lambda names: [shell('yum install -y "$@"', *names)],
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
