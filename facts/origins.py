"""Whose packages apt knows."""

from pyinfra.api import FactBase

SCRIPT = "apt-cache policy 2>/dev/null | sed -nE 's/^ *release .*\\bo=([^,]*).*/\\1/p' | sort -u"


class ReadOrigins(FactBase[list[str]]):
    """Each archive of apt's sources by the name that it gives itself: "Debian". [] where there is no apt."""

    @staticmethod
    def default() -> list[str]:
        return []

    def command(self) -> str:
        return SCRIPT

    def process(self, output: list[str]) -> list[str]:
        return [line.strip() for line in output]
