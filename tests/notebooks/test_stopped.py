"""A cell that is stopped says what may still run on the host and what to do next, in a real kernel; without a stack trace."""

from __future__ import annotations

import ast
import inspect
import re
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from lab import Host, snapshots, state
from notebooks import rewind
from notebooks.workbench.host import stopping, where
from notebooks.workbench.step import rewinding
from tests.live.support import ON_ONE
from tests.notebooks import cells

# Neither asks a host anything. temporarily() is a with statement; what takes its time in it is stoppable.
INSTANT = {"allow", "quiz", "temporarily"}


def functions() -> dict[str, Callable[..., Any]]:
    """The functions that a cell gets. Read, not imported: importing the runbook looks for a host."""
    found: dict[str, Callable[..., Any]] = {}
    for node in ast.parse((cells.FOLDER / "runbook.py").read_text()).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("notebooks."):
            module = import_module(node.module or "")
            found |= {
                one.name: getattr(module, one.name) for one in node.names if not (one.asname or "").startswith("_")
            }
    return {name: one for name, one in found.items() if inspect.isfunction(one)}


@pytest.mark.parametrize("name", sorted(functions().keys() - INSTANT))
def test_each_function_of_the_runbook_says_what_goes_on_and_what_comes_next(name: str) -> None:
    function = functions()[name]
    assert getattr(function, "stoppable", False), "give it @stoppable(…)"
    needed = [one for one in inspect.signature(function).parameters.values() if one.default is one.empty]
    args = [25 if one.name == "port" else "x" for one in needed if one.kind is one.POSITIONAL_OR_KEYWORD]
    sentences = inspect.getclosurevars(function).nonlocals
    words = stopping.told(sentences["function"], tuple(args), {})
    for sentence in (sentences["host"].format(**words), sentences["then"].format(**words)):
        assert sentence.endswith(".") and not re.search(r"[{}]", sentence), sentence
    assert words["call"] == f"{name}({', '.join(map(stopping.short, args))})"


def test_the_outermost_call_is_what_was_stopped() -> None:
    @stopping.stoppable()
    def inner() -> None:
        raise KeyboardInterrupt

    @stopping.stoppable("{host} waits for {letter}.", "{call} again.")
    def outer(letter: object, *, on: str = "") -> None:
        inner()

    with pytest.raises(stopping.Stopped) as stopped:
        outer(object(), on="mx7")
    assert str(stopped.value).startswith('outer(…, on="mx7") was stopped.') and "mx7 waits for <object" in str(
        stopped.value
    )


def test_in_a_terminal_no_cell_is_spoken_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @stopping.stoppable("The next cell waits for that.")
    def stopped(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(state, "record", lambda _: {"suite": "trixie"})
    monkeypatch.setattr(rewind, "find", lambda: None)
    monkeypatch.setattr(snapshots, "listed", lambda _: [])
    monkeypatch.setattr(where, "use", lambda _: None)
    monkeypatch.setattr(rewinding, "rewind", stopped)
    assert rewind.main("mx1", "dovecot.tls") == 130
    assert capsys.readouterr().err == "Stopped; mx1 may be on the way. The same command again finishes it.\n"


class Kernel:
    """A kernel as JupyterLab starts one."""

    def __init__(self) -> None:
        self.manager, self.client = start_new_kernel(cwd=str(cells.FOLDER))
        self.pictures: list[str] = []  # what was shown as HTML

    def execute(self, source: str, stop: Callable[[], bool] | str = "") -> str:
        """What the cell shows, as text; it is stopped as soon as `stop` says so, or is a part of what it shows."""
        shown: list[str] = []

        def hear(message: Any) -> None:
            content = message["content"]
            self.pictures.append(content.get("data", {}).get("text/html", ""))
            shown.extend(
                content.get("traceback", ()) or [content.get("data", {}).get("text/plain", content.get("text", ""))]
            )

        asked = self.client.execute(source)
        if callable(stop):
            until(stop)
            self.manager.interrupt_kernel()
        while self.client.get_iopub_msg(timeout=300)["parent_header"].get("msg_id") != asked:
            pass
        while True:
            message = self.client.get_iopub_msg(timeout=300)
            if message["parent_header"].get("msg_id") == asked:
                if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                    return re.sub(r"\x1b\[\d+m", "", "\n".join(shown))
                hear(message)
                if isinstance(stop, str) and stop and stop in str(message["content"]):
                    stop = ""
                    self.manager.interrupt_kernel()

    def end(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def until(so: Callable[[], bool], patience: float = 60.0) -> None:
    end = time.monotonic() + patience
    while not so():
        assert time.monotonic() < end, "that never happened"
        time.sleep(0.2)


@pytest.fixture
def kernel(bare: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    monkeypatch.setenv("MAILROOM_SNAPSHOTS", "no")
    kernel = Kernel()
    yield kernel
    kernel.end()


def runs(host: Host, what: str) -> bool:
    return not host.run(f"pgrep -f '{what}'", check=False).returncode


@pytest.mark.live
@ON_ONE
def test_a_stopped_cell_tells_what_goes_on_and_the_next_one_finishes_it(kernel: Kernel, bare: Host) -> None:
    host = bare
    assert "LAB" in kernel.execute("from runbook import *\nhello()")

    said = kernel.execute('run("sleep 4321")', lambda: runs(host, "[s]leep 4321"))
    short(said, 'run("sleep 4321") was stopped', "mx1 may go on with `sleep 4321`")
    assert runs(host, "[s]leep 4321")  # as it says
    host.run("pkill -f '[s]leep 4321'")

    short(kernel.execute('rewind("bare")', "rewinding mx1"), 'rewind("bare") was stopped', "goes on putting mx1 back")
    assert "no" in kernel.execute('run("command -v postfix || echo no")')
    host.close()

    said = kernel.execute('apply("postfix.install")', lambda: runs(host, "[a]pt-get.*install"))
    short(said, 'apply("postfix.install") was stopped', "runs to its end there", 'apply("postfix.install") again.')
    assert "Step 1.2 is on mx1" in kernel.execute('apply("postfix.install")')
    assert "proven" in kernel.execute('verify("postfix.install")')


def short(said: str, *parts: str) -> None:
    """It says these, in five lines at most, and shows no code of ours."""
    told = said[said.index("■") :]
    assert all(part in told for part in parts) and len(told.splitlines()) <= 5, said
    assert "Traceback" not in said and ".py" not in said, said
