"""The workers at work: how many, what they take, who may reach them, and the way back to Postfix."""

from __future__ import annotations

import smtplib

from checks import amavis_conf, applied
from checks.mail import expect
from checks.model import Failed, check
from checks.ports import listeners
from checks.ssh import Forward
from checks.target import Target

NEEDS = ("ssh",)
LOOPBACK = ("127.", "[::1]", "[::ffff:127.")
PORTS = {10024: "Amavis", 10025: "re-injection", 10026: "Amavis", 10028: "Amavis", 3310: "clamd"}


@check(
    "amavis.workers.answer",
    "Amavis answers Postfix on 10024 and 10026",
    needs=NEEDS,
    provides="amavis",
    remedy="On the host: systemctl status amavis; journalctl -u amavis -n 20.",
)
def answer(target: Target) -> str:
    applied.filtering(target)
    seen = [inside(target, port) for port in (10024, 10026)]
    return f"{seen[0]}; its processes take {amavis_conf.memory(target, 'amavis')} MB"


def inside(target: Target, port: int) -> str:
    """The greeting on a port of 127.0.0.1 over there."""
    forward = Forward(target.server, "127.0.0.1", port)
    try:
        with smtplib.SMTP("127.0.0.1", forward.port, "localhost", timeout=10) as session:
            return expect(session.noop(), "250", what=str(port))
    except (OSError, smtplib.SMTPException) as error:
        raise Failed(f"nobody answers on 127.0.0.1:{port}: {error}") from error
    finally:
        forward.close()


@check(
    "amavis.workers.as_many",
    "There are as many workers as the data says",
    needs=("ssh", "amavis"),
    remedy="amavis_processes in the inventory's data; then run the chapter.",
)
def as_many(target: Target) -> str:
    applied.filtering(target)
    wanted = int(amavis_conf.settings(target)["processes"])
    there = int(target.shell("pgrep -c -P $(systemctl show -P MainPID amavis)", may_fail=True))
    # A worker that has done its turns is replaced: for a moment there is one more or less.
    if abs(there - wanted) > 1:
        raise Failed(f"{there} workers, {wanted} in the settings")
    free = target.shell("sed -n 's/^MemAvailable: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")
    return f"{there} workers; the host has {int(free) // 1024} MB to spare"


@check(
    "amavis.workers.not_outside",
    "The workers listen to this host alone",
    negative=True,
    elsewhere=True,
    needs=NEEDS,
    remedy="$inet_socket_bind = '127.0.0.1'; no TCPSocket in clamd.conf.",
)
def not_outside(target: Target) -> str:
    applied.filtering(target)
    return closed(target, 10024, 10026, 10028, 3310)


def closed(target: Target, *ports: int) -> str:
    """Not reached from where we are, and not bound to any address but loopback."""
    found = [port for port in ports if not target.vantage.probe(target.address, port, timeout=2)]
    found += [p for where, p, _ in listeners(target) if p in ports and not where.startswith(LOOPBACK)]
    if found:
        raise Failed(", ".join(f"{PORTS[port]} ({port}) listens outside" for port in dict.fromkeys(found)))
    return f"{', '.join(map(str, ports))}: on 127.0.0.1 at most"


@check(
    "amavis.reinjection.answers",
    "Postfix takes back on 10025 what Amavis has checked",
    needs=NEEDS,
    remedy="See chapter 3, reinjection: 127.0.0.1:10025 and smtp-amavis in master.cf.",
)
def reinjection(target: Target) -> str:
    applied.filtering(target)
    found = inside(target, 10025)
    at_once = target.shell("postconf -M smtp-amavis/unix").split()[6]
    wanted = amavis_conf.settings(target)["processes"]
    if at_once != wanted:
        raise Failed(f"Postfix talks to {at_once} workers at once, and there are {wanted}")
    return f"{found}; {at_once} at once"


@check(
    "amavis.reinjection.not_outside",
    "Nobody outside can hand in mail as checked",
    negative=True,
    elsewhere=True,
    needs=NEEDS,
    remedy="The service is 127.0.0.1:10025, with permit_mynetworks,reject and mynetworks=127.0.0.0/8.",
)
def reinjection_private(target: Target) -> str:
    applied.filtering(target)
    found = closed(target, 10025)
    nets = target.shell("postconf -P 127.0.0.1:10025/inet/mynetworks")
    if not nets.endswith("=127.0.0.0/8") and not nets.endswith("= 127.0.0.0/8"):
        raise Failed(nets)
    return found
