"""The lab's own network: a subnet nothing else uses, names for its hosts, and a way to the mirror only."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any

from lab import names, state, world
from lab.engine import Engine
from lab.errors import LabError
from lab.progress import say


def ensure(engine: Engine) -> str:
    """The lab's subnet, from its network, which is made where it is missing."""
    found = engine.inspect("network", names.prefix())
    if found:
        return str(subnets_of(found[0])[0])
    taken = routes()
    every = engine.run("network", "ls", "--quiet").split()
    for network in engine.inspect("network", *every):
        taken += subnets_of(network)
    why = "all of it is routed elsewhere"
    for subnet in names.subnets():
        if any(subnet.overlaps(other) for other in taken):
            continue
        try:
            engine.run("network", "create", *options(engine, subnet), names.prefix())
        except LabError as error:  # another checkout was quicker: take the next
            why = error.what
            taken.append(subnet)
            if not re.search("overlap|already used|already being used", why):
                break
            continue
        return str(subnet)
    raise LabError(
        f"No free subnet in {names.TEST_RANGE} for the lab ({why}).",
        "See `ip route`; remove networks that are no longer used.",
    )


def options(engine: Engine, subnet: IPv4Network) -> list[str]:
    words = ["--subnet", str(subnet), "--label", f"mailroom.lab={names.prefix()}"]
    return [*words, "--disable-dns"] if engine.name == "podman" else words


def subnets_of(network: dict[str, Any]) -> list[IPv4Network]:
    """podman and Docker tell it differently."""
    podman = network.get("subnets") or []
    docker = (network.get("IPAM") or {}).get("Config") or []
    texts = [s.get("subnet") or s.get("Subnet") for s in [*podman, *docker]]
    return [net for text in texts if isinstance(net := ip_network(text), IPv4Network)]


def routes() -> list[IPv4Network]:
    """Where this machine's routes lead, the default route aside."""
    if not shutil.which("ip"):
        return []
    out = subprocess.run(["ip", "-json", "-4", "route"], capture_output=True, text=True, check=True)
    targets = [route["dst"] for route in json.loads(out.stdout or "[]")]
    return [IPv4Network(target) for target in targets if target != "default"]


def write_guest_files(subnet: str, hosts: dict[str, state.Record], mirrors: list[str]) -> set[str]:
    """Names and routes as the guests see them; returns the names of the files that are others than before."""
    addresses = {name: resolve(name) for name in mirrors}
    gateway = str(IPv4Network(subnet)[1])
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    for host in hosts.values():
        also = [f"mail.{names.DOMAIN}", names.DOMAIN] if host["name"] == "mx1" else []
        lines.append(" ".join([host["address"], host["fqdn"], host["name"], *also]))
    lines += [f"{address} {name}" for name in mirrors for address in addresses[name]]
    every = sorted({address for found in addresses.values() for address in found})
    ways = [f"gateway {gateway}", *(f"mirror {address}" for address in every)]
    resolver = ["nameserver 127.0.0.1", "options timeout:1 attempts:1"]
    if there := world.find(hosts):
        resolver = [f"nameserver {there['address']}", "options timeout:2 attempts:2"]
    files = {
        "hosts": lines,
        # without a world no server answers there: a name outside the hosts file does not exist
        "resolv.conf": resolver,
        "routes": ways,
        "clients": [f"{address} {name}" for name, address in (there or {}).get("clients", {}).items()],
        "zones.conf": world.zones(subnet, hosts),
    }
    return {name for name, text in files.items() if put(name, text)}


def put(name: str, lines: list[str]) -> bool:
    """Write in place: running guests have this very file mounted, and a renamed one would be another."""
    file: Path = state.path("guest") / name
    text = "".join(f"{line}\n" for line in lines)
    if file.exists() and file.read_text() == text:
        return False
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return True


def resolve(name: str) -> list[str]:
    try:
        found = socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        say(f"cannot resolve the package mirror's name ({error}): hosts cannot install packages")
        return []
    return sorted({str(entry[4][0]) for entry in found})
