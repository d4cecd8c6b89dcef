"""The lab's files: what it is (lab.json), how to reach it, and the secrets it made for itself."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import names, tools
from lab.errors import LabDown

Record = dict[str, Any]  # one host of lab.json
RUN_THIS = "Run `make up`, or `python -m lab up` for bare hosts."


def path(name: str) -> Path:
    return names.directory() / name


@contextmanager
def locked() -> Iterator[None]:
    """One lab command at a time changes the lab; a second one waits."""
    names.directory().mkdir(parents=True, exist_ok=True, mode=0o700)
    with path("lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write(name: str, text: str, mode: int = 0o644) -> None:
    """Replace the file at once; it is never readable by others, not even for a moment."""
    new = path(f".{name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    new.chmod(mode)
    new.rename(path(name))


def as_json(data: Any) -> str:
    return json.dumps(data, indent=2) + "\n"


def load() -> dict[str, Any]:
    """lab.json of the running lab; LabDown with what to run where there is none."""
    try:
        lab: dict[str, Any] = json.loads(path("lab.json").read_text())
    except FileNotFoundError:
        raise LabDown("No lab is up.", RUN_THIS) from None
    for host in lab["hosts"].values():
        # A reboot of this machine stops the hosts and leaves the file.
        # Refused at once where it is down, so that patience is for a busy host only.
        if not greets(host["ssh_port"], patience=15):
            what = f"The lab's host {host['name']} does not answer on 127.0.0.1:{host['ssh_port']}."
            raise LabDown(what, RUN_THIS)
    return lab


def described() -> list[Record]:
    """The hosts of lab.json, whether they answer or not; none where there is no lab."""
    if not path("lab.json").exists():
        return []
    return list(json.loads(path("lab.json").read_text())["hosts"].values())


def greets(port: int, patience: float = 2) -> bool:
    """Whether ssh answers there. A published port may accept before the guest does: listen for it."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
            # send a name and close properly, or the host logs an error
            connection.sendall(b"SSH-2.0-lab\r\n")
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def make_secrets() -> None:
    """The ssh key, the account passwords and the service passwords: made once, kept over down."""
    if not path("id_ed25519").exists():
        tools.need_ssh()
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "mailroom-lab"]
        subprocess.run([*command, "-f", str(path("id_ed25519"))], check=True)
    accounts = [f"foo@{names.DOMAIN}", f"bar@{names.DOMAIN}"]
    for name, keys in (("accounts.json", accounts), ("secrets.json", ["mailreader"])):
        if not path(name).exists():
            write(name, as_json({key: secrets.token_urlsafe(15) for key in keys}), mode=0o600)


def save(lab: dict[str, Any], host_keys: dict[str, str]) -> None:
    """Write lab.json and the two ssh files for these hosts. lab.json last: with it, the lab is up."""
    hosts = lab["hosts"].values()
    write("known_hosts", known_hosts({h["ssh_port"]: host_keys[h["name"]] for h in hosts}))
    write("ssh_config", "".join(ssh_stanza(host) for host in hosts))
    write("lab.json", as_json(lab))


def ssh_stanza(host: Record) -> str:
    # absolute paths, so that it works from any folder; quoted, for a folder with a space in its name
    return (
        f"Host {host['name']} {host['fqdn']}\n"
        f"  HostName 127.0.0.1\n  Port {host['ssh_port']}\n  User root\n"
        f'  IdentityFile "{path("id_ed25519")}"\n  IdentitiesOnly yes\n'
        f'  UserKnownHostsFile "{path("known_hosts")}"\n  StrictHostKeyChecking yes\n'
        "  LogLevel ERROR\n"
    )


def known_keys() -> dict[int, str]:
    """The host keys recorded so far, by port."""
    if not path("known_hosts").exists():
        return {}
    lines = path("known_hosts").read_text().splitlines()
    pairs = (line.split(" ", 1) for line in lines)
    return {int(where.rsplit(":", 1)[1]): key for where, key in pairs}


def know(host: Record, key: str) -> None:
    """Record the key of a host that was put back to another image."""
    keys = known_keys() | {host["ssh_port"]: key}
    write("known_hosts", known_hosts(keys))


def known_hosts(keys: dict[int, str]) -> str:
    return "".join(f"[127.0.0.1]:{port} {key}\n" for port, key in keys.items())


def forget_hosts() -> None:
    for name in ("lab.json", "ssh_config", "known_hosts"):
        path(name).unlink(missing_ok=True)


def forget_mounted() -> None:
    shutil.rmtree(path("guest"), ignore_errors=True)


def forget_all() -> None:
    shutil.rmtree(names.directory(), ignore_errors=True)
