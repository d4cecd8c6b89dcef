"""Which host the cells touch, how to reach it, and whether it may be changed."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import checks
from checks.engine.target import domain_of, read_json
from notebooks.workbench.host import worker
from notebooks.workbench.show.errors import NotAllowed, NotReady

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Place:
    """A host of the inventory, and what the runbook knows of it. Passwords stay in their files."""

    name: str
    data: dict[str, Any]
    steps: list[dict[str, Any]] = field(repr=False)
    others: list[str]
    lab: dict[str, Any] = field(repr=False)  # lab.json, {} for a host that is not of the lab
    ssh_config: Path = Path()

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
    def client(self) -> str:
        """The lab host from which we connect as a client would; "" to connect from here."""
        hosts = self.lab.get("hosts", {}).values()
        return next((str(host["name"]) for host in hosts if host["role"] == "client"), "")

    @property
    def kind(self) -> str:
        return "LAB" if self.lab else "PRODUCTION"

    def secrets(self, which: str) -> dict[str, str]:
        """The passwords of "accounts" or "secrets", read when they are needed."""
        given = os.environ.get(f"MAILROOM_{which.upper()}_FILE") or self.data[f"{which}_file"]
        return read_json(ROOT / Path(given).expanduser())

    def target(self, via: str | None = None) -> checks.Target:
        """The same host as the checks see it: asked from the lab's client, or from here."""
        return checks.Target(
            hostname=self.fqdn,
            address=self.address,
            domain=self.domain,
            accounts=self.secrets("accounts"),
            secrets=self.secrets("secrets"),
            ssh_host=self.name,
            ssh_config=self.ssh_config,
            via=(self.client if via is None else via) or "direct",
            mail_base=self.data["mail_home"],
            mail_owner=self.data["mail_owner"],
        )


_now: list[Place] = []
_allowed: set[str] = set()


def place() -> Place:
    """The host of this notebook: the one chosen with use(), else the inventory's first."""
    return _now[0] if _now else use()


def use(name: str = "") -> Place:
    """Choose a host of the inventory by its name; else the one that MAILROOM_HOST names, else the first."""
    name = name or os.environ.get("MAILROOM_HOST", "")
    try:
        found = worker.ask("describe", host=name)
    except worker.Refused as refused:
        why = str(refused).splitlines()[-1]
        raise NotReady(
            "There is no host to work on.", why, "In a terminal: make up (or python -m lab up)", "notebook 00"
        ) from None
    data = next(host for host in found["hosts"] if host["name"] == found["host"])
    chosen = Place(found["host"], data, found["steps"], [host["name"] for host in found["hosts"]], _lab(data))
    chosen.ssh_config = lab_directory() / "ssh_config" if chosen.lab else _own_ssh_config(chosen)
    _now[:] = [chosen]
    return chosen


def allow(name: str) -> str:
    """Opt in to changing a host that is not of the lab; the name has to be typed in full."""
    here = place()
    if name not in (here.name, here.fqdn):
        raise NotAllowed(f"{name} is not the host of this notebook.", f"It works on {here.name} ({here.fqdn}).")
    _allowed.add(here.name)
    return f"{here.fqdn} may be changed from this notebook, until its kernel ends."


def may_change(here: Place) -> None:
    """Raise NotAllowed for a production host that nobody has opted in to."""
    if not here.lab and here.name not in _allowed:
        raise NotAllowed(
            f"{here.fqdn} is not a lab host; nothing was changed.",
            "apply() changes a server that people may depend on.",
            f'If you mean it: allow("{here.fqdn}"), then apply() again. plan() is always safe.',
            "docs/your-own-server.md",
        )


def lab_only(here: Place, what: str) -> None:
    if not here.lab:
        raise NotAllowed(f"{what} is for lab hosts; {here.fqdn} is none.", "It throws away what is on the host.")


def lab_directory() -> Path:
    return (ROOT / (os.environ.get("MAILROOM_LAB_DIR") or ".lab")).resolve()


def log_directory(here: Place) -> Path:
    """Where the logs of apply go: the lab's folder, or .runbook for other hosts."""
    folder = (lab_directory() if here.lab else ROOT / ".runbook") / "log" / here.name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _lab(data: dict[str, Any]) -> dict[str, Any]:
    """lab.json, if this host is the lab's: same name, and reached through the port that the lab publishes."""
    try:
        lab = json.loads((lab_directory() / "lab.json").read_text())
    except (OSError, ValueError):
        return {}
    host = lab["hosts"].get(data["name"], {})
    ours = data["ssh_hostname"] == "127.0.0.1" and host.get("ssh_port") == data["ssh_port"]
    return lab if ours else {}


def _own_ssh_config(here: Place) -> Path:
    """The inventory's SSH settings as a configuration file, for the checks and for ourselves."""
    words = {
        "HostName": here.data["ssh_hostname"] or here.name,
        "Port": here.data["ssh_port"],
        "User": here.data["ssh_user"],
        "IdentityFile": here.data["ssh_key"],
        "UserKnownHostsFile": here.data["ssh_known_hosts_file"],
    }
    text = f"Host {here.name}\n" + "".join(f"  {key} {value}\n" for key, value in words.items() if value)
    file = Path(tempfile.mkdtemp(prefix="mailroom-")) / "ssh_config"
    file.write_text(text)
    return file
