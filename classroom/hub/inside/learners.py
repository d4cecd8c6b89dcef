"""Who is in the class, as the hub knows it."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path("/etc/mailroom-hub")


def told() -> dict[str, Any]:
    return dict(json.loads((FOLDER / "learners.json").read_text()))


def known() -> dict[str, dict[str, Any]]:
    """By name: `user` (the Unix user), `called`, `door` (the port that leads to the server)."""
    return dict(told()["learners"])


def memory() -> str:
    """How much a learner's server and kernels may hold, as systemd writes it: 1G."""
    return str(told()["memory"])


def sums() -> dict[str, str]:
    """The sums of the tokens, by name. Root's to read."""
    return dict(json.loads((FOLDER / "tokens.json").read_text()))
