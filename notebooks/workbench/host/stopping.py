"""A cell that was stopped: what may still run on the host, and what to do next, in place of a stack trace."""

import functools
import inspect
import json
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from notebooks.workbench.host import where
from notebooks.workbench.show.errors import AMBER, BOLD, OFF, Trouble

P = ParamSpec("P")
R = TypeVar("R")

# What most functions say: they look, and a question that the host is still answering harms nothing.
LOOKED = "Nothing was changed on {host}. What it was asked may run to its end there."
AGAIN = "{call} again, whenever you like."
SPOKE = "{host} closes the connection. A line that it has answered with 2.. or OK is done."
TRIED = "The throwaway copy on {host} goes away by itself. The real configuration was not touched."
SENT = "The letter may be on its way: {host} delivers what it has accepted."
SECOND = "mailbox(…) or passport(…) shows whether it is; {call} again sends a second one."


class Stopped(Trouble):
    """The learner has stopped a cell. `why` is what goes on, `remedy` what comes next."""

    NAMES = ("Host", "Next", "Where")

    def _render_traceback_(self) -> list[str]:
        return [f"{AMBER}{BOLD}■ {self.what}{OFF}", *self.lines(BOLD, OFF)]


def stoppable(host: str = LOOKED, then: str = AGAIN, *, name: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function raise Stopped where a cell is stopped in it.

    The two sentences may name the {host}, the {call} as it was written, and each argument of the function. `name` is what the learner
    has called, where that is not this function.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            # Stopped: of a function that this one has called; the learner has written this one
            except (KeyboardInterrupt, Stopped):
                words = told(function, args, kwargs)
            raise Stopped(f"{name or words['call']} was stopped.", host.format(**words), then.format(**words)) from None

        wrapper.stoppable = True  # type: ignore[attr-defined]
        return wrapper

    return decorate


def told(function: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]) -> dict[str, object]:
    """The words of a sentence about this call. A letter, or another thing that is long to write, becomes “…”."""
    values = inspect.signature(function).bind(*args, **kwargs)
    written = [short(value) for value in args] + [f"{name}={short(value)}" for name, value in kwargs.items()]
    values.apply_defaults()
    here = where.chosen()
    host = values.arguments.get("on") or (here.name if here else "the host")
    return {**values.arguments, "host": host, "call": f"{function.__name__}({', '.join(written)})"}


def short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)  # in the notebooks' quotes
    return text if isinstance(value, str | int | float) and len(text) <= 60 else "…"
