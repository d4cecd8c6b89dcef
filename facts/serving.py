"""Whether the mail server on a host serves right now, asked by `serving.sh` of all that is set up there by then."""

import shlex
from pathlib import Path

from pyinfra.api import FactBase

SCRIPT = (Path(__file__).parent / "serving.sh").read_text()


class ReadServing(FactBase[list[str]]):
    """What does not serve: "what | the last that its journal says", one text each; [] when all does."""

    @staticmethod
    def default() -> list[str]:
        return []

    def command(self, user: str, domain: str) -> str:
        return f"MAIL_USER={shlex.quote(user)} MAIL_DOMAIN={shlex.quote(domain)}\n{SCRIPT}"

    def process(self, output: list[str]) -> list[str]:
        return [line for line in output if " | " in line]
