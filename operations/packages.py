"""Packages, asked for in one reading; what an installation that was cut off left behind is finished first.

With apt-get and yum these are our own commands. pyinfra's apt gives up where another program holds a lock; its yum asks
`dnf repoquery`, which a host with yum alone does not have.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyinfra.operations import dnf

from operations.base import Commands, changing, mail_host, shell, warn

PATIENCE = 900  # seconds: an unattended upgrade takes minutes

APT = Path(__file__).with_name("apt.sh").read_text()
ADD = 'patient apt install --no-install-recommends "$@"\n'

INSTALL: dict[str, Callable[[list[str], str], Any]] = {
    "apt-get": lambda names, unfinished: [shell(APT + ADD, str(PATIENCE), unfinished, *names)],
    "dnf": lambda names, _: dnf.packages._inner(packages=names),  # waits by itself, as yum does
    "yum": lambda names, _: [shell('yum install -y "$@"', *names)],
}


@changing(packages="{packages}")
def packages(packages: tuple[str, ...], managers: tuple[str, ...] = ("apt-get", "dnf", "yum")) -> Commands:
    """These packages are installed. Package lists are refreshed only when something is missing (dnf and yum do that themselves).
    A package that is unpacked but not configured is not installed.

    + packages: their names
    + managers: the first that the host has does it

    **Example:** ``packages.packages(packages=("postfix", "postfix-pgsql"))``
    """
    there = mail_host()
    missing = [name for name in packages if name not in there.packages]
    if missing:
        known = there.system.get("managers", "").split()
        unfinished = ", ".join(f"{name} {how}" for name, how in there.unfinished.items())
        if there.dpkg_holder:
            warn(f"waiting for {there.dpkg_holder}, which installs something: up to {PATIENCE // 60} minutes")
        elif unfinished:
            warn(f"an installation was cut off here, and is finished first: {unfinished}")
        yield from INSTALL[next((one for one in managers if one in known), managers[0])](missing, unfinished)
