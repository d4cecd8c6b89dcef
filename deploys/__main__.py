"""python -m deploys dovecot: what `pyinfra inventory.py deploys/dovecot.py -y` does, with a line for each step; a log has the rest."""

from deploys import running  # isort: skip  # first of all: it patches the standard library

import argparse
import io
import logging
import os
import signal
import sys
import time
import traceback
from collections import Counter
from datetime import datetime
from pathlib import Path
from textwrap import wrap

import click
import gevent
import pyinfra
from paramiko import SSHException
from pyinfra.api import Host, State
from pyinfra.api.connect import connect_all
from pyinfra.api.exceptions import InventoryError, PyinfraError
from pyinfra.api.operations import run_ops
from pyinfra.api.state import BaseStateCallback, StateStage
from pyinfra_cli.exceptions import UnexpectedExternalError
from pyinfra_cli.util import load_deploy_file
from rich.console import Console
from rich.status import Status
from rich.text import Text

WIDTH = 80  # a newcomer's terminal, and a log's
ENOUGH = 12  # lines of what a command said before it failed
AGAIN = "Fix that, and run the same command again: what is done already is not done twice."


class Said(logging.Handler):
    """pyinfra's own words: all of them into the log, warnings to the reader, and errors kept until it is known what failed."""

    def __init__(self, log: Path, console: Console) -> None:
        super().__init__()
        self.file, self.console = log.open("w", encoding="utf-8", errors="backslashreplace"), console
        self.errors: list[tuple[str, str]] = []  # the host's name, or "" where it is about none; a line
        self.prefixes: dict[str, str] = {}  # "[mx1] ", as pyinfra begins a line about a host: its name

    def emit(self, record: logging.LogRecord) -> None:
        text = click.unstyle(record.getMessage())
        print(text, file=self.file, flush=True)
        if record.levelno < logging.WARNING:
            return
        prefix, name = next((one for one in self.prefixes.items() if text.startswith(one[0])), ("", ""))
        text = text.removeprefix(prefix).strip()
        if record.levelno >= logging.ERROR:
            if not text.startswith("Error: executed "):  # pyinfra counts the commands that went before
                self.errors += [(name, line) for line in text.splitlines()]
            return
        where = f"{name}: " if len(self.prefixes) > 1 and name else ""
        lines = [text]
        if text.startswith("Error (ignored"):  # the run goes on, and what it was about is worth a word
            lines = [line for about, line in self.errors if about == name]
            self.errors = [one for one in self.errors if one[0] != name]
        for line in lines:
            paragraph(self.console, "  ! ", f"{where}{line}", "yellow")

    def about(self, host: Host) -> list[str]:
        return [line for name, line in self.errors if name in ("", host.name)]


