"""One lab host: make it, find it again, wait for it, remove it. Its container's labels are the truth about it."""

import json
import socket
import time
from dataclasses import dataclass
from typing import Any

from lab import aptcache, image, names, places, state, world
from lab.engine import Engine
from lab.errors import LabError

READY = 60  # seconds for ssh to answer; it takes two or three
SETTLED = 20  # seconds for the rest to start
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key.pub"


@dataclass
class Found:
    """A container of this lab, as the engine describes it."""

    host: state.Record
    running: bool
    mounted: bool  # with the key and the names of this very lab
    mirrors: list[str]  # the host names it may reach


def container(name: str) -> str:
    """The name of a host's container."""
    return f"{names.prefix()}-{name}"


def find_all(engine: Engine) -> dict[str, Found]:
    """Every host of this lab, running or left behind by a run that was killed."""
    label = f"label=mailroom.lab={names.prefix()}"
    ids = engine.run("ps", "--all", "--quiet", "--filter", label).split()
    found = {}
    for one in engine.inspect("container", *ids):
        host = json.loads(one["Config"]["Labels"]["mailroom.host"])
        mounted = state.of(host, "id_ed25519.pub").exists() and state.guest().is_dir()
        found[host["name"]] = Found(host, one["State"]["Running"], mounted, image.mirrors(one))
    return found


def plan(
    name: str, suite: str, role: str, subnet: str, others: dict[str, Any], six: bool = False, domain: str = ""
) -> state.Record:
    """A new host's record for lab.json: addresses and ports that no other host of ours has.

    One with a `domain` of its own belongs to a learner, and so does the place with its keys and secrets (lab/places.py).
    """
    net = subnet.rsplit(".", 1)[0]
    address = f"{net}.{names.octet(name, {int(o['address'].split('.')[3]) for o in others.values()})}"
    taken = {port for other in others.values() for port in other["ports"].values()}
    inside_ports = {"mail": names.MAIL_PORTS, names.HUB: (names.HTTPS,)}.get(role, ())
    wanted = ["22", *map(str, inside_ports)]
    ports: dict[str, int] = {}
    for inside in wanted:
        ports[inside] = free_port(taken | set(ports.values()))
    record = {
        "name": name, "fqdn": names.fqdn(name, role, domain), "role": role, "suite": suite,
        "address": address, "address6": names.six(address) if six else "", "ssh_port": ports["22"], "ports": ports,
    }  # fmt: skip
    record |= {"domain": domain, "place": places.of(name)} if domain else {}
    return record | ({"clients": world.clients(subnet)} if role == names.WORLD else {})


def free_port(taken: set[int]) -> int:
    for port in names.ports():
        if port in taken:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise LabError(f"No free port on 127.0.0.1 in {names.PORTS.start}-{names.PORTS.stop - 1}.")


def create(engine: Engine, host: state.Record, image: str) -> None:
    """Start a host from an image, a bare one or a snapshot."""
    me = container(host["name"])
    guest = state.guest()
    archives = aptcache.fill(host["suite"], me)
    mounts = [
        f"{state.of(host, 'id_ed25519.pub')}:/root/.ssh/authorized_keys:ro",
        f"{guest}:/etc/mailroom-lab:ro",
        f"{guest}/hosts:/etc/hosts:ro",
        f"{guest}/resolv.conf:/etc/resolv.conf:ro",
        f"{archives}:/var/cache/apt/archives",
    ]
    if host["role"] == "mail":
        mounts.append(f"{guest}/resolver.conf:/etc/unbound/mailroom.d/lab.conf:ro")
    published = [f"127.0.0.1:{outside}:{inside}" for inside, outside in host["ports"].items()]
    labels = [f"mailroom.lab={names.prefix()}", f"mailroom.host={json.dumps(host)}"]
    engine.run(
        "run", "--detach", "--name", me, "--hostname", host["fqdn"],
        "--network", names.prefix(), "--ip", host["address"], *(["--ip6", host["address6"]] if host.get("address6") else []),
        "--mac-address", names.mac(host["address"]),
        *engine.guest_flags(),
        # Each host has as much of a core as any other one, and all learners of a class come through these.
        *(engine.first_flags() if host["role"] != "mail" else []),
        *(word for mount in mounts for word in ("--volume", mount)),
        *(word for port in published for word in ("--publish", port)),
        *(word for label in labels for word in ("--label", label)),
        image,
    )  # fmt: skip


def tell(engine: Engine, host: state.Record, changed: set[str]) -> None:
    """Make a running host read the changes in its mounted files."""
    commands = []
    if "routes" in changed:
        commands.append("systemctl restart mailroom-seal")
    if host["role"] == names.WORLD and changed & {"clients", "zones.conf"}:
        # however often: systemd starts no unit more than five times in ten seconds, unless it forgets that
        commands.append("systemctl reset-failed mailroom-world unbound")
        commands.append("systemctl restart mailroom-world unbound")
    if "resolver.conf" in changed and host["role"] == "mail":
        commands.append("systemctl try-restart mailroom-resolver.service 2>/dev/null || true")
    if "resolv.conf" in changed:
        commands.append("mailroom-names")
    if commands:
        engine.run("exec", container(host["name"]), "sh", "-ec", "; ".join(commands))


def wait(engine: Engine, host: state.Record) -> str:
    """Wait until ssh answers; return the host's key, read past the network."""
    deadline = time.monotonic() + READY
    while not state.greets(host["ssh_port"]):
        if time.monotonic() > deadline:
            me = container(host["name"])
            raise LabError(
                f"{host['name']} started, but ssh did not answer within {READY} s.",
                f"Look at: {engine.name} exec {me} journalctl -b -u ssh",
            )
        time.sleep(0.05)
    # Wait until everything else has started too; a unit may fail or hang, as the lab does not judge it.
    script = f"timeout {SETTLED} systemctl is-system-running --wait >/dev/null; cat {HOST_KEY}"
    return " ".join(engine.run("exec", container(host["name"]), "sh", "-c", script).split()[:2])


def remove(engine: Engine, host: state.Record) -> None:
    me = container(host["name"])
    engine.run("rm", "--force", "--volumes", *stop_now(engine), me)
    aptcache.drop(host["suite"], me)


def stop_now(engine: Engine) -> list[str]:
    """A lab host is thrown away, not shut down; Docker's rm --force kills anyway."""
    return ["--time", "0"] if engine.name == "podman" else []
