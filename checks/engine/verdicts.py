"""What a check can find, and how it says so: by the exception that it raises."""

from typing import Literal

Verdict = Literal["pass", "warn", "fail", "skip"]


class Failed(Exception):
    """The check looked and found it wrong."""

    def __init__(self, evidence: str, remedy: str = "") -> None:
        super().__init__(evidence)
        self.evidence, self.remedy = evidence, remedy


class Warned(Failed):
    """Not wrong, but somebody should look; or it could not be proven from here."""


class Skipped(Exception):
    """The check could not be made, and that says nothing about the server."""


class CannotStart(Exception):
    """Nothing can be checked at all; the text is one sentence that says what to do."""
