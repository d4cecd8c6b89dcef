"""Nobody else: which ports listen, to whom, and whose units run."""

from checks.clients import host
from checks.engine import Failed, Target, Warned, conditions, negative

OURS = {25, 465, 587, 143, 993}
MANAGESIEVE = 4190  # ours as soon as chapter 5 is there
PARTS = {"pigeonhole": MANAGESIEVE, "http": 80, "https": 443}
FORBIDDEN = {24: "LMTP", 110: "POP3", 995: "POP3S", MANAGESIEVE: "ManageSieve", 5432: "PostgreSQL"}


@negative(
    "No drop-in of somebody else's changes what the mail server's daemons run",
    needs="ssh",
    remedy="Look whether it has to; if not, remove it and run systemctl daemon-reload.",
)
def nothing_beside(target: Target) -> str:
    found = target.shell(
        "for unit in postfix postfix@ postgresql postgresql@ dovecot amavis clamav-daemon chrony; do for path in "
        "/etc/systemd/system/$unit.service /etc/systemd/system/$unit.service.d/*.conf "
        "/etc/systemd/system/$unit*-main.service.d/*.conf; do "
        "case $path in */mailroom*|*/extend.conf) ;; *) "
        "[ -f $path ] && [ ! -L $path ] && grep -lE "
        "'^ *(Exec[A-Za-z]+|User|Group|Environment[A-Za-z]*|Root[A-Za-z]+|Bind[A-Za-z]*) *=' $path ;; "
        "esac; done; done | sort -u",
        may_fail=True,
    )
    if found:
        raise Warned(", ".join(found.split()))
    return "the packages' units, and mailroom's drop-ins"


@negative(
    "No port answers from outside that should not",
    needs="elsewhere",
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


@negative(
    "Nothing else listens to the network",
    needs="ssh",
    remedy="Stop it, bind it to 127.0.0.1, or name it with --also-port.",
)
def expected(target: Target) -> str:
    ssh_ports = target.shell("sshd -T 2>/dev/null | sed -n 's/^port //p'", may_fail=True).split()
    allowed = {*OURS, *meant(target), 22, *(int(port) for port in ssh_ports if port.isdigit())}
    unknown = [
        f"{address}:{port} {program}".strip()
        for address, port, program in host.listeners(target)
        if not address.startswith(("127.", "[::1]", "[::ffff:127.")) and port not in allowed
    ]
    if unknown:
        raise Failed(f"listening: {', '.join(unknown)}")
    return f"only {', '.join(str(port) for port in sorted(allowed))}"


def meant(target: Target) -> set[int]:
    """Further ports that are meant to listen: those named with --also-port, ManageSieve where Sieve is, and 80 and 443
    where the web server of chapter 6 is asked there."""
    found = {port for part, port in PARTS.items() if target.ssh_host and conditions.has(target, part)}
    return {*target.also_ports, *found}
