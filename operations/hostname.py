"""The host's own name."""

from pyinfra.operations import server

from operations.base import Commands, changing, mail_host


@changing
def is_set(fqdn: str) -> Commands:
    """The host is called by this FQDN, by `hostname` or (as Debian's installer does it) by `hostname -f`."""
    system = mail_host().system
    if fqdn not in (system.get("nodename"), system.get("fqdn")):
        yield from server.hostname._inner(hostname=fqdn)
