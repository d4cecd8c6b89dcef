"""Dovecot runs with the files that are there."""

from checks.clients import host
from checks.engine.check import check
from checks.engine.target import Target
from checks.engine.verdicts import Failed


@check("Dovecot runs with the files that are there", needs="ssh", remedy="systemctl restart dovecot")
def current(target: Target) -> str:
    found = target.shell(
        "started=$(date +%s -d \"$(systemctl show -P ActiveEnterTimestamp dovecot | cut -d' ' -f2-)\"); "
        'find /etc/dovecot -maxdepth 1 -name "*.conf" -newermt "@$((started + 1))"'
    )
    if found:
        raise Failed(f"changed since it was started: {found}")
    return "started after its newest file"


@check(
    "No script has failed since Dovecot was started",
    negative=True,
    needs="ssh",
    remedy="journalctl -u dovecot | grep sieve; and the users' own .dovecot.sieve.log",
)
def no_errors(target: Target) -> str:
    return host.complaints(target, "dovecot", r"sieve.*: (Error|Fatal|Panic)|failed to compile")
