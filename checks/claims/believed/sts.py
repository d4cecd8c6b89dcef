"""Where a domain promises TLS with a certificate (MTA-STS), our mail for it goes so, or waits."""

import re
from shlex import quote

from checks.clients import host
from checks.engine import Failed, Target, claim, negative

NEEDS = "ssh sts"
SERVICES = ("smtp/unix", "relay/unix")
SOCKET = "run/mta-sts/map.sock"
AGAIN = "Run deploys/mailserver.py again: the step believed.sts puts it back."
UNIT = "postfix-mta-sts-resolver"


def tables(target: Target, service: str) -> list[str]:
    """Where a service of master.cf looks up how to send."""
    said = target.shell(f"postconf -P {service}/smtp_tls_policy_maps 2>/dev/null", may_fail=True)
    return re.split(r"[,\s]+", said.partition("=")[2].strip())


@claim(
    "Postfix asks what a domain promises, and is answered",
    remedy=f"On the host: systemctl status {UNIT}; journalctl -u {UNIT}. Mail for others waits until it answers.",
)
def asked(target: Target) -> str:
    for service in SERVICES:
        if not (ours := [one for one in tables(target, service) if SOCKET in one]):
            raise Failed(f"{service} asks nobody", AGAIN)
    # a name that is nobody's, so that no other server is asked
    said = target.shell(
        f"cd $(postconf -h queue_directory) && runuser -u postfix -- postmap -q promise.invalid {quote(ours[0])} 2>&1; true"
    )
    if said:
        raise Failed(f"{ours[0]}: {said.splitlines()[-1]}")
    return f"{', '.join(SERVICES)}: {ours[0]}"


@claim("Postfix knows whom to trust for a certificate", remedy=AGAIN)
def trust(target: Target) -> str:
    found = set()
    for service in SERVICES:
        path = (
            target.shell(f"postconf -P {service}/smtp_tls_CAfile 2>/dev/null", may_fail=True).partition("=")[2].strip()
        )
        count = target.shell(f"grep -c 'BEGIN CERTIFICATE' {quote(path)} 2>/dev/null", may_fail=True) if path else ""
        if not count.isdigit() or not int(count):
            raise Failed(
                f"{service}: smtp_tls_CAfile is {path or 'empty'}, with no certificate in it: all such mail would wait"
            )
        found.add(f"{count} authorities in {path}")
    return "; ".join(sorted(found))


@negative(
    "What goes to Amavis and to mailboxes does not ask, and so does not wait for the answer",
    remedy="postconf -X smtp_tls_policy_maps lmtp_tls_policy_maps: the step believed.sts sets it for what goes to others only.",
)
def others_only(target: Target) -> str:
    said = target.shell(
        "postconf -h smtp_tls_policy_maps lmtp_tls_policy_maps; postconf -P | grep '^smtp-amavis/.*tls_policy_maps'; true"
    )
    if SOCKET in said:
        raise Failed(f"main.cf or smtp-amavis asks, too: {said}")
    return "only smtp and relay ask"


@negative("Nobody but Postfix reaches who answers, and nobody can stand in for it", remedy=AGAIN)
def closed(target: Target) -> str:
    folder = host.file(target, f"{target.shell('postconf -h queue_directory')}/{SOCKET.rpartition('/')[0]}")
    if str(folder) != "750 _mta-sts:postfix":
        raise Failed(f"{folder.path} is {folder}")
    listening = target.shell("ss -Hltn sport = :8461", may_fail=True)
    if listening:
        raise Failed(f"it listens on a port, too: {listening}")
    return f"{folder.path} is {folder}"
