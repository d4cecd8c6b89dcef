"""Packages, asked for in one reading, installed by pyinfra's own operations."""

from pyinfra.operations import apt

from operations.base import Commands, changing, mail_host


@changing
def installed(names: tuple[str, ...]) -> Commands:
    """These packages are installed. The package lists are refreshed only when something is missing."""
    missing = [name for name in names if name not in mail_host().packages]
    if missing:
        yield from apt.packages._inner(packages=missing, update=True, no_recommends=True)
