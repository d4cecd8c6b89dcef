"""SSH to the hosts of the inventory: one connection each, kept, and made again after a rewind."""

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

import paramiko

from checks.engine import inventory, ssh
from checks.engine.verdicts import CannotStart
from notebooks.workbench.host import snapshots, where
from notebooks.workbench.show.errors import NotReady

# Those of one pass ({SHA512}, {SSHA256}) have no $ in them.
HASH = re.compile(r"(\{[A-Z0-9.-]+\}|SCRAM-SHA-256)(?:\$[A-Za-z0-9$=,./+:_-]{12,}|[A-Za-z0-9+/=.]{12,})")
KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
TIMEOUT = 60.0  # seconds for one command
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


def session(on: str = "") -> paramiko.Channel:
    """A channel to a host of the lab or of the inventory, the mail host unless named; NotReady where it cannot be reached."""
    snapshots.wait()
    here = where.place()
    name = on or here.name
    # a rewind in a terminal, or a reboot: then the connection that was kept only looks alive
    with contextlib.suppress(KeyError, EOFError, OSError, paramiko.SSHException):
        return _opened(_clients[name])
    forget(name)
    try:
        _clients[name] = ssh.connect(name, _config(here, name))
    except CannotStart as error:
        remedy = "In a terminal: make up (or python -m lab up)" if here.lab else "Repair the connection."
        raise NotReady(f"{name} cannot be reached.", str(error), remedy, "notebook 00") from None
    return _opened(_clients[name])


def _config(here: where.Place, name: str) -> Path:
    """The SSH settings for a host: the lab's have one file, another server of the inventory has its own."""
    known = name == here.name or name in here.lab.get("hosts", {})
    return here.ssh_config if known else inventory.server(name).ssh_config


def _opened(client: paramiko.SSHClient) -> paramiko.Channel:
    if transport := client.get_transport():
        return transport.open_session(timeout=10)
    raise EOFError


def forget(name: str = "") -> None:
    """Drop a connection, or all."""
    for one in [name] if name else list(_clients):
        if found := _clients.pop(one, None):
            found.close()


snapshots.closing.append(forget)


def execute(command: str, *, on: str = "", stdin: str = "", raw: bool = False) -> Done:
    """Run a shell command as the inventory's SSH user. What it prints comes back without secrets, unless raw. NotReady: it does not
    end, or the host goes away meanwhile.
    """
    with session(on) as channel:
        channel.settimeout(TIMEOUT)
        try:  # one after the other: paramiko takes in 2 MB of errors meanwhile
            channel.exec_command(command)
            channel.sendall(stdin.encode())
            channel.shutdown_write()
            parts = [make("rb").read() for make in (channel.makefile, channel.makefile_stderr)]
            code = channel.recv_exit_status()
            if code < 0 and not channel.get_transport().is_active():  # else a signal has ended it
                raise EOFError
        except TimeoutError:
            raise NotReady(f"No end after {TIMEOUT:.0f} s: {command}", "It may wait for something.") from None
        except (OSError, EOFError, paramiko.SSHException):
            away = f"{on or where.place().name} hung up while this ran: {command}"
            why = "It was rebooted, put back or stopped, or sshd has ended. How far the command went is not known."
            raise NotReady(away, why, "Look at the host, and run the cell again.") from None
    texts = [part.decode(errors="replace") for part in parts]
    return Done(code, *(texts if raw else map(masked, texts)))


def masked(text: str) -> str:
    """The text without passwords, hashes and private keys: what a notebook shows may be saved and shared."""
    with contextlib.suppress(CannotStart):
        text = where.place().target().scrub(text)
    return KEY.sub("(private key)", HASH.sub(r"\1$(hash)", text))
