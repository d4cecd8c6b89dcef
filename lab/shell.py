"""Run commands on a lab host from Python: one ssh connection, kept, instead of one per command."""

from __future__ import annotations

import shlex
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lab import names, state
from lab.errors import LabError

if TYPE_CHECKING:
    import paramiko


@dataclass
class Host:
    """A running lab host. `run` gives what subprocess.run gives."""

    name: str
    record: state.Record
    folder: Path = field(default_factory=names.directory, repr=False)  # the lab it belongs to
    _client: paramiko.SSHClient | None = field(default=None, repr=False)

    @property
    def fqdn(self) -> str:
        return str(self.record["fqdn"])

    @property
    def address(self) -> str:
        return str(self.record["address"])

    @property
    def suite(self) -> str:
        return str(self.record["suite"])

    def run(
        self,
        command: str | list[str],
        *,
        check: bool = True,
        stdin: str = "",
        timeout: float | None = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command (or the words of one) as root; CalledProcessError where it fails."""
        line = command if isinstance(command, str) else shlex.join(command)
        channel = self.connect().open_session()
        channel.settimeout(timeout)
        channel.exec_command(line)
        with ThreadPoolExecutor(1) as pool:  # both outputs at once, or a full one would block the other
            errors = pool.submit(channel.makefile_stderr("rb").read)
            try:
                channel.sendall(stdin.encode())
                channel.shutdown_write()
                out = channel.makefile("rb").read().decode(errors="replace")
                err = errors.result().decode(errors="replace")
            except TimeoutError:
                channel.close()
                raise subprocess.TimeoutExpired(line, timeout or 0) from None
        done = subprocess.CompletedProcess(line, channel.recv_exit_status(), out, err)
        if check and done.returncode:
            # the output belongs into the message: a test that fails should say why
            raise subprocess.CalledProcessError(done.returncode, line, out, err)
        return done

    def connect(self) -> paramiko.Transport:
        """The connection; a new one after a rewind or a reboot."""
        import paramiko

        transport = self._client.get_transport() if self._client else None
        if transport and transport.is_active():
            return transport
        self.close()
        client = paramiko.SSHClient()
        client.load_host_keys(str(self.folder / "known_hosts"))
        connection = socket.create_connection(("127.0.0.1", self.record["ssh_port"]), timeout=10)
        # without it each small exchange waits for a delayed acknowledgement
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.connect(
            "127.0.0.1", port=self.record["ssh_port"], username="root", sock=connection,
            key_filename=str(self.folder / "id_ed25519"), look_for_keys=False, allow_agent=False,
        )  # fmt: skip
        self._client = client
        transport = client.get_transport()
        assert transport is not None
        return transport

    def close(self) -> None:
        if self._client:
            self._client.close()
        self._client = None


def host(name: str) -> Host:
    """A host of the running lab; LabDown where none runs, LabError for an unknown name."""
    hosts = state.load()["hosts"]
    if name not in hosts:
        raise LabError(f"The lab has no host {name!r}.", f"It has: {', '.join(hosts)}.")
    return Host(name, hosts[name])
