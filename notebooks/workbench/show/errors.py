"""Failures a learner can act on: what, why, the remedy, and where it is explained. No stack trace."""

from collections.abc import Iterator

RED, BOLD, DIM, OFF = "\x1b[31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"


class Trouble(Exception):
    """Something is not as it should be; `remedy` is what to do about it."""

    def __init__(self, what: str, why: str = "", remedy: str = "", where: str = "") -> None:
        super().__init__(what, why, remedy, where)
        self.what, self.why, self.remedy, self.where = what, why, remedy, where

    def lines(self) -> Iterator[tuple[str, str]]:
        """("Why", text) and so on, without those that have nothing to say."""
        for name, text in (("Why", self.why), ("Remedy", self.remedy), ("Where", self.where)):
            if text:
                yield name, text

    def __str__(self) -> str:
        return "\n".join([self.what, *(f"  {name + ':':<8}{_indented(text)}" for name, text in self.lines())])

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a stack trace: the stack is ours, the trouble is the host's."""
        lines = [f"{RED}{BOLD}✖ {self.what}{OFF}"]
        lines += [f"  {BOLD}{name + ':':<8}{OFF}{_indented(text)}" for name, text in self.lines()]
        return lines


def _indented(text: str) -> str:
    return text.replace("\n", "\n" + " " * 10)


class NotReady(Trouble):
    """A prerequisite is missing; the remedy names the step to run."""


class NotAllowed(Trouble):
    """The host is not a lab host, and nobody has said that it may be changed."""


class NotApplied(Trouble):
    """pyinfra stopped; the log says more."""


class NotVerified(Trouble):
    """A check found it wrong."""


class NotSettled(Trouble):
    """A second run would change something again."""


class NotExpected(Trouble):
    """A command, a dialogue or a statement did not end as the text says."""
