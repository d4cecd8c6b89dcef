"""Where the lab's ssh configuration is."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]


def ssh_config() -> str:
    return str(Path(os.environ.get("MAILROOM_LAB_DIR") or ROOT / ".lab") / "ssh_config")
