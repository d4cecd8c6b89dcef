"""The ground our operations stand on: one reading of the host, kept until something changes."""

from collections.abc import Callable, Generator
from functools import wraps
from typing import Any

from pyinfra import host, state
from pyinfra.api import QuoteString, StringCommand, operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.exceptions import OperationError

from facts.mail_host import MailHost, ReadMailHost
from operations import hold

Commands = Generator[PyinfraCommand, None, None]  # what an operation yields

KEPT = "mailroom.mail_host"
PLACES = "mailroom.places"
CHANGED = "mailroom.changed"
# An operation that raises ends in a traceback; a command that fails is reported as any other.
CANNOT = "printf '%s\\n' \"$1\" >&2; exit 1"
# One command at a time, also after a controller that was killed: its last one goes on without it. -o: what a command starts
# does not hold the lock (flock(1)).
ALONE = ("flock", "-o", "-w", str(hold.PATIENCE + 60), hold.COMMAND_LOCK)


def look_at(**places: Any) -> None:
    """Say what `mail_host()` shall read: the arguments of `facts.mail_host.ReadMailHost`. Set once a run, by the preflight."""
    host.connector_data[PLACES] = places


def mail_host() -> MailHost:
    """The host as it is now: read once, and again after each change and at the start of the execution."""
    kept = host.connector_data.get(KEPT)
    if kept is None or kept[0] != state.current_stage:
        kept = (state.current_stage, host.get_fact(ReadMailHost, **host.connector_data[PLACES]))
        host.connector_data[KEPT] = kept
    return kept[1]


def forget() -> None:
    """The host has changed: the next question reads it again."""
    host.connector_data.pop(KEPT, None)


def changed() -> bool:
    """Whether something on the host was changed and nobody has asked since whether it serves."""
    return bool(host.connector_data.get(CHANGED) or "unproven" in mail_host().system)


def proven() -> None:
    """Everything was asked, and serves."""
    host.connector_data.pop(CHANGED, None)


def writes(*paths: str) -> Callable[[Any], Any]:
    """Which files an operation makes, replaces or takes away: @writes("{path}"), with its arguments in braces. The one reading of
    a host reads what the operations name; the daemon that reads such a file is restarted when it is new (deploys/paths.py).
    """
    return _says("writes", paths)


def edits(*paths: str) -> Callable[[Any], Any]:
    """Files that an operation writes, and whose text it has to know, since it keeps what is there. None of them holds a secret."""
    return _says("edits", paths)


def reads(*paths: str) -> Callable[[Any], Any]:
    """Files and directories that an operation looks at, and no daemon reads."""
    return _says("reads", paths)


def _says(kind: str, paths: tuple[str, ...]) -> Callable[[Any], Any]:
    def marked(operation: Any) -> Any:
        vars(operation).setdefault("files", []).extend((kind, path) for path in paths)
        return operation

    return marked


def changing(function: Callable[..., Commands]) -> Callable[..., Any]:
    """An operation that compares with `mail_host()` and forgets the reading as soon as it changes something.

    While pyinfra predicts, nothing has changed, so the reading stays. The first difference that is found at execution takes the
    host for this run (operations/hold.py), and is looked at again: another run may have been there in the meantime. An
    OperationError says why nothing can be done.
    """

    def found(*args: Any, **kwargs: Any) -> Commands:
        try:
            yield from function(*args, **kwargs)
        except OperationError as error:
            if state.is_executing:
                yield shell(CANNOT, str(error))

    @operation()
    @wraps(function)
    def changes(*args: Any, **kwargs: Any) -> Commands:
        if state.is_executing and hold.HELD not in host.connector_data:
            for _ in found(*args, **kwargs):
                if not hold.take():
                    yield shell(hold.HELD_BY_ANOTHER)
                    return
                forget()
                break
        for command in found(*args, **kwargs):
            if state.is_executing:
                forget()
                host.connector_data[CHANGED] = True
            yield command

    return changes


def shell(script: str, *values: str, stdin: str | None = None) -> StringCommand:
    """One remote command: `script` reads `values` as $1, $2, … and `stdin` as its standard input.

    Values are quoted here and nowhere else. A secret belongs in `stdin`, never in a value: values are seen in the
    host's process list and in pyinfra's output.
    """
    words = [QuoteString(value) for value in ("mailroom", *values)]
    command = StringCommand(*ALONE, "sh", "-euc", QuoteString(script), *words)
    if stdin is not None:
        command.connector_arguments["_stdin"] = stdin
    return command
