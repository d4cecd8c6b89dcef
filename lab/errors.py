"""The message of a lab command that cannot go on: what happened, and what to do next."""


class LabError(Exception):
    """One failure in words for the person at the terminal, with the next thing to do."""

    def __str__(self) -> str:
        return " ".join(self.args)


class LabDown(LabError):
    """There is no lab to talk to."""
