"""The host's own name."""

from pyinfra.operations import server

from operations.base import Commands, changing, mail_host


@changing
def is_set(fqdn: str) -> Commands:
    """The host answers `hostname -f` with this FQDN; nothing happens where it does so already."""
    if mail_host().system.get("fqdn") != fqdn:
        yield from server.hostname._inner(hostname=fqdn)
