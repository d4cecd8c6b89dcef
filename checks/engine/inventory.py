"""The servers of the inventory. Where a server keeps its mail and its certificate is written there once, for the deploys
and for all who ask the server later: checks, postmaster, notebooks, bench."""

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checks.engine.target import Target, domain_of, read_json
from checks.engine.verdicts import CannotStart

ROOT = Path(__file__).resolve().parents[2]
SSH = {
    "HostName": "ssh_hostname",
    "Port": "ssh_port",
    "User": "ssh_user",
    "IdentityFile": "ssh_key",
    "UserKnownHostsFile": "ssh_known_hosts_file",
}


@dataclass
class Server:
    """A server of the inventory, and what its data says of it. Passwords stay in their files."""

    name: str
    data: dict[str, Any]
    lab: dict[str, Any] = field(default_factory=dict, repr=False)  # lab.json, {} for a server that is not of the lab

    @property
    def fqdn(self) -> str:
        return str(self.data["mail_hostname"] or self.name)

    @property
    def domain(self) -> str:
        return str((self.data["mail_domains"] or [domain_of(self.fqdn)])[0])

    @property
    def address(self) -> str:
        return str(self.lab["hosts"][self.name]["address"] if self.lab else self.data["ssh_hostname"] or self.name)

    @property
    def address6(self) -> str:
        """A lab host's IPv6 address. Raises CannotStart where the lab has no IPv6."""
        if found := self.lab["hosts"][self.name].get("address6"):
            return str(found)
        raise CannotStart(
            "This lab has no IPv6: this machine has it switched off, or the lab is older. `make down`, then `make up`."
        )

    @property
    def client(self) -> str:
        """The lab host from which we connect as a client would; "" to connect from here."""
        return next((name for name, host in self.lab.get("hosts", {}).items() if host["role"] == "client"), "")

    @property
    def world(self) -> str:
        """The lab host that plays the Internet, where there is one."""
        return next((name for name, host in self.lab.get("hosts", {}).items() if host["role"] == "world"), "")

    @functools.cached_property
    def ssh_config(self) -> Path:
        """The lab's, or the inventory's SSH settings as a configuration file."""
        if self.lab:
            return lab_directory() / "ssh_config"
        words = [f"  {word} {self.data[key]}\n" for word, key in SSH.items() if self.data[key]]
        address = "" if self.data["ssh_hostname"] else f"  HostName {self.name}\n"
        folder = Path(tempfile.mkdtemp(prefix="mailroom-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        file = folder / "ssh_config"
        file.write_text(f"Host {self.name}\n{address}{''.join(words)}")
        return file

    def secrets(self, which: str) -> dict[str, str]:
        """The passwords of "accounts" or "secrets", read when they are needed."""
        given = os.environ.get(f"MAILROOM_{which.upper()}_FILE") or self.data[f"{which}_file"]
        return read_json(ROOT / Path(given).expanduser())

    def target(self, via: str = "", *, secrets: bool = True) -> Target:
        """This server as the checks see it: asked from the lab's client, or from here."""
        return Target(
            hostname=self.fqdn,
            address=self.address,
            domain=self.domain,
            domains=tuple(map(str, self.data["mail_domains"] or ())),
            accounts=self.secrets("accounts") if secrets else {},
            secrets=self.secrets("secrets") if secrets else {},
            ssh_host=self.name,
            ssh_config=self.ssh_config,
            via=via or self.client or "direct",
            helo=self.lab["hosts"][self.client]["fqdn"] if self.client else Target.helo,
            hint="Is the lab up? `python -m lab up` sees to it." if self.lab else "",
            mail_home=self.data["mail_home"] or Target.mail_home,
            mail_owner=self.data["mail_owner"] or Target.mail_owner,
            certificate=self.data["tls_certificate"] or Target.certificate,
            key=self.data["tls_key"] or Target.key,
            world=self.world,
        )


def target(name: str = "", via: str = "") -> Target:
    """A server of the inventory, the first unless named: the lab's, where MAILROOM_INVENTORY names no other inventory."""
    return server(name).target(via)


def server(name: str = "") -> Server:
    found = servers()
    if name and name not in found:
        raise CannotStart(f"The inventory has no mail host {name}; it has {', '.join(found)}.")
    return found[name or next(iter(found))]


def servers() -> dict[str, Server]:
    """All servers of the inventory, by name. It is read again when a file that decides has changed."""
    own = os.environ.get("MAILROOM_INVENTORY", "")
    data = sorted((ROOT / "group_data").glob("*.py"))
    files = [ROOT / (own or "inventories/lab.py"), lab_directory() / "lab.json", *data]
    listed = _listed(tuple((str(file), file.stat().st_mtime_ns if file.exists() else 0) for file in files))
    return {name: Server(name, data, lab_of(name, data)) for name, data in listed.items()}


@functools.cache
def _listed(files: tuple[tuple[str, int], ...]) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "inventories.hosts"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if told.returncode:
        why = (told.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CannotStart(f"{why} A server that is in no inventory is named with --hostname.")
    found: dict[str, dict[str, Any]] = json.loads(told.stdout)
    return found


def lab_directory() -> Path:
    return (ROOT / (os.environ.get("MAILROOM_LAB_DIR") or ".lab")).resolve()


def lab_of(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """lab.json, if this server is the lab's: same name, and reached through the port that the lab publishes."""
    try:
        lab: dict[str, Any] = json.loads((lab_directory() / "lab.json").read_text())
    except (OSError, ValueError):
        return {}
    host = lab["hosts"].get(name, {})
    return lab if data["ssh_hostname"] == "127.0.0.1" and host.get("ssh_port") == data["ssh_port"] else {}
