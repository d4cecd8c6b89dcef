"""Run commands on a lab host from Python: one ssh connection, kept, instead of one per command."""

import shlex
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lab import state

if TYPE_CHECKING:
    import paramiko


SIGNALLED = 255  # for a command that a signal ended: SSH tells no exit status of it, and ssh says this


@dataclass
class Host:
    """A running lab host. `run` gives what subprocess.run gives; `timeout` is in seconds."""

    name: str
    record: state.Record
    folder: Path = field(
        default=Path(), repr=False
    )  # with its keys: the lab's, or the place of the learner whose host it is
    _client: "paramiko.SSHClient | None" = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.fqdn, self.address, self.suite = (str(self.record[name]) for name in ("fqdn", "address", "suite"))
        if self.folder == Path():
            self.folder = state.of(self.record, "")
        self.address6 = str(self.record.get("address6", ""))  # "" where the lab has no IPv6

    def run(
        self, command: str | list[str], *, check: bool = True, stdin: str = "", timeout: float | None = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command (or the words of one) as root. CalledProcessError: it failed. TimeoutExpired: it has not ended.

        OSError: the host is away; most of these are a ConnectionError that names it. Without `check`, a command that a host took
        along when it went ends with -1.
        """
        import paramiko

        line = command if isinstance(command, str) else shlex.join(command)
        try:
            channel = self.connect().open_session()
            channel.settimeout(timeout)
            channel.exec_command(line)
        except TimeoutError:
            raise
        except (paramiko.SSHException, EOFError, OSError) as error:  # an sshd that goes, or has not come yet
            if isinstance(error, OSError) and not isinstance(error, ConnectionError) and not self.lost():
                raise  # of this machine, such as a key that is not there
            self.close()
            raise ConnectionError(f"{self.name} does not answer by SSH: {error or 'it hung up'}") from error
        out = err = ""
        with ThreadPoolExecutor(1) as pool:  # both outputs at once, or a full one would block the other
            errors = pool.submit(channel.makefile_stderr("rb").read)
            try:
                send(channel, stdin)
                out = channel.makefile("rb").read().decode(errors="replace")
                err = errors.result().decode(errors="replace")
                if not channel.status_event.wait(timeout):  # it closed both, and goes on
                    raise TimeoutError
            except TimeoutError:
                channel.close()
                raise subprocess.TimeoutExpired(line, timeout or 0) from None
            except (EOFError, OSError):
                if not ended(channel.get_transport()):
                    raise
        done = subprocess.CompletedProcess(line, channel.recv_exit_status(), out, err)
        if done.returncode < 0 and not ended(channel.get_transport()):
            done.returncode = SIGNALLED
        if check and done.returncode < 0:
            raise ConnectionError(f"{self.name} hung up before this ended: {line}")
        if check and done.returncode:
            # the output belongs into the message: a test that fails should say why
            raise subprocess.CalledProcessError(done.returncode, line, out, err)
        return done

    def connect(self) -> "paramiko.Transport":
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

    def lost(self) -> bool:
        """Whether there was a connection, and it has ended."""
        transport = self._client.get_transport() if self._client else None
        return transport is not None and not transport.is_active()

    def close(self) -> None:
        if self._client:
            self._client.close()
        self._client = None


def send(channel: "paramiko.Channel", text: str) -> None:
    """Standard input, whole. Raises TimeoutError where the command does not read it; one that has ended need not."""
    try:
        channel.sendall(text.encode())
        channel.shutdown_write()
    except TimeoutError:
        raise
    except (EOFError, OSError):
        pass  # its exit status says how it ended, and whether the host went along


def ended(transport: "paramiko.Transport") -> bool:
    """Whether the connection is at its end, and not just a command of it."""
    transport.join(1)  # it lets go of its channels first, and ends in the next moment
    return not transport.is_active()


def host(name: str) -> Host:
    """A host of the running lab; LabDown where none runs, LabError for an unknown name."""
    return Host(name, state.record(name))
