"""The lab's files: what it is (lab.json), how to reach it, and the secrets it made for itself."""

import fcntl
import json
import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import names, tools
from lab.errors import LabDown, LabError
from lab.progress import say

Record = dict[str, Any]  # one host of lab.json
WAITING = "waiting for another lab command, or for the end of a notebook's cell (one that started this itself has to be stopped)"
RUN_THIS = "Run `make up`, or `python -m lab up` for bare hosts."
RUN_THE_CLASS = "`make class` starts the hosts of a class again, with all that is on them."


def path(name: str) -> Path:
    return names.directory() / name


def of(host: Record, name: str) -> Path:
    """A file that belongs to this host: the lab's own, or that of the learner's place (lab/places.py)."""
    return names.home() / host.get("place", "") / name


def guest() -> Path:
    """What is mounted into the guests."""
    return names.home() / "guest"


@contextmanager
def locked(folder: Path | None = None) -> Iterator[None]:
    """One lab command at a time changes the lab; a second one waits, also for each cell that works with the lab's hosts."""
    folder = folder or names.directory()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(WAITING)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write(name: str, text: str, mode: int = 0o644, folder: Path | None = None) -> None:
    """Replace the file at once; it is never readable by others, not even for a moment."""
    folder = folder or names.directory()
    new = folder / f".{name}.new"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    new.chmod(mode)
    new.rename(folder / name)


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
            raise LabDown(what, RUN_THE_CLASS if names.home().joinpath(names.CLASS).exists() else RUN_THIS)
    return lab


def record(name: str) -> Record:
    """A host of the running lab; LabDown where none runs, LabError for an unknown name."""
    hosts = load()["hosts"]
    if name not in hosts:
        raise LabError(f"The lab has no host {name!r}.", f"It has: {', '.join(hosts)}.")
    return dict(hosts[name])


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


def published() -> dict[str, str]:
    """The texts that the world's DNS has beside the lab's own names, by name."""
    file = names.home() / "records.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def make_secrets(folder: Path | None = None, domain: str = names.DOMAIN) -> None:
    """The ssh key, the account passwords and the service passwords: made once, kept over down."""
    folder = folder or names.directory()
    if not (folder / "id_ed25519").exists():
        tools.need(tools.SSH, "to reach the lab's hosts")
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "mailroom-lab"]
        subprocess.run([*command, "-f", str(folder / "id_ed25519")], check=True)
    accounts = [f"foo@{domain}", f"bar@{domain}"]
    for name, keys in (("accounts.json", accounts), ("secrets.json", ["mailreader", "relayhost", "acme_dns"])):
        if not (folder / name).exists():
            # no signs: a learner types them behind options, where one that begins with "-" would be an option. 24 letters and digits
            # are base64, too, as the third has to be
            write(name, as_json({key: secrets.token_hex(12) for key in keys}), mode=0o600, folder=folder)


def save(lab: dict[str, Any], host_keys: dict[str, str]) -> None:
    """Write lab.json and the two ssh files for these hosts. lab.json last: with it, the lab is up."""
    hosts = lab["hosts"].values()
    write("known_hosts", known_hosts({h["ssh_port"]: host_keys[h["name"]] for h in hosts}))
    write("ssh_config", "".join(ssh_stanza(host) for host in hosts))
    write("lab.json", as_json(lab))


def forget(name: str) -> None:
    """The same files without this host. Where a killed run left no lab.json, the next `up` writes them."""
    if not path("lab.json").exists():
        return
    lab, known = json.loads(path("lab.json").read_text()), known_keys()
    lab["hosts"].pop(name, None)
    if not lab["hosts"]:
        path("lab.json").unlink()
        return
    lab["suite"] = next(iter(lab["hosts"].values()))["suite"]
    save(lab, {name: known[host["ssh_port"]] for name, host in lab["hosts"].items()})


def ssh_stanza(host: Record, user: str = "root", keeper: Record | None = None) -> str:
    """How ssh reaches the host, by its own key, or by that of another host's keeper."""
    keeper = keeper or host
    # absolute paths, so that it works from any folder; quoted, for a folder with a space in its name
    return (
        f"Host {host['name']} {host['fqdn']}\n"
        f"  HostName 127.0.0.1\n  Port {host['ssh_port']}\n  User {user}\n"
        f'  IdentityFile "{of(keeper, "id_ed25519")}"\n  IdentitiesOnly yes\n'
        f'  UserKnownHostsFile "{of(keeper, "known_hosts")}"\n  StrictHostKeyChecking yes\n'
        "  LogLevel ERROR\n"
    )


def known_keys(folder: Path | None = None) -> dict[int, str]:
    """The host keys recorded so far, by port."""
    file = (folder or names.directory()) / "known_hosts"
    if not file.exists():
        return {}
    pairs = (line.split(" ", 1) for line in file.read_text().splitlines())
    return {int(where.rsplit(":", 1)[1]): key for where, key in pairs}


def know(host: Record, key: str) -> None:
    """Record the key of a host that was put back to another image, in the lab and in each learner's place that knows the host."""
    with (names.home() / "keys").open("w") as lock:  # two learners may rewind at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        for folder in (names.home(), *(file.parent for file in names.home().glob(f"*/*/{names.PLACE}"))):
            keys = known_keys(folder)
            if folder == names.home() or host["ssh_port"] in keys:
                write("known_hosts", known_hosts(keys | {host["ssh_port"]: key}), folder=folder)


def known_hosts(keys: dict[int, str]) -> str:
    return "".join(f"[127.0.0.1]:{port} {key}\n" for port, key in keys.items())
