"""What a check can find, and how it says so: by the exception that it raises."""

from typing import Literal

Verdict = Literal["pass", "warn", "fail", "skip"]


class Finding(Exception):
    """Why a check did not pass: the evidence, in lines, and the remedy, if it is another than the check's own."""

    verdict: Verdict

    def __init__(self, evidence: str, remedy: str = "") -> None:
        super().__init__(evidence)
        self.evidence, self.remedy = evidence, remedy

    def _render_traceback_(self) -> list[str]:
        """What IPython shows where a cell ends so: no stack trace, which would be ours."""
        return [f"✖ {self.evidence}", *([f"  Remedy: {self.remedy}"] if self.remedy else [])]


class Failed(Finding):
    """The check looked and found it wrong."""

    verdict: Verdict = "fail"


class Warned(Failed):
    """Not wrong, but somebody should look; or it could not be proven from here."""

    verdict: Verdict = "warn"


class Skipped(Finding):
    """The check could not be made, and that says nothing about the server."""

    verdict: Verdict = "skip"


def words(error: BaseException) -> str:
    """What an error says to a person: "Connection reset by peer", without "[Errno 104]" before it."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class CannotStart(Exception):
    """Nothing can be checked at all; the text is one sentence that says what to do."""

    def _render_traceback_(self) -> list[str]:
        return [f"✖ {self}"]
