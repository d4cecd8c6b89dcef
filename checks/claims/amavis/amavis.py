"""Amavis: is it there, what is it told to do with a message, and where does it put what it holds."""

from __future__ import annotations

from checks import amavis_conf, applied
from checks.host import complaints
from checks.model import Failed, check
from checks.target import Target

NEEDS = ("ssh",)
# What a stranger packs so that it cannot be opened is held; that is no complaint about the workers.
UNOPENED = (
    r"\(!\)(NOTICE: HOLD|Decoding of|Exceeded|run_command_copy: Exceeded|do_\w+: |terminating process|process \[)"
)


@check("amavis.install.programs", "The workers are installed", needs=NEEDS, remedy="See chapter 3, install.")
def programs(target: Target) -> str:
    applied.filtering(target)
    found = target.shell("{ amavisd -V || amavisd-new -V; spamassassin -V | head -n 1; clamd -V; } 2>/dev/null; true")
    lines = found.splitlines()
    for name in ("amavis", "SpamAssassin"):
        if name not in found:
            raise Failed(f"{name} does not answer: {found}")
    return "; ".join(line.strip() for line in lines)


@check(
    "amavis.install.no_spamd",
    "SpamAssassin does not run a second time beside Amavis",
    negative=True,
    needs=NEEDS,
    remedy="systemctl disable --now spamd: Amavis has SpamAssassin inside.",
)
def no_spamd(target: Target) -> str:
    applied.filtering(target)
    if found := target.shell("ps -eo args= | grep -E '^[^ ]*(spamd|spamass-milter)( |$)'", may_fail=True):
        raise Failed(found)
    return "no spamd"


@check(
    "amavis.amavis.name",
    "Amavis goes by the mail host's name, and knows which mail is ours",
    needs=NEEDS,
    remedy="$myhostname and @local_domains_maps in /etc/amavis/conf.d; see chapter 3, amavis.",
)
def name(target: Target) -> str:
    applied.filtering(target)
    known = amavis_conf.settings(target)
    if known["name"] != target.hostname:
        raise Failed(f"$myhostname is {known['name']}, not {target.hostname}")
    if target.domain not in known["local"].split():
        raise Failed(f"local domains: {known['local'] or 'none'}; {target.domain} is not among them")
    return f"{known['name']}, for {known['local']}, on ports {known['ports']}"


@check(
    "amavis.amavis.no_backscatter",
    "It never writes to the sender of a virus, who is forged",
    negative=True,
    needs=NEEDS,
    remedy="$final_virus_destiny and $final_banned_destiny = D_DISCARD; $warnvirussender is for nobody.",
)
def no_backscatter(target: Target) -> str:
    applied.filtering(target)
    known = amavis_conf.settings(target)
    if known["virus"] != "discard" or known["banned"] != "discard" or known["spam"] not in ("pass", "discard"):
        raise Failed(f"a virus: {known['virus']}; a banned file: {known['banned']}; spam: {known['spam']}")
    if known["warns"]:
        raise Failed("$warnvirussender or $warnspamsender is set")
    return f"a virus: {known['virus']}, to who has logged in: {known['gentle_virus']}; spam: {known['spam']}"


@check(
    "amavis.unpacking.decoders",
    "Amavis has a program for every kind of archive that it knows",
    needs=NEEDS,
    remedy="Install what the line in the log names: journalctl -u amavis | grep -E 'No (decoder|ext program) for'.",
)
def decoders(target: Target) -> str:
    applied.filtering(target)
    started = "_SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID amavis)"
    found = target.shell(
        f"journalctl -q --no-pager -o cat {started} | sed -n 's/.*No decoder for  *//p'", may_fail=True
    )
    if found:
        raise Failed(f"no decoder for {', '.join(found.split())}: what is packed so, it does not see")
    return "its log names none that is missing"


@check(
    "amavis.unpacking.closed",
    "What cannot be looked at to its end is not let through",
    negative=True,
    needs=NEEDS,
    remedy="$final_unchecked_destiny, $banned_namepath_re and clamd's AlertExceedsMax; see chapter 3, unpacking.",
)
def unread(target: Target) -> str:
    applied.filtering(target)
    known = amavis_conf.settings(target)
    if known["unread"] == "pass" or known["unopened"] == "pass":
        raise Failed(f"over a limit: {known['unread']}; what cannot be opened: {known['unopened']}")
    tells = "grep -iE '^AlertExceedsMax +(yes|true|1)$' /etc/clamav/clamd.conf"
    if not target.once(applied.NO_ANTIVIRUS) and not target.shell(tells, may_fail=True):
        raise Failed("clamd calls clean what it did not look at to its end")
    return f"over a limit: {known['unread']}; what cannot be opened: {known['unopened']}"


@check(
    "amavis.quarantine.place",
    "Held mail has a place of its own, and an end",
    needs=NEEDS,
    remedy="See chapter 3, quarantine.",
)
def place(target: Target) -> str:
    applied.filtering(target)
    folder = amavis_conf.settings(target)["quarantine"]
    mode = target.shell(f"stat -c '%a %U:%G' {folder}")
    rule = target.shell(f"systemd-tmpfiles --cat-config | grep -E '^[a-zA-Z!+]+ +{folder}'", may_fail=True)
    if not rule:
        raise Failed(f"{folder} is {mode}, and nothing ever removes what is in it", "A line of tmpfiles.d with an age.")
    return f"{folder}: {mode}, {rule.split()[-1]}"


@check(
    "amavis.quarantine.private",
    "Nobody else on the host can read what is held",
    negative=True,
    needs=NEEDS,
    remedy="chmod 0750 the folder; it is amavis's.",
)
def private(target: Target) -> str:
    applied.filtering(target)
    folder = amavis_conf.settings(target)["quarantine"]
    mode, owner = target.shell(f"stat -c '%a %U' {folder}").split()
    if owner != "amavis" or int(mode, 8) & 0o007:
        raise Failed(f"{folder} is {mode} of {owner}")
    return f"{folder}: {mode} {owner}"


@check(
    "amavis.restart.current",
    "Amavis runs with the files that are there",
    needs=NEEDS,
    remedy="systemctl restart amavis",
)
def current(target: Target) -> str:
    applied.filtering(target)
    found = target.shell(
        "started=$(date +%s -d \"$(systemctl show -P ActiveEnterTimestamp amavis | cut -d' ' -f2-)\"); "
        'find /etc/amavis/conf.d -type f -newermt "@$((started + 1))"'
    )
    if found:
        raise Failed(f"changed since it was started: {found}")
    return "started after its newest file"


@check(
    "amavis.restart.no_errors",
    "The workers have not complained since they were started",
    negative=True,
    needs=NEEDS,
    remedy="journalctl -u amavis -u clamav-daemon -n 50",
)
def quiet(target: Target) -> str:
    applied.filtering(target)
    return complaints(target, "amavis", r"\(!!?\)|TROUBLE", but=UNOPENED)
