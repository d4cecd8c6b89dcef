"""Amavis runs with the files that are there."""

from checks.clients import host
from checks.engine import Target, claim, negative

# What a stranger packs so that it cannot be opened is held; that is no complaint about the workers.
UNOPENED = (
    r"\(!\)(NOTICE: HOLD|Decoding of|Exceeded|run_command_copy: Exceeded|do_\w+: |terminating process|process \[)"
)


@claim("Amavis runs with the files that are there", remedy="systemctl restart amavis")
def current(target: Target) -> str:
    return host.current(target, "amavis", "/etc/amavis/conf.d -type f")


@negative(
    "The workers have not complained since they were started", remedy="journalctl -u amavis -u clamav-daemon -n 50"
)
def no_errors(target: Target) -> str:
    return host.complaints(target, "amavis", r"\(!!?\)|TROUBLE", but=UNOPENED)
