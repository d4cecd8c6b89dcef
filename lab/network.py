"""The lab's own network: a subnet nothing else uses, for IPv4 and IPv6, names for its hosts, and a way to the mirror only."""

import json
import re
import shutil
import socket
import subprocess
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from lab import names, state, world
from lab.engine import Engine
from lab.errors import LabError
from lab.progress import say

# https://docs.kernel.org/networking/ip-sysctl.html; no such file where the kernel has no IPv6 at all
WITHOUT_SIX = Path("/proc/sys/net/ipv6/conf/all/disable_ipv6")

RESOLVER = "resolver.conf"  # for a resolver of a mail host's own, which verifies (believed.dane)


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
            return str(subnet)
        except LabError as error:  # another checkout was quicker: take the next
            why = str(error)
            if not re.search("overlap|already used|already being used", why):
                break
    raise LabError(
        f"No free subnet in {names.TEST_RANGE} for the lab ({why}).",
        "See `ip route`; remove networks that are no longer used.",
    )


def options(engine: Engine, subnet: IPv4Network) -> list[str]:
    words = ["--subnet", str(subnet), "--label", f"mailroom.lab={names.prefix()}"]
    if WITHOUT_SIX.exists() and WITHOUT_SIX.read_text().strip() == "0":
        words += ["--ipv6", "--subnet", str(names.subnet_six(subnet))]
    return [*words, "--disable-dns"] if engine.name == "podman" else words


def has_six(engine: Engine) -> bool:
    """Whether the lab's network has IPv6: it was made where this machine's kernel has it switched on."""
    return any(
        isinstance(net, IPv6Network) for found in engine.inspect("network", names.prefix()) for net in nets(found)
    )


def subnets_of(network: dict[str, Any]) -> list[IPv4Network]:
    return [net for net in nets(network) if isinstance(net, IPv4Network)]


def nets(network: dict[str, Any]) -> list[IPv4Network | IPv6Network]:
    """podman and Docker tell it differently."""
    podman = network.get("subnets") or []
    docker = (network.get("IPAM") or {}).get("Config") or []
    return [ip_network(s.get("subnet") or s.get("Subnet")) for s in [*podman, *docker]]


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
        lines += [" ".join([address, host["fqdn"], host["name"], *also]) for address in world.addresses_of(host)]
    lines += [f"{address} {name}" for name in mirrors for address in addresses[name]]
    every = sorted({address for found in addresses.values() for address in found})
    ways = [f"gateway {gateway}", *(f"mirror {address}" for address in every)]
    files = {"hosts": lines, "routes": ways, **of_the_world(subnet, hosts)}
    if not (state.guest() / RESOLVER).exists():
        files[RESOLVER] = []  # it is mounted before there is a world
    return {name for name, text in files.items() if put(name, text)}


def of_the_world(subnet: str, hosts: dict[str, state.Record]) -> dict[str, list[str]]:
    """The files that say which names there are beyond the hosts file, and who knows them."""
    resolver = ["nameserver 127.0.0.1", "options timeout:1 attempts:1"]
    if there := world.find(hosts):
        resolver = [f"nameserver {there['address']}", "options timeout:2 attempts:2"]
    return {
        # without a world no server answers there: a name outside the hosts file does not exist
        "resolv.conf": resolver,
        "clients": [f"{address} {name}" for name, address in world.homes(there or {})],
        "zones.conf": world.zones(subnet, hosts, state.published()),
    }


def write_zones(subnet: str, hosts: dict[str, state.Record]) -> set[str]:
    """What the world's DNS says, written anew; returns the names of the files that changed."""
    return {name for name, text in of_the_world(subnet, hosts).items() if put(name, text)}


def write_authority(engine: Engine, hosts: dict[str, state.Record]) -> set[str]:
    """Whom all hosts of the lab may believe that the world's certificate authority is what it says, and by which keys its signed zones
    are verified; returns the names of the files that changed."""
    there = world.find(hosts)
    if not there:
        return set()
    me = f"{names.prefix()}-{there['name']}"
    authority, public, anchors = (
        engine.run("exec", me, "sh", "-c", f"cat {file} || :")
        for file in (world.AUTHORITY, world.PUBLIC, world.ANCHORS)
    )
    files = {
        "authority.pem": authority.splitlines(),
        "public.pem": public.splitlines(),
        RESOLVER: world.believed(there, anchors),
    }
    changed = {name for name, lines in files.items() if put(name, lines)}
    if "public.pem" in changed:
        for host in hosts.values():  # one that was made before there was such a program goes without
            command = "! command -v mailroom-trust >/dev/null || mailroom-trust"
            engine.run("exec", f"{names.prefix()}-{host['name']}", "sh", "-c", command)
    return changed


def forget(gone: state.Record, hosts: dict[str, state.Record]) -> set[str]:
    """The guests' files without the name of a host that went; returns those that changed. Routes and mirrors stay as they are."""
    there = state.guest() / "hosts"
    if not there.exists():
        return set()
    kept = [line for line in there.read_text().splitlines() if line.split()[0] not in world.addresses_of(gone)]
    subnet = str(IPv4Network(f"{gone['address']}/24", strict=False))
    files = {"hosts": kept, **of_the_world(subnet, hosts)}
    return {name for name, text in files.items() if put(name, text)}


def put(name: str, lines: list[str]) -> bool:
    """Write in place: running guests have this very file mounted, and a renamed one would be another."""
    file: Path = state.guest() / name
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
