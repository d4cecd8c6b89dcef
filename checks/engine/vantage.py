"""Where we ask from. A server treats its own address kindly, so we come from another one."""

import socket
from pathlib import Path

import paramiko

from checks.engine import ssh
from checks.engine.verdicts import CannotStart, words


class Direct:
    """From this machine, over TCP."""

    name = "here"

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        return address, port

    def probe(self, address: str, port: int, timeout: float = ssh.PATIENCE) -> str:
        """Why nobody could be reached there; empty when somebody listens."""
        try:
            socket.create_connection((address, port), timeout).close()
        except OSError as error:
            return words(error)
        return ""

    def close(self) -> None:
        pass


class Via:
    """From another host: SSH to it, and every TCP connection starts over there."""

    def __init__(self, name: str, config: Path | None) -> None:
        self.name = name
        self.client = ssh.connect(name, config)
        self.forwards: dict[tuple[str, int], ssh.Forward] = {}

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        forward = self.forwards.get((address, port))
        if forward is None:
            forward = self.forwards[address, port] = ssh.Forward(self.client, address, port)
        return "127.0.0.1", forward.port

    def probe(self, address: str, port: int, timeout: float = ssh.PATIENCE) -> str:
        try:
            ssh.open_channel(self.client, address, port, timeout=timeout).close()
        except paramiko.ChannelException as error:
            if error.code == 1:  # by the SSH server's own rules, nothing to do with the port
                raise CannotStart(
                    f"{self.name} does not forward TCP connections; allow it with "
                    "AllowTcpForwarding in its sshd_config, or use --via direct."
                ) from error
            return error.text
        except (OSError, EOFError, paramiko.SSHException) as error:
            return words(error)
        return ""

    def close(self) -> None:
        for forward in self.forwards.values():
            forward.close()
        self.forwards.clear()
        self.client.close()


Vantage = Direct | Via
