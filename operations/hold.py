"""One run at a time changes a host. Who comes second waits, and is told for whom.

The lock is held by a process of its own on the run's connection. It ends with the connection, so a controller that was killed
holds nothing. A command that such a controller left running is waited for too (`COMMAND_LOCK`, taken by each command).
"""

import getpass
import socket
import subprocess
from typing import IO

from pyinfra import host, logger, state
from pyinfra.api import QuoteString, StringCommand
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS
from pyinfra.connectors.util import make_unix_command_for_host

HELD = "mailroom.held"
LOCK = "/run/mailroom.lock"
COMMAND_LOCK = "/run/mailroom.command"
PATIENCE = 900  # seconds

# flock(1) on the whole run; then what killed runs left behind goes, as nobody can be using it: candidates of files by their
# name, and locks of useradd and its kin whose process is gone (they hold a number that another process may have by now).
# /run/mailroom.unproven says that something has changed and nobody has asked since whether all serves.
HOLD = f"""umask 077
exec 9>>{LOCK}
if ! flock -n 9; then
    printf 'held %s\\n' "$(cat {LOCK})"
    flock -w "$2" 9 || {{ echo timeout; exit 0; }}
fi
printf '%s since %s' "$1" "$(date '+%F %T %Z')" >{LOCK} || : # a full /run keeps nobody's name
touch /run/mailroom.unproven || :
flock -o -w 600 {COMMAND_LOCK} sh -c '
    rm -rf /etc/postfix/.mailroom.*
    find /etc /usr/local/lib/mailroom /var/lib/clamav /var/lib/pgsql/data -xdev -name "*.mailroom.??????*" -type f -delete
    for file in /etc/passwd.lock /etc/group.lock /etc/shadow.lock /etc/gshadow.lock; do
        [ -f $file ] || continue
        case $(cat /proc/$(tr -dc 0-9 <$file)/comm) in
        *user* | *group* | *passwd* | vipw | vigr | chage | chfn | chsh) ;;
        *) rm -f $file ;;
        esac
    done
' 2>/dev/null || :
echo taken
exec cat >/dev/null
"""

# An operation that raises would end in a traceback; a command that fails is reported as any other.
HELD_BY_ANOTHER = 'echo "another run holds this host; nothing was changed by this one" >&2; exit 1'


def take() -> bool:
    """Hold this host until the run ends, after whoever holds it now. False where somebody held it for too long; the reason is said."""
    if HELD in host.connector_data:
        return True
    lines = _started()
    if lines is None:  # a connector without a connection of its own: docker, for instance
        host.connector_data[HELD] = None
        return True
    stream, kept = lines
    line = stream.readline().strip()
    if line.startswith("held "):
        who = line.removeprefix("held ") or "another run"
        say(f"{who} is changing this host; waiting for the end of that run, up to {PATIENCE // 60} minutes")
        line = stream.readline().strip()
        if line == "taken":
            say(
                "that run has ended; what this one has compared before is from the time before: run it once more to be sure"
            )
    if line != "taken":
        why = (
            "it did not end in time; nothing was changed by this run"
            if line == "timeout"
            else f"{LOCK} cannot be held: {line}"
        )
        say(f"{why}. `cat {LOCK}` on the host says who it is, `fuser -v {LOCK}` by which process")
        return False
    host.connector_data[HELD] = kept
    return True


def release() -> None:
    """Let others in before the connection ends: for a program that keeps its connection for the next run."""
    kept = host.connector_data.pop(HELD, None)
    if isinstance(kept, subprocess.Popen):
        kept.communicate()
    elif kept is not None:
        kept.shutdown_write()
        kept.recv_exit_status()


def _started() -> tuple[IO[str], object] | None:
    me = f"{getpass.getuser()} on {socket.gethostname()}"
    words = [QuoteString(value) for value in ("mailroom", me, str(PATIENCE))]
    command = StringCommand("sh", "-euc", QuoteString(HOLD), *words)
    given = dict(host.current_op_global_arguments or {})
    given = {
        key: value
        for key, value in given.items()
        if key in CONNECTOR_ARGUMENT_KEYS and not key.startswith(("_std", "_succ", "_get", "_time"))
    }
    line = make_unix_command_for_host(state, host, command, **given).get_raw_value()
    client = getattr(host.connector, "client", None)
    if client is not None and hasattr(client, "get_transport"):
        channel = client.get_transport().open_session()
        channel.set_combine_stderr(True)
        channel.exec_command(line)
        return channel.makefile("r"), channel
    if type(host.connector).__name__ == "LocalConnector":
        process = subprocess.Popen(
            line, shell=True, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert process.stdout is not None
        return process.stdout, process
    return None


def say(text: str) -> None:
    """A line for the operator."""
    host.log_styled(text, fg="yellow", log_func=logger.warning)
