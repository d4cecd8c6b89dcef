"""The host's own name."""

from pyinfra.operations import server

from operations.base import Commands, changing, mail_host


@changing()
def hostname(hostname: str) -> Commands:
    """The host is called by this name, by `hostname` or (as Debian's installer does it) by `hostname -f`.

    + hostname: the fully qualified name

    **Example:** ``hostname.hostname(hostname="mx.example.org")``
    """
    system = mail_host().system
    if hostname not in (system.get("nodename"), system.get("fqdn")):
        yield from server.hostname._inner(hostname=hostname)
