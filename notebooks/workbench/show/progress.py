"""One line that changes while something takes its time, and goes away when it is done."""

from __future__ import annotations

import subprocess
import sys
import time
from types import TracebackType
from typing import Any

from notebooks.workbench.show import html


def in_notebook() -> bool:
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    return bool(shell) and hasattr(shell, "kernel")


class Line(html.Shown):
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def body(self) -> str:
        return f"<span class=dim>{html.escape(self.text)}</span>" if self.text else ""


class Progress:
    """`with Progress("what") as p: p.say("detail")`: shown in a notebook, quiet elsewhere."""

    def __init__(self, what: str, delay: float = 0.0) -> None:
        self.what, self.detail, self.begun = what, "", time.monotonic()
        self.delay, self.last = delay, 0.0
        self.handle: Any = None

    def __enter__(self) -> Progress:
        self.tick()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.handle is not None:
            self.handle.update(Line(""))

    def say(self, detail: str) -> None:
        self.detail, self.last = detail, 0.0
        self.tick()

    def tick(self) -> None:
        """Show how long it has been; a few times a second is enough."""
        now = time.monotonic()
        if not in_notebook() or now - self.last < 0.3 or now - self.begun < self.delay:
            return
        self.last = now
        text = Line(f"⏳ {self.what} · {now - self.begun:.0f} s" + (f" · {self.detail}" if self.detail else ""))
        if self.handle is None:
            from IPython.display import display

            self.handle = display(text, display_id=True)
        else:
            self.handle.update(text)


def until_done(process: subprocess.Popen[str], what: str) -> None:
    """Show `what` for as long as the process runs."""
    with Progress(what) as shown:
        while process.poll() is None:
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                shown.tick()
