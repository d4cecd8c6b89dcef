"""All mail for others by a relay: what is taken away when there is none any more, and the mail that has waited."""

from pyinfra import host, state

from operations import preview
from operations.base import Commands, changed, changing, mail_host, shell
from operations.postfix import EDIT, MAIN_CF, MASTER_CF

SETTINGS = {"default_transport", "relayhost"}
GONE = "mailroom.relay_gone"


@changing(packages="postfix")
def no_road(transport: str) -> Commands:
    """Mail for others does not go by this transport of ours; a relayhost that the operator has set without it stays.

    + transport: a service of master.cf's

    **Example:** ``relay.no_road(transport="mailroom-relay")``
    """
    there = mail_host().main_cf
    if there.get("default_transport") == transport:
        ours = sorted(name for name in SETTINGS if there.get(name))
        preview.change(MAIN_CF, "".join(f"{name} = {there[name]}\n" for name in ours), "")
        yield shell(EDIT, "-X", *ours)
        host.connector_data[GONE] = state.is_executing


@changing(packages="postfix")
def no_service(service: str) -> Commands:
    """A service is not in master.cf, nor are its options.

    + service: name and type

    **Example:** ``relay.no_service(service="mailroom-relay/unix")``
    """
    if there := mail_host().master_cf.get(service):
        preview.change(MASTER_CF, f"{there}\n", "")
        yield shell(EDIT, "-MX", service)


@changing(packages="postfix")
def retry(transport: str) -> Commands:
    """Mail that was put off is tried at once, in a run that has changed something: a password, perhaps, or the way itself.

    Without, it would wait for its next turn, up to maximal_backoff_time. https://www.postfix.org/postqueue.1.html

    + transport: as in `no_road`; where mail takes another way, nothing is to do

    **Example:** ``relay.retry(transport="mailroom-relay")``
    """
    taken = mail_host().main_cf.get("default_transport") == transport or host.connector_data.get(GONE)
    if not (state.is_executing and changed() and taken):
        return "nothing has changed for mail that waits"
    yield shell("postqueue -f")
