"""The host's own firewall. Nothing where none runs; the provider's is not ours to open."""

from operations.base import Commands, changing, mail_host, shell

OPEN = """for service in "$@"; do
    firewall-cmd --quiet --permanent --add-service="$service"
    firewall-cmd --quiet --add-service="$service"
done
"""


@changing
def opened(services: tuple[str, ...]) -> Commands:
    """firewalld lets these services in, now and after a restart, in its default zone (https://firewalld.org/documentation)."""
    there = mail_host().firewall
    closed = [name for name in services if any(name not in known for known in there.values())]
    if closed:
        yield shell(OPEN, *closed)
