"""Amavis runs with the files that are there."""

from checks.clients import host
from checks.engine.check import check
from checks.engine.target import Target
from checks.engine.verdicts import Failed

# What a stranger packs so that it cannot be opened is held; that is no complaint about the workers.
UNOPENED = (
    r"\(!\)(NOTICE: HOLD|Decoding of|Exceeded|run_command_copy: Exceeded|do_\w+: |terminating process|process \[)"
)


@check("Amavis runs with the files that are there", needs="ssh", remedy="systemctl restart amavis")
def current(target: Target) -> str:
    found = target.shell(
        "started=$(date +%s -d \"$(systemctl show -P ActiveEnterTimestamp amavis | cut -d' ' -f2-)\"); "
        'find /etc/amavis/conf.d -type f -newermt "@$((started + 1))"'
    )
    if found:
        raise Failed(f"changed since it was started: {found}")
    return "started after its newest file"


@check(
    "The workers have not complained since they were started",
    negative=True,
    needs="ssh",
    remedy="journalctl -u amavis -u clamav-daemon -n 50",
)
def no_errors(target: Target) -> str:
    return host.complaints(target, "amavis", r"\(!!?\)|TROUBLE", but=UNOPENED)