class Steps(BaseStateCallback):
    """A line for each step, once it has ended."""

    def __init__(self, console: Console, status: Status) -> None:
        self.console, self.status = console, status
        self.step, self.begun, self.started = "", 0.0, time.monotonic()
        self.here, self.total = Counter[str](), Counter[str]()
        self.at: dict[Host, str] = {}  # by host: its operation, the last one that it began
        self.broken = False  # the step that runs now, on any host

    # pyinfra declares these static, and calls them on the object
    def operation_start(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        step, name = running.title_of(state, op_hash)
        if (step or name) != self.step:
            self.end()
            self.step, self.begun = step or name, time.monotonic()
        self.status.update(shortened(f"{step}: {name}" if step else name, self.console.width - 4))

    def operation_host_start(self, state: State, host: Host, op_hash: str) -> None:  # type: ignore[override]
        self.at[host] = op_hash

    def operation_end(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        for host in state.inventory.get_active_hosts():
            if op_hash in state.ops[host]:
                self.here["changed" if state.ops[host][op_hash].operation_meta.did_change() else "same"] += 1

    def operation_host_error(  # type: ignore[override]
        self, state: State, host: Host, op_hash: str, retry_count: int = 0, max_retries: int = 0
    ) -> None:
        self.broken = True

    def end(self) -> None:
        """Print the step's line. One that failed has none: what failed is told in full. Other hosts go on after it."""
        if self.step and not self.broken:
            done = f"{self.here['changed']} changed" if self.here["changed"] else "as it was"
            seconds = f"{time.monotonic() - self.begun:.1f} s"
            line = Text(f"  {shortened(self.step, 50):<51}")
            line.append(f"{done:>12}", "" if self.here["changed"] else "dim").append(f"{seconds:>10}", "dim")
            self.console.print(line)
        self.total += self.here
        self.step, self.here, self.broken = "", Counter(), False


def shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def paragraph(console: Console, first: str, text: str, style: str = "") -> None:
    """Text in lines that are no wider than the terminal, the later ones under the first one's words."""
    indent = " " * len(first)
    for line in wrap(
        text, max(console.width, 40), initial_indent=first, subsequent_indent=indent, break_on_hyphens=False
    ) or [first.rstrip()]:
        console.print(Text(line, style))


def trouble(console: Console, what: str, where: str, why: list[str], then: str) -> None:
    """What failed, where, what was said about it, and what to do."""
    paragraph(console, "✖ ", what, "bold red")
    paragraph(console, "  Where: ", where)
    for number, line in enumerate([*dict.fromkeys(why)][-ENOUGH:] or ["it gave no reason"]):
        paragraph(console, "         " if number else "  Why:   ", line)
    paragraph(console, "  Next:  ", then)


def log_file(deploy: str) -> Path:
    """A new file, in the lab's folder or, where MAILROOM_INVENTORY names other hosts, in .runbook; others may not read it."""
    own = os.environ.get("MAILROOM_INVENTORY")
    folder = running.ROOT / (".runbook" if own else os.environ.get("MAILROOM_LAB_DIR") or ".lab") / "log"
    for one in (folder.parent, folder):  # the mode is the last one's
        one.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = folder / f"{datetime.now():%Y%m%d-%H%M%S}-{deploy}.log"
    log.touch(mode=0o600)
    return log


def run(deploy: str, console: Console, said: Said) -> int:
    """The deploy, on all hosts of the inventory. 0 where all went well on all of them."""
    at, state = f"deploys/{deploy}.py", None
    try:
        with running.begun(predict=False) as state:
            if not len(state.inventory):
                raise InventoryError("It has no host. `mail` is a list of them: docs/your-own-server.md")
            hosts = ", ".join(host.name for host in state.inventory)
            console.print(Text(f"{at} on {hosts}", "bold"))
            said.prefixes = {click.unstyle(host.print_prefix): host.name for host in state.inventory}
            with console.status("connecting") as status:
                steps = Steps(console, status)
                try:
                    execute(state, at, steps)
                except (PyinfraError, UnexpectedExternalError) as error:
                    if state.active_hosts or not state.failed_hosts:  # pyinfra ends so where no host is left
                        raise
                    said.file.write(f"{cause_of(error)}\n")
                    steps.broken = True  # also where no operation failed, but the connection in the middle of one
            steps.end()
            # of those that the preflight refused state.failed_hosts has a stand-in
            for host in set(state.inventory) - state.active_hosts:
                told(console, state, host, steps, at, said.about(host))
            seconds = time.monotonic() - steps.started
            changed, same = steps.total["changed"], steps.total["same"]
            if steps.total:
                console.print(Text(f"{changed} changed, {same} as they were, in {seconds:.0f} s", "bold"))
            return 1 if state.failed_hosts else 0
    except Exception as error:  # an error of ours is no riddle either
        cause = cause_of(error)
        traceback.print_exception(cause, file=said.file)
        if state is None or isinstance(error, InventoryError):
            file = os.environ.get("MAILROOM_INVENTORY") or "inventories/lab.py"
            why = str(error) if isinstance(error, InventoryError) else f"{type(cause).__name__}: {cause}"
            trouble(console, f"{at} was not run; nothing was changed", f"the inventory, {file}", [why], AGAIN)
            return 1
        if isinstance(cause, EOFError | SSHException):  # as paramiko says it of a connection that is gone
            trouble(console, "the connection to a host was lost", at, [str(cause) or "it hung up"], AGAIN)
            return 1
        then = "Please report it with the log. The same command again does no harm."
        trouble(console, "an error of mailroom's own", at, [f"{type(cause).__name__}: {cause}"], then)
    return 1


def cause_of(error: Exception) -> Exception:
    """What a file of ours or of the operator's has raised; pyinfra's wrapper around it has no words of its own."""
    return error.exception if isinstance(error, UnexpectedExternalError) else error


def execute(state: State, at: str, steps: Steps) -> None:
    """What pyinfra's own command does with -y."""
    state.add_callback_handler(steps)
    state.set_stage(StateStage.Connect)
    connect_all(state)
    steps.status.update("reading the host")
    state.set_stage(StateStage.Prepare)
    load_deploy_file(state, at)
    state.set_stage(StateStage.Execute)
    run_ops(state)


def told(console: Console, state: State, host: Host, steps: Steps, at: str, errors: list[str]) -> None:
    """What became of a host on which the run ended early."""
    if host in steps.at:
        step, name = running.title_of(state, steps.at[host])
        trouble(console, name, ", ".join(filter(None, [host.name, step])), errors, AGAIN)
    else:
        what = f"{at} was not run on {host.name}; nothing was changed there"
        trouble(console, what, f"{host.name}, before the first step", errors, AGAIN)


def stopped() -> None:
    """^C ends the run, whoever was about to do something. Python's own way raises it in the greenlet that runs just now: a connection
    that is being made would fail by it, and the run would go on. https://www.gevent.org/api/gevent.html#gevent.signal_handler
    """
    raise KeyboardInterrupt  # in a greenlet of its own: the hub hands it to the main one


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploys", description=__doc__)
    parser.add_argument("deploy", choices=("dovecot", "mailserver", "upgrade"))
    deploy = parser.parse_args().deploy
    os.chdir(running.ROOT)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without our signs
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = min(console.width, WIDTH)
    log = log_file(deploy)
    said = Said(log, console)
    pyinfra.logger.setLevel(logging.INFO)
    pyinfra.logger.addHandler(said)
    gevent.get_hub().NOT_ERROR += (KeyboardInterrupt,)  # it would print a traceback of it
    gevent.signal_handler(signal.SIGINT, stopped)
    try:
        code = run(deploy, console, said)
    except KeyboardInterrupt:
        paragraph(
            console, "✖ ", "Stopped. The host may still be busy with the last command; run the same again.", "bold red"
        )
        code = 130
    paragraph(console, "", f"All that pyinfra said: {os.path.relpath(log)}", "dim")
    if code == 130:
        sys.stdout.flush()
        os._exit(code)  # connections that are cut off in the middle would say so, at length
    return code


if __name__ == "__main__":
    sys.exit(main())
