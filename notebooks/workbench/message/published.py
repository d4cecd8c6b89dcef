"""The other half of the host's keys, put where everybody can read it: into the DNS of the lab's world."""

from checks.clients import signature
from notebooks.workbench.host import remote, snapshots, where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.message import world
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady
from postmaster.keys import state

AT_HOME = "In a terminal: python -m postmaster dns print"


@stoppable("The lab goes on telling the world's DNS, and the next cell waits for that.", "{call} again.")
def publish() -> html.Note:
    """Put the record of each key that signs, or is to sign next, into the world's DNS, as you do at your provider; outside the lab, how
    to get it.

    Raises NotReady where the host has no key, or the lab no world.
    """
    here = where.place()
    records = signature.read(remote.execute("amavisd showkeys 2>/dev/null").out)
    waiting = [one.next for one in state.parse(remote.execute(state.SCRIPT).out).domains if one.next]
    records |= {key.name: key.record for key in waiting}
    if not records:
        raise NotReady("The host has no key to sign with.", remedy='apply("believed.signing")')
    if not here.lab:
        return html.Note("The records are yours to publish, where your domain is kept.", AT_HOME, "warn")
    if not world.host():
        raise NotReady("There is no world in this lab, so nobody would see it.", remedy="world()")
    for name, text in records.items():
        said = snapshots.do(f"telling the world's DNS of {name}", "publish", name, text)
        if said is not None:
            raise NotReady(
                f"The world's DNS did not take {name}.", said, "In a terminal: python -m lab publish NAME TEXT"
            )
    remote.forget()
    return html.Note("The world's DNS has the other half of the key.", "\n".join(records), "good")
