"""The ground our operations stand on: one reading of the host, kept until something changes."""

import inspect
from collections.abc import Callable, Generator, Iterator
from functools import wraps
from pathlib import PurePosixPath
from string import Formatter
from typing import Any

from pyinfra import host, state
from pyinfra.api import QuoteString, StringCommand, operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.exceptions import OperationError

from facts.mail_host import MailHost, ReadMailHost
from operations import hold

# What an operation yields; it may return why there is nothing to do, where that is worth telling.
Commands = Generator[PyinfraCommand, None, Any]
Given = dict[str, Any]  # an operation's arguments, by name

KEPT = "mailroom.mail_host"
READ = "mailroom.read"
CHANGED = "mailroom.changed"
SAID = "mailroom.said"
TELLS = "mailroom.tells"  # a list: operations say what they were given, and do nothing (deploys/told.py)
# An operation that raises ends in a traceback; a command that fails is reported as any other.
CANNOT = "printf '%s\\n' \"$1\" >&2; exit 1"
# One command at a time, also after a controller that was killed: its last one goes on without it. -o: what a command starts
# does not hold the lock (flock(1)).
ALONE = ("flock", "-o", "-w", str(hold.PATIENCE + 60), hold.COMMAND_LOCK)
# The files of an operation, as its declaration calls them, by how ReadMailHost reads them.
FILES = {"writes": "sums", "reads": "sums", "edits": "texts"}


def look_at(**wanted: Any) -> None:
    """Let `mail_host()` read this, too: arguments of `facts.mail_host.ReadMailHost`. The preflight says it for a whole run, so that
    there is one reading; each operation says the same of itself."""
    read = host.connector_data.get(READ, {})
    if (more := with_more(read, wanted)) != read:
        host.connector_data[READ] = more
        forget()


def with_more(read: Given, wanted: Given) -> Given:
    """Arguments of ReadMailHost for both. A file whose text is read, or that a pattern names, is not named twice."""
    more = dict(read)
    for kind, value in wanted.items():
        there = read.get(kind, ())
        known = (*there, *read.get("texts", ())) if kind == "sums" else there
        if not isinstance(value, str):
            value = [one for one in value if one not in known and not matches(one, known)]
        if value:
            more[kind] = value if isinstance(value, str) else (*there, *value)
    return more


def matches(path: str, patterns: Any) -> bool:
    """Whether one of the shell's patterns names this path."""
    return any(PurePosixPath(path).match(pattern) for pattern in patterns)


def mail_host() -> MailHost:
    """The host as it is now: read once, and again after each change and at the start of the execution."""
    kept = host.connector_data.get(KEPT)
    if kept is None or kept[0] != state.current_stage:
        kept = (state.current_stage, host.get_fact(ReadMailHost, **host.connector_data.get(READ, {})))
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


def warn(text: str) -> None:
    """Tell the operator, once the run acts, and once: an operation may be asked twice (see `changing`)."""
    said = host.connector_data.setdefault(SAID, set())
    if state.is_executing and text not in said:
        said.add(text)
        hold.say(text)


def changing(**touches: str | tuple[str, ...]) -> Callable[[Callable[..., Commands]], Any]:
    """An operation that compares with `mail_host()` and forgets the reading as soon as it changes something.

    `touches` says what it has to know of the host, with its arguments in braces: `writes` are files that it makes, replaces or takes
    away, and whose daemon is restarted when they are new (deploys/paths.py); `edits` are those of which it keeps a part, and none of
    them holds a secret; `reads` are files and directories that no daemon reads. All else is called as ReadMailHost calls it.

    While pyinfra predicts, nothing has changed, so the reading stays. The first difference that is found at execution takes the
    host for this run (operations/hold.py), and is looked at again: another run may have been there in the meantime. An
    OperationError says why nothing can be done.
    """

    def decorate(function: Callable[..., Commands]) -> Any:
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        signature = inspect.signature(function)
        parameters = signature.parameters

        def found(*args: Any, **kwargs: Any) -> Commands:
            try:
                return (yield from function(*args, **kwargs))
            except OperationError as error:
                if state.is_executing:
                    yield shell(CANNOT, str(error))

        @operation()
        @wraps(function)
        def changes(*args: Any, **kwargs: Any) -> Commands:
            given = {**dict(zip(parameters, args, strict=False)), **kwargs}
            look_at(**wanted(acts, given))
            commands, idle = found(*args, **kwargs), True
            while True:
                try:
                    command = next(commands)
                except StopIteration as end:
                    if idle:
                        host.noop(f"{_shown(name, given)}: {end.value or 'as it should be'}")
                    return
                if state.is_executing and hold.HELD not in host.connector_data:
                    if not hold.take():
                        yield shell(hold.HELD_BY_ANOTHER)
                        return
                    forget()
                    commands = found(*args, **kwargs)
                    continue
                if state.is_executing:
                    forget()
                    host.connector_data[CHANGED] = True
                idle = False
                yield command

        @wraps(function)
        def acts(*args: Any, **kwargs: Any) -> Any:
            own = {key: value for key, value in kwargs.items() if key in ("name", *parameters)}
            given = {**dict(zip(parameters, args, strict=False)), **own}
            try:
                signature.bind(*args, **{key: value for key, value in own.items() if key in parameters})
            except TypeError as error:
                raise TypeError(f"{name}: {error}") from None
            if TELLS in host.connector_data:
                return host.connector_data[TELLS].append((acts, given))
            look_at(**wanted(acts, given))  # before the first one is executed, so that all have one reading
            # with a name of its own pyinfra prints no arguments, among which may be a secret
            return changes(*args, **{"name": _shown(name, given), **kwargs})

        vars(acts).update(_inner=changes._inner, touches=touches)
        return acts

    return decorate


def touched(operation: Any, given: Given) -> dict[str, list[str]]:
    """What an operation with these arguments touches: {"writes": ["/etc/aliases"], …}. An argument that is empty names nothing."""
    values = {name: one.default for name, one in inspect.signature(operation).parameters.items()} | given
    templates = {kind: [told] if isinstance(told, str) else told for kind, told in operation.touches.items()}
    return {kind: [one for each in every for one in _filled(each, values)] for kind, every in templates.items()}


def _filled(template: str, values: Given) -> Iterator[str]:
    names = [name.partition(".")[0] for _, name, _, _ in Formatter().parse(template) if name]
    if names and not isinstance(values[names[0]], str):  # "{files}": each of several
        yield from values[names[0]]
    elif all(values[name] for name in names):
        yield template.format(**{name: PurePosixPath(values[name]) for name in names})


def wanted(operation: Any, given: Given) -> Given:
    """The arguments of ReadMailHost by which an operation with these arguments sees what it touches."""
    found: Given = {}
    kinds = inspect.signature(ReadMailHost.command).parameters
    for touch, names in touched(operation, given).items():
        kind = FILES.get(touch, touch)
        if kind == "units":
            names = [name if "." in name else f"{name}.service" for name in names]
        found[kind] = "".join(names) if kinds[kind].default == "" else (*found.get(kind, ()), *names)
    return found


def _shown(name: str, given: Given) -> str:
    """An operation with the first of its arguments, for a reader: "files.put /etc/motd". Texts are left out."""
    first = next(iter(given.values()), "")
    told = first if isinstance(first, str) else ", ".join(map(str, first)) if hasattr(first, "__iter__") else ""
    return f"{name} {told}" if told and "\n" not in told else name


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
