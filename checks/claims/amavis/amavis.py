"""What Amavis is told to do with a message."""

import re

from checks.clients import amavis
from checks.engine import Failed, Target, Warned, claim, negative

PARTS = """01-debian 05-domain_id 05-node_id 15-av_scanners 15-content_filter_mode 20-debian_defaults 21-ubuntu_defaults
    25-amavis_helpers 30-template_localization 40-policy_banks 50-user"""


@claim(
    "Amavis goes by the mail host's name, and knows which mail is ours",
    remedy="$myhostname and @local_domains_maps in /etc/amavis/conf.d; see chapter 3, amavis.",
)
def name(target: Target) -> str:
    known = amavis.settings(target)
    if known["name"] != target.hostname:
        raise Failed(f"$myhostname is {known['name']}, not {target.hostname}")
    if target.domain not in known["local"].split():
        raise Failed(f"local domains: {known['local'] or 'none'}; {target.domain} is not among them")
    return f"{known['name']}, for {known['local']}, on ports {known['ports']}"


@negative(
    "It never writes to the sender of a virus, who is forged",
    remedy="$final_virus_destiny and $final_banned_destiny = D_DISCARD; $warnvirussender is for nobody.",
)
def no_backscatter(target: Target) -> str:
    known = amavis.settings(target)
    if known["virus"] != "discard" or known["banned"] != "discard" or known["spam"] not in ("pass", "discard"):
        raise Failed(f"a virus: {known['virus']}; a banned file: {known['banned']}; spam: {known['spam']}")
    if known["warns"]:
        raise Failed("$warnvirussender or $warnspamsender is set")
    return f"a virus: {known['virus']}, to who has logged in: {known['gentle_virus']}; spam: {known['spam']}"


@negative(
    "No file overrules Amavis's settings, and no sender is welcome by his address alone",
    remedy="Take the file out, or move its lines to 50-user; for senders there is welcomelist_auth.",
)
def nothing_beside(target: Target) -> str:
    names = target.shell("ls /etc/amavis/conf.d").split()
    found = [
        name for name in names if re.fullmatch(r"[\w-]+", name) and "mailroom" not in name and name not in PARTS.split()
    ]
    found += target.shell(
        "grep -nsE '^[[:space:]]*(whitelist|welcomelist)_from[[:space:]]' /etc/spamassassin/*.cf | cut -d: -f1,2",
        may_fail=True,
    ).split()
    if found:
        raise Warned(", ".join(found))
    return f"{len(names)} parts, the package's and mailroom's"
