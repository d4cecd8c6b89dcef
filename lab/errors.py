"""The message of a lab command that cannot go on: what happened, and what to do next."""

from __future__ import annotations


class LabError(Exception):
    """One failure in words for the person at the terminal, with the next thing to do."""

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(f"{what} {do}".strip())
        self.what = what
        self.do = do


class LabDown(LabError):
    """There is no lab to talk to."""
