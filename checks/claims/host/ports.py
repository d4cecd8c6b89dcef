"""Nobody else: which ports listen, to whom, and which program holds them."""

from __future__ import annotations

from checks import applied
from checks.model import Failed, check
from checks.target import Target

OURS = {25, 465, 587, 143, 993}
MANAGESIEVE = 4190  # ours as soon as chapter 5 is there
FORBIDDEN = {24: "LMTP", 110: "POP3", 995: "POP3S", MANAGESIEVE: "ManageSieve", 5432: "PostgreSQL"}
OTHER_MAILERS = "exim4|exim|sendmail|opensmtpd|nullmailer-send|qmail-send|citserver"


@check(
    "host.ports.forbidden",
    "No port answers from outside that should not",
    negative=True,
    elsewhere=True,
    remedy="Stop the service, or bind it to 127.0.0.1; a firewall is second.",
)
def forbidden(target: Target) -> str:
    ports = {p: name for p, name in FORBIDDEN.items() if p not in meant(target)}
    found = [
        f"{name} ({port})" for port, name in ports.items() if not target.vantage.probe(target.address, port, timeout=2)
    ]
    if found:
        raise Failed(f"{', '.join(found)} can be reached from {target.vantage.name}")
    return f"closed: {', '.join(f'{name} ({port})' for port, name in ports.items())}"


@check(
    "host.ports.expected",
    "Nothing else listens to the network",
    negative=True,
    needs=("ssh",),
    remedy="Stop it, bind it to 127.0.0.1, or name it with --also-port.",
)
def expected(target: Target) -> str:
    ssh_ports = target.shell("sshd -T 2>/dev/null | sed -n 's/^port //p'", may_fail=True).split()
    allowed = {*OURS, *meant(target), 22, *(int(port) for port in ssh_ports if port.isdigit())}
    unknown = [
        f"{address}:{port} {program}".strip()
        for address, port, program in listeners(target)
        if not address.startswith(("127.", "[::1]", "[::ffff:127.")) and port not in allowed
    ]
    if unknown:
        raise Failed(f"listening: {', '.join(unknown)}")
    return f"only {', '.join(str(port) for port in sorted(allowed))}"


def meant(target: Target) -> set[int]:
    """Further ports that are meant to listen: those named with --also-port, and ManageSieve where Sieve is."""
    sieve = target.ssh_host and target.once(applied.SIEVE)
    return {*target.also_ports, *([MANAGESIEVE] if sieve else [])}


def listeners(target: Target) -> list[tuple[str, int, str]]:
    """Address, port and program of everything that listens; a program may be hidden from us."""
    found = []
    for line in target.shell("ss -Hltnp").splitlines():
        fields = line.split()
        address, _, port = fields[3].rpartition(":")
        program = fields[5].split('"')[1] if len(fields) > 5 and '"' in fields[5] else ""
        found.append((address, int(port), program))
    return found


@check(
    "postfix.install.only_postfix",
    "No other mail server is on the host",
    negative=True,
    needs=("ssh", "smtp"),
    remedy="Remove the other mail server.",
)
def only_postfix(target: Target) -> str:
    other = target.shell(f"ps -eo comm= | grep -xE '{OTHER_MAILERS}'", may_fail=True)
    # Postfix's own master does not let even root see its sockets in a container.
    known = ("", "master")
    other += " ".join(p for _, port, p in listeners(target) if port == 25 and p not in known)
    if other:
        raise Failed(other)
    target.shell("postfix status")
    return "Postfix runs, and none of its rivals"


@check(
    "dovecot.install.only_dovecot",
    "The IMAP ports belong to Dovecot and to nobody else",
    negative=True,
    needs=("ssh", "dovecot"),
    remedy="Remove the other IMAP server.",
)
def only_dovecot(target: Target) -> str:
    owners = {port: program for _, port, program in listeners(target) if port in (143, 993)}
    if not owners or any(program != "dovecot" for program in owners.values()):
        raise Failed(
            ", ".join(f"{port}: {name or 'unknown'}" for port, name in owners.items())
            or "nobody listens on 143 and 993"
        )
    return ", ".join(f"{port}: {name}" for port, name in sorted(owners.items()))
