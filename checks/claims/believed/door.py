"""Who wrote a letter is judged at the door, and only our own line says so."""

import re
from uuid import uuid4

from checks.clients import incoming, mail
from checks.engine import Failed, Skipped, Target, claim, negative

DOOR = "/etc/amavis/conf.d/67-mailroom-dmarc and 68-mailroom-door; see chapter 6, door."
UNASKED = "spam_network_tests = False: nobody is asked, so nothing is judged"
SPELLINGS = (
    "{name}; dmarc=pass ({mark})",
    "{NAME}/1; spf=pass ({mark})",
    "({mark}) {name}; dkim=pass",
    '"{name}"; arc=pass ({mark})',
)


@claim(
    "A stranger's letter says what was found out about its sender, in one line of ours",
    needs="elsewhere smtp postgresql door",
    remedy=DOOR,
)
def line(target: Target) -> str:
    (said,) = ours(target, incoming.ordinary(target)) or ("",)
    if not said:
        raise Failed(f"no Authentication-Results of {target.hostname}")
    if said.endswith("; none"):
        return said
    if missing := [how for how in ("spf", "dkim", "dmarc") if not re.search(rf"\b{how}=[a-z]", said)]:
        raise Failed(f"{said}: nothing about {', '.join(missing)}")
    return said


@claim(
    "What a domain asks to refuse is filed into Junk, and not lost",
    needs="elsewhere ssh smtp postgresql lmtp door",
    remedy=DOOR,
)
def filed(target: Target) -> str:
    found = incoming.unproved(target)
    (said,) = ours(target, found) or ("",)
    if said.endswith("; none"):
        raise Skipped(UNASKED)
    if re.search(r"\bdmarc=(none|temperror|pass)\b|\(p=none", said):
        raise Skipped(f"nobody asks to refuse it: {said}", "The DNS of this host has to reach the Internet's.")
    if found.folder != "Junk" or found.message["X-Spam-Flag"] != "YES":
        raise Failed(f"it is in {found.folder}: {said or 'no Authentication-Results of ours'}")
    return said


@negative(
    "A verdict that a stranger brings along in our name is not there afterwards",
    needs="elsewhere smtp postgresql door",
    remedy="Amavis removes it: $allowed_added_header_fields and $enable_dkim_verification; see chapter 6, door.",
)
def no_others(target: Target) -> str:
    mark, host = uuid4().hex, target.hostname
    fields = [("Authentication-Results", one.format(name=host, NAME=host.upper(), mark=mark)) for one in SPELLINGS]
    found = incoming.deliver(target, target.bar, *mail.compose(target, target.unasked, target.bar, *fields))
    left = [value for value in results(found) if mark in value]
    if left:
        raise Failed("; ".join(left))
    return f"{len(fields)} spellings of {host}, none left"


def results(found: incoming.Delivered) -> list[str]:
    """Every Authentication-Results of a letter, each on one line."""
    return [" ".join(str(value).split()) for value in found.message.get_all("Authentication-Results", [])]


def ours(target: Target, found: incoming.Delivered) -> list[str]:
    """Those in the host's name. Raises Failed where there are several."""
    mine = [value for value in results(found) if value.lower().startswith(f"{target.hostname.lower()};")]
    if len(mine) > 1:
        raise Failed(" / ".join(mine))
    return mine
