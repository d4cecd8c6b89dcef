"""The process that runs pyinfra for this kernel (pyinfra_process): started at the first question, and again when a file of the
deploy, or the environment, has changed since."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import Pipe
from typing import IO, Any

from checks.engine.inventory import ROOT

PATIENCE = 3.0  # seconds for a process that was told to end
CODE = ("deploys", "operations", "facts", "group_data", "inventories")
Answer = dict[str, Any]


class Refused(Exception):
    """pyinfra could not do it; the text says why."""


class Heard:
    """What pyinfra and the deploy had to say on the way, beside what became of each operation."""

    def __init__(self) -> None:
        self.notes: list[str] = []  # for the reader: nothing failed
        self.errors: list[str] = []

    def __call__(self, answer: Answer) -> None:
        if answer.get("level") in ("WARNING", "ERROR"):
            text = re.sub(r"^\[[^]]*\]", "", answer["told"].strip()).strip()  # there is one host
            if not text.startswith("Error: executed "):  # pyinfra counts the commands that went before
                (self.notes if answer["level"] == "WARNING" else self.errors).append(text)

    def reason(self, refused: str) -> str:
        """What went wrong: what was said about it, or else what ended the run."""
        return "\n".join([*dict.fromkeys(self.errors)][-8:]) or refused


class Worker:
    """One process. What it prints, such as a traceback at its start, goes to a file that has no name."""

    def __init__(self) -> None:
        self.printed: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115, as long as the process
        self.pipe, theirs = Pipe()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "notebooks.workbench.host.pyinfra_process", str(theirs.fileno())],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=self.printed,
                stderr=self.printed,
                pass_fds=[theirs.fileno()],
            )
        self.of = _origin()

    def answer(self, tick: Callable[[], None]) -> Answer:
        """The next answer; `tick` is called a few times a second until it is there."""
        while not self.pipe.poll(0.3):
            tick()
        try:
            return dict(self.pipe.recv())
        except (EOFError, OSError):
            self.printed.seek(0)
            return {"ended": self.printed.read()[-2000:].strip() or "pyinfra's process has ended"}

    def end(self) -> None:
        """The process is gone afterwards, also one that hangs and hears no signal."""
        self.pipe.close()
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.printed.close()


_now: list[Worker] = []


def ask(
    do: str, hear: Callable[[Answer], None] = lambda answer: None, tick: Callable[[], None] = lambda: None, **words: Any
) -> Answer:
    """What pyinfra has found or done: {"do": do, **words} in the protocol of pyinfra_process.

    `hear` gets each answer on the way; "notes" in the last one are what was said for the reader. Raises Refused. A learner who
    presses stop ends the process: twice is once, so the request can simply be made again.
    """
    heard = Heard()
    try:
        old = _send({"do": do, **words})
        while True:
            answer = _now[0].answer(tick)
            if "ended" in answer:
                _now.pop().end()
                if old:  # it was dead already, and has heard nothing of this
                    old = _send({"do": do, **words})
                    continue
                raise Refused(heard.reason(answer["ended"]))
            old = False
            if "refused" in answer:
                raise Refused(heard.reason(answer["refused"]))
            if "done" in answer:
                return {**answer["done"], "notes": heard.notes}
            heard(answer)
            hear(answer)
    except Refused:
        raise
    except BaseException:  # its answers would be taken for those to the next request
        if _now:
            _now.pop().end()
        raise


def _send(request: Answer) -> bool:
    """Give the request to the process that is there, or to a new one where that is dead or has read other files. Whether it is an
    old one: that may have died in this moment."""
    if _now and (_now[0].of != _origin() or _now[0].process.poll() is not None):
        _now.pop().end()
    if _now:
        try:
            _now[0].pipe.send(request)
            return True
        except OSError:  # it has died, and nobody has seen it yet
            _now.pop().end()
    _now.append(Worker())
    _now[0].pipe.send(request)
    return False


def _origin() -> tuple[Any, ...]:
    """All that a process has read once: the code, and which inventory it is to read."""
    files = [path for folder in CODE for path in (ROOT / folder).rglob("*") if path.suffix not in (".pyc", "")]
    times = [(str(path), path.stat().st_mtime_ns) for path in (*files, ROOT / "inventory.py")]
    return sorted(times), sorted((key, value) for key, value in os.environ.items() if key.startswith("MAILROOM_"))
