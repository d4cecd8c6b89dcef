"""The host's own firewall. Nothing where none runs; the provider's is not ours to open."""

from operations.base import Commands, changing, mail_host, shell

OPEN = """for service in "$@"; do
    firewall-cmd --quiet --permanent --add-service="$service"
    firewall-cmd --quiet --add-service="$service"
done
"""


@changing()
def services(services: tuple[str, ...]) -> Commands:
    """firewalld lets these services in, now and after a restart, in its default zone (https://firewalld.org/documentation).

    + services: as `firewall-cmd --get-services` calls them

    **Example:** ``firewall.services(services=("smtp", "imaps"))``
    """
    there = mail_host().firewall
    if not there:
        return "no firewalld runs here"
    closed = [name for name in services if any(name not in known for known in there.values())]
    if closed:
        yield shell(OPEN, *closed)
