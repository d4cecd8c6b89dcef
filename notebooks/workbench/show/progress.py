"""One line that changes while something takes its time, and goes away when it is done."""

import subprocess
import sys
import time
from typing import Any, Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from notebooks.workbench.show import html


def in_notebook() -> bool:
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    return bool(shell) and hasattr(shell, "kernel")


class Progress:
    """`with Progress("what") as p: p.say("detail")`: shown in a notebook or a terminal after `delay` seconds, quiet elsewhere."""

    def __init__(self, what: str, delay: float = 0.0) -> None:
        self.what, self.detail, self.begun = what, "", time.monotonic()
        self.delay, self.last = delay, 0.0
        self.handle: Any = None

    def __enter__(self) -> Self:
        self.tick()
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self.handle, Status):
            self.handle.stop()
        elif self.handle is not None:
            self.handle.update(html.Text(""))

    def say(self, detail: str) -> None:
        self.detail, self.last = detail, 0.0
        self.tick()

    def tick(self) -> None:
        """Show how long it has been; a few times a second is enough."""
        now = time.monotonic()
        terminal = sys.stderr.isatty() and not in_notebook()
        if not (terminal or in_notebook()) or now - self.last < 0.3 or now - self.begun < self.delay:
            return
        self.last = now
        words = " · ".join(filter(None, [self.what, f"{now - self.begun:.0f} s", self.detail]))
        if terminal:
            if self.handle is None:
                self.handle = Console(stderr=True, highlight=False, markup=False).status("")
                self.handle.start()
            self.handle.update(Text(words, overflow="ellipsis", no_wrap=True))
            return
        text = html.Text("", f"⏳ {words}")
        if self.handle is None:
            from IPython.display import display

            self.handle = display(text, display_id=True)
        else:
            self.handle.update(text)


def until_done(process: subprocess.Popen[str], what: str) -> None:
    """Show `what` for as long as the process runs."""
    with Progress(what) as shown:
        while process.poll() is None:
            time.sleep(0.05)
            shown.tick()
