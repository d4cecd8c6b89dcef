"""Failures a learner can act on: what, why, the remedy, and where it is explained. No stack trace."""

from dataclasses import dataclass
from typing import ClassVar

RED, AMBER, BOLD, OFF = "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[0m"


@dataclass(eq=False)
class Trouble(Exception):
    """Something is not as it should be; `remedy` is what to do about it."""

    what: str
    why: str = ""
    remedy: str = ""
    where: str = ""

    NAMES: ClassVar[tuple[str, str, str]] = ("Why", "Remedy", "Where")

    def lines(self, bold: str = "", off: str = "") -> list[str]:
        """Why, the remedy and where it is explained, without those that have nothing to say."""
        named = zip(self.NAMES, (self.why, self.remedy, self.where), strict=True)
        told = [(name + ":", text.replace("\n", "\n" + " " * 10)) for name, text in named if text]
        return [f"  {bold}{name:<8}{off}{text}" for name, text in told]

    def __str__(self) -> str:
        return "\n".join([self.what, *self.lines()])

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a stack trace: the stack is ours, the trouble is the host's."""
        return [f"{RED}{BOLD}✖ {self.what}{OFF}", *self.lines(BOLD, OFF)]


class NotReady(Trouble):
    """A prerequisite is missing; the remedy names the step to run."""


class NotAllowed(Trouble):
    """The host is not a lab host, and the user has not said that it may be changed."""


class NotApplied(Trouble):
    """pyinfra stopped; the log says more."""


class NotVerified(Trouble):
    """A check found it wrong."""


class NotSettled(Trouble):
    """A second run would change something again."""


class NotExpected(Trouble):
    """A command, a dialogue or a statement did not end as the text says."""
