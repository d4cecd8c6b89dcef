"""SSH to the hosts of the inventory: one connection each, kept, and made again after a rewind."""

from __future__ import annotations

import contextlib
import re
import threading
from dataclasses import dataclass

import paramiko

from checks.engine import ssh
from checks.engine.verdicts import CannotStart
from notebooks.workbench.host import snapshots, where
from notebooks.workbench.show.errors import NotReady

HASH = re.compile(r"(\{[A-Z0-9.-]+\}|SCRAM-SHA-256)\$[A-Za-z0-9$=,./+:_-]{12,}")
KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
_clients: dict[str, paramiko.SSHClient] = {}


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def both(self) -> str:
        return "\n".join(part.rstrip("\n") for part in (self.out, self.err) if part.strip())


def client(on: str = "") -> paramiko.SSHClient:
    """The connection to a host of the lab or of the inventory; the mail host unless named."""
    snapshots.wait()
    here = where.place()
    name = on or here.name
    kept = _clients.get(name)
    transport = kept.get_transport() if kept else None
    if kept and transport and transport.is_active():
        return kept
    forget(name)
    try:
        _clients[name] = ssh.connect(name, here.ssh_config)
    except CannotStart as error:
        remedy = "In a terminal: make up (or python -m lab up)" if here.lab else "Repair the connection."
        raise NotReady(f"{name} cannot be reached.", str(error), remedy, "notebook 00") from None
    return _clients[name]


def forget(name: str = "") -> None:
    """Drop a connection, or all."""
    for one in [name] if name else list(_clients):
        if found := _clients.pop(one, None):
            found.close()


def execute(command: str, *, on: str = "", stdin: str = "", timeout: float = 60.0, raw: bool = False) -> Done:
    """Run a shell command as the inventory's SSH user. What it prints comes back without secrets, unless raw."""
    channel = _session(on)
    with channel:
        channel.settimeout(timeout)
        channel.exec_command(command)
        channel.sendall(stdin.encode())
        channel.shutdown_write()
        errors: list[bytes] = []
        reader = threading.Thread(target=lambda: errors.append(channel.makefile_stderr("rb").read()), daemon=True)
        reader.start()
        try:
            out = channel.makefile("rb").read()
        except TimeoutError:
            raise NotReady(f"No end after {timeout:.0f} s: {command}", "It may wait for something.") from None
        reader.join()
        code = channel.recv_exit_status()
    texts = [out.decode(errors="replace"), b"".join(errors).decode(errors="replace")]
    return Done(code, *(texts if raw else map(masked, texts)))


snapshots.closing.append(forget)


def masked(text: str) -> str:
    """The text without passwords, hashes and private keys: what a notebook shows may be saved and shared."""
    here = where.place()
    with contextlib.suppress(CannotStart):
        text = here.target().scrub(text)
    return KEY.sub("(private key)", HASH.sub(r"\1$(hash)", text))


def _session(on: str) -> paramiko.Channel:
    for attempt in (1, 2):
        transport = client(on).get_transport()
        try:
            assert transport is not None
            return transport.open_session(timeout=10)
        except (AssertionError, EOFError, OSError, paramiko.SSHException):
            # a rewind by somebody else, or a reboot: the connection only looked alive
            forget(on or where.place().name)
            if attempt == 2:
                raise
    raise AssertionError
