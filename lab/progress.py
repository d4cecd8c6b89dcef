"""One line on stderr while a step takes long; nothing without a terminal."""

import shutil
import sys
import textwrap
from contextlib import AbstractContextManager, nullcontext, suppress


def busy(doing: str) -> AbstractContextManager[object]:
    """For a `with` around what takes long."""
    if sys.stderr.isatty():
        with suppress(ModuleNotFoundError):  # the lab works without the virtual environment, just more quietly
            from rich.console import Console

            return Console(stderr=True).status(doing)
    return nullcontext()


def say(line: str) -> None:
    """A sentence to the person at the terminal, in lines as wide as that; a log gets one line."""
    text = f"lab: {line}"
    if sys.stderr.isatty():
        text = "\n".join(
            part
            for paragraph in text.splitlines()
            for part in textwrap.wrap(
                paragraph, shutil.get_terminal_size().columns, subsequent_indent="     ", break_on_hyphens=False
            )
        )
    print(text, file=sys.stderr, flush=True)
