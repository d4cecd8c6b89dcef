"""Dovecot runs with the files that are there."""

from checks.clients import host
from checks.engine import Target, claim, negative


@claim("Dovecot runs with the files that are there", needs="ssh", remedy="systemctl restart dovecot")
def current(target: Target) -> str:
    return host.current(target, "dovecot", "/etc/dovecot -maxdepth 1 -name '*.conf'")


@negative(
    "No script has failed since Dovecot was started",
    needs="ssh",
    remedy="journalctl -u dovecot | grep sieve; and the users' own .dovecot.sieve.log",
)
def no_errors(target: Target) -> str:
    return host.complaints(target, "dovecot", r"sieve.*: (Error|Fatal|Panic)|failed to compile")
