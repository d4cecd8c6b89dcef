"""The process that runs pyinfra for this kernel (pyinfra_process): started at the first question, and again when a file of the
deploy, or the environment, has changed since."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[3]
CODE = ("deploys", "operations", "facts", "group_data", "inventories")
Answer = dict[str, Any]


class Refused(Exception):
    """pyinfra could not do it; the text says why."""


class Worker:
    """One process. Its errors, such as a traceback at its start, go to a file that has no name."""

    def __init__(self) -> None:
        self.errors: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115, as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-m", "notebooks.workbench.host.pyinfra_process"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
        )
        self.of = _origin()

    def ask(self, request: Answer, tick: Callable[[], None]) -> Iterator[Answer]:
        """Every answer as it comes; `tick` is called a few times a second in between."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        rest = b""
        while True:
            if not select.select([self.process.stdout], [], [], 0.3)[0]:
                tick()
                continue
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                self.errors.seek(0)
                raise Refused(self.errors.read()[-2000:].strip() or "pyinfra's process has ended")
            *lines, rest = (rest + part).split(b"\n")
            for answer in map(json.loads, lines):
                yield answer
                if "done" in answer or "refused" in answer:
                    return

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()


_now: list[Worker] = []


def ask(
    do: str, hear: Callable[[Answer], None] = lambda answer: None, tick: Callable[[], None] = lambda: None, **words: Any
) -> Answer:
    """What pyinfra has found or done: {"do": do, **words} in the protocol of pyinfra_process.

    `hear` gets each answer on the way. Raises Refused. A learner who presses stop ends the process: twice is once, so the
    request can simply be made again.
    """
    if _now and (_now[0].of != _origin() or _now[0].process.poll() is not None):
        _now.pop().end()
    if not _now:
        _now.append(Worker())
    try:
        for answer in _now[0].ask({"do": do, **words}, tick):
            if "refused" in answer:
                raise Refused(answer["refused"])
            if "done" in answer:
                return dict(answer["done"])
            hear(answer)
    except (KeyboardInterrupt, OSError):
        _now.pop().end()
        raise
    raise AssertionError("no end was answered")


def _origin() -> tuple[Any, ...]:
    """All that a process has read once: the code, and which inventory it is to read."""
    files = [path for folder in CODE for path in (ROOT / folder).rglob("*") if path.suffix not in (".pyc", "")]
    times = [(str(path), path.stat().st_mtime_ns) for path in (*files, ROOT / "inventory.py")]
    return sorted(times), sorted((key, value) for key, value in os.environ.items() if key.startswith("MAILROOM_"))
