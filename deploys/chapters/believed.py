"""Chapter 6: a letter that the world believes. Large receivers take no letter on its word; from here on ours can be checked.

The article has nothing of this: in 2013 a server was believed that had a name. Signatures, and the judge at the door; the web and the
certificate are in believed_web.py, the relay in believed_roads.py, whom our letters reach in believed_receivers.py.
https://www.rfc-editor.org/rfc/rfc6376
"""

from pathlib import Path

from deploys.chapters.amavis import CONF
from deploys.chapters.believed_receivers import dane, sts
from deploys.chapters.believed_roads import relay
from deploys.chapters.believed_web import certificate, clients, policy, web
from deploys.context import data, platform
from deploys.misfits import unsigned
from deploys.restart import restart_changed, restart_workers
from deploys.step import step
from deploys.texts import filled, settings
from operations import amavis as workshop
from operations import dkim, files, packages, postfix

# DOMAIN/SELECTOR.pem: the next key can lie beside the one that signs. Not both in the file's name: with a domain mailroom.org.uk it
# would be one of those that a run takes for a candidate of a killed one, and removes (operations/hold.py).
KEYS = "/etc/amavis/mailroom-dkim"
SIGNS = f"{CONF}/66-mailroom-dkim"


@step("Chapter 6: signatures", needs="amavis.filter", fit=unsigned, today="amavisd showkeys")
def signing() -> None:
    """Amavis signs what our people and the host itself send (DKIM), each domain with a key of its own, made here.

    It is believed once the DNS has the key's public half: `amavisd showkeys` prints the record. A signature without a record
    counts as none. dkim_selector names the first key. Which one signs is the host's own state (DOMAIN/signing), which no run changes:
    `python -m postmaster dkim` makes the next key, and lets it sign once its record is in the DNS.

    Mail of the host's own programs (cron, vacation) enters by pickup, has no client, and was nobody's letter for Amavis. It gets
    a port of its own and not the people's, 10026: that one has milder rules for spam, and tells the sender of a virus, who may be
    any stranger whose letter a Sieve script sends on. Postfix's own bounces pass no filter (internal_mail_filter_classes) and
    stay unsigned. https://gitlab.com/amavis/amavis/-/blob/master/README_FILES/amavisd-new-docs.html#dkim
    """
    known = data()
    files.directory(name="Directory of the keys", path=KEYS, group="amavis", mode="750")
    for domain in known.domains:
        files.directory(name=f"Directory of {domain}'s", path=f"{KEYS}/{domain}", group="amavis", mode="750")
        dkim.key(
            name=f"The key of {domain}",
            folder=f"{KEYS}/{domain}",
            selector=known.dkim_selector,
            group="amavis",
            part=SIGNS,
        )
    text = filled(Path("believed/66-mailroom-dkim.pl"), folder=KEYS)
    workshop.part(name="Amavis signs", dest=SIGNS, text=text)
    restart_workers()  # before Postfix sends anything to the new port
    own = settings("content_filter=smtp-amavis:[127.0.0.1]:10027")
    postfix.overrides(name="The filter of the host's own mail", service="pickup/unix", settings=own)
    restart_changed()


@step("Chapter 6: the door", needs="believed.signing")
def door() -> None:
    """A stranger's letter is judged once, by SPF, DKIM, ARC and DMARC, and says so in an Authentication-Results of ours alone.

    Where DMARC asks to refuse or to file it, it goes into Junk with that line; it is never refused for this, and SPF alone does
    nothing. trusted_forwarders are whose ARC seal counts. Inside Amavis, which has the client by XFORWARD and Mail::DKIM's
    verdicts: no daemon more, and port 25 goes on handing on each byte. https://www.rfc-editor.org/rfc/rfc7489
    """
    packages.packages(name="What judges", packages=platform().packages["believed"], managers=platform().managers)
    for what, part in (
        ("What a domain asks for", "67-mailroom-dmarc"),
        ("Amavis judges at the door", "68-mailroom-door"),
    ):
        workshop.part(name=what, dest=f"{CONF}/{part}", text=filled(Path(f"believed/{part}.pl")))
    restart_changed()


STEPS = (signing, door, web, certificate, relay, dane, policy, sts, clients)
