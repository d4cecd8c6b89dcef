"""Whether the host may send at all: many providers block port 25 until one asks."""

import re
import shlex

from checks.engine.target import Target
from postmaster.zone.ask import Authorities
from postmaster.zone.host import Facts

SECONDS = 8
CONNECT = "timeout {seconds} bash -c 'exec 3<>/dev/tcp/{host}/{port} && head -c 3 <&3' 2>&1"
# of a port where TLS begins at once nobody greets in the clear
ACCEPTED = "timeout {seconds} bash -c 'exec 3<>/dev/tcp/{host}/{port} && echo 220' 2>&1"
RELAY = re.compile(r"\[?([\w.-]+)\]?(?::([0-9]+))?", re.ASCII)


def row(target: Target, facts: Facts, names: Authorities, domain: str) -> dict[str, object]:
    """Knock from the host at a large receiver's door, and say nothing there."""
    said = {
        "name": f"to {domain}",
        "address": "",
        "type": "25",
        "want": "",
        "required": True,
        "found": [],
        "remedy": "",
    }
    said["why"] = "whether the host may send to others (outbound port 25)"
    if facts.relay:
        return said | by_relay(target, facts.relay)
    answer = names.ask(domain, "MX")
    hosts = [host for _, host in sorted((int(number), host) for number, host in map(str.split, answer.values))]
    if not hosts:
        why = answer.problem or f"{domain} takes no mail"
        return said | {"sign": "unknown", "says": why, "remedy": "Name another receiver: --receiver example.net"}
    sign, says = knocked(target, hosts[0], "25", CONNECT)
    remedy = (
        "Ask your provider to open outbound port 25, or send by a relay of its: relayhost." if sign == "wrong" else ""
    )
    return said | {"sign": sign, "says": says, "remedy": remedy}


def by_relay(target: Target, relay: str) -> dict[str, object]:
    """All mail leaves by relayhost: its port has to be open, and 25 does not matter."""
    found = RELAY.fullmatch(relay)
    if not found:
        return {"sign": "unneeded", "says": f"mail leaves by {relay}"}
    host, port = found[1], found[2] or "25"
    asked = {"name": f"to {host}", "type": port, "why": f"whether the host reaches its relay (outbound port {port})"}
    sign, says = knocked(target, host, port, CONNECT if port in ("25", "587", "2525") else ACCEPTED)
    remedy = (
        "Is it the name and port that your provider gave you? Correct relayhost, and run again."
        if sign == "wrong"
        else ""
    )
    says = f"mail leaves by {relay}, which answers" if sign == "right" else says
    return asked | {"sign": sign, "says": says, "remedy": remedy}


def knocked(target: Target, host: str, port: str, how: str) -> tuple[str, str]:
    """Whether somebody answers the host there, and in which words."""
    command = how.format(seconds=SECONDS, host=shlex.quote(host), port=port)
    heard = target.shell(command, may_fail=True, timeout=SECONDS + 7.0).strip()
    if heard.startswith("220"):
        return "right", f"{host} greets it"
    if heard.startswith(("4", "5")) and heard[:3].isdigit():
        return "right", f"{host} answers, with {heard}"
    return "wrong", f"{host} cannot be reached: {heard.splitlines()[-1] if heard else f'no answer in {SECONDS} s'}"
