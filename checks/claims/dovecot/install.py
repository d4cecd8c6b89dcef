"""Dovecot's version, and that the ports are its own."""

from checks.clients import host
from checks.engine import Failed, Target, claim, negative


@claim(
    "Dovecot is a version that the chapter has a dialect for",
    needs="ssh",
    remedy="Install Dovecot 2.3 or 2.4; see chapter 4, install.",
)
def version(target: Target) -> str:
    found = target.shell("dovecot --version")
    if not found.startswith(("2.3.", "2.4.")):
        raise Failed(found)
    return found


@negative(
    "The IMAP ports belong to Dovecot and to nobody else", needs="ssh dovecot", remedy="Remove the other IMAP server."
)
def only_dovecot(target: Target) -> str:
    owners = {port: program for _, port, program in host.listeners(target) if port in (143, 993)}
    if not owners or any(program != "dovecot" for program in owners.values()):
        raise Failed(
            ", ".join(f"{port}: {name or 'unknown'}" for port, name in owners.items())
            or "nobody listens on 143 and 993"
        )
    return ", ".join(f"{port}: {name}" for port, name in sorted(owners.items()))
