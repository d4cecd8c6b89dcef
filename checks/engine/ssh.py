"""SSH by a configuration file: commands on a host, and TCP connections that start from it."""

import contextlib
import logging
import os
import shlex
import socket
import threading
from pathlib import Path

import paramiko

from checks.engine.verdicts import CannotStart, Failed, words

TIMEOUT = 10.0
PATIENCE = (
    15.0  # seconds for a connection that the SSH host makes: one that thirty learners share may be slow to begin it
)
# A port that refuses is a finding of ours, not a warning on the terminal.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


def connect(name: str, config: Path | None) -> paramiko.SSHClient:
    """Log in to a host as `ssh -F config name` would; raises CannotStart. An unknown or changed host key is refused."""
    settings = paramiko.SSHConfig()
    if config is not None and config.exists():
        settings = paramiko.SSHConfig.from_path(str(config))
    found = settings.lookup(name)
    port = int(found.get("port", 22))
    client = paramiko.SSHClient()
    for file in shlex.split(found.get("userknownhostsfile", "~/.ssh/known_hosts")):
        with contextlib.suppress(OSError):
            client.load_host_keys(os.path.expanduser(file))
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    keys = [os.path.expanduser(file) for file in found.get("identityfile", [])]
    sock = None
    try:
        sock = socket.create_connection((found["hostname"], port), TIMEOUT)
        # Many small packets each way: without this every round trip waits for a delayed ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.connect(
            # The name under which the key is known: paramiko has no HostKeyAlias of its own.
            found.get("hostkeyalias", found["hostname"]),
            port=22 if "hostkeyalias" in found else port,
            username=found.get("user", "root"),
            key_filename=keys or None,  # type: ignore[arg-type] # a list is fine
            look_for_keys=not keys,
            sock=sock,
            timeout=TIMEOUT,
            banner_timeout=TIMEOUT,
            auth_timeout=TIMEOUT,
        )
    except (OSError, paramiko.SSHException) as error:
        client.close()
        if sock is not None:
            sock.close()
        raise CannotStart(
            f"SSH to {name} ({found['hostname']} port {port}) failed: {words(error)}; "
            f"try `ssh{f' -F {config}' if config else ''} {name}`."
        ) from error
    return client


def execute(client: paramiko.SSHClient, command: str, timeout: float = 15.0) -> tuple[int, str]:
    """Run a shell command; its exit code and what it printed, errors included. Raises Failed after `timeout` seconds, and where the
    connection is lost.
    """
    transport, output = client.get_transport(), b""
    try:
        if transport is None:
            raise EOFError
        with transport.open_session(timeout=timeout) as channel:
            channel.settimeout(timeout)
            channel.set_combine_stderr(True)
            channel.exec_command(command)
            while piece := channel.recv(65536):
                output += piece
            code = channel.recv_exit_status()
        if code < 0 and not transport.is_active():  # else a signal has ended it
            raise EOFError
    except TimeoutError as error:
        raise Failed(f"no end after {timeout:.0f} s on the host: {command}") from error
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise Failed(f"the SSH connection was lost, {error or 'the host hung up'}, at: {command}") from error
    return code, output.decode(errors="replace").strip()


class Forward:
    """A port of ours on 127.0.0.1, `port`, whose connections go on, from the SSH host, to one address there."""

    def __init__(self, client: paramiko.SSHClient, address: str, port: int) -> None:
        self.client, self.destination = client, (address, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, peer = self.listener.accept()
            except OSError:  # closed: the forward has ended
                return
            threading.Thread(target=self._serve, args=(sock, peer), daemon=True).start()

    def _serve(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            channel = open_channel(self.client, *self.destination, origin=peer)
        except (OSError, EOFError, paramiko.SSHException):
            sock.close()  # the caller sees what it would: nobody there
            return
        back = threading.Thread(target=_pump, args=(channel, sock), daemon=True)
        back.start()
        _pump(sock, channel)
        back.join()
        with contextlib.suppress(OSError, EOFError):  # the connection may be gone before the channel
            channel.close()
        sock.close()

    def close(self) -> None:
        # shutdown first: close alone would not wake the thread that waits in accept().
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def open_channel(
    client: paramiko.SSHClient,
    address: str,
    port: int,
    origin: tuple[str, int] = ("127.0.0.1", 0),
    timeout: float = PATIENCE,
) -> paramiko.Channel:
    """A TCP connection made by the SSH host; raises ChannelException when it cannot be made."""
    transport = client.get_transport()
    if transport is None:
        raise OSError("the SSH connection is gone")
    return transport.open_channel("direct-tcpip", (address, port), origin, timeout=timeout)


def _pump(source: socket.socket | paramiko.Channel, sink: socket.socket | paramiko.Channel) -> None:
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
    except (OSError, EOFError):
        pass
    with contextlib.suppress(OSError, EOFError):
        if isinstance(sink, paramiko.Channel):
            sink.shutdown_write()
        else:
            sink.shutdown(socket.SHUT_WR)
