"""What `pyinfra inventory.py …` uses: the lab, unless MAILROOM_INVENTORY names another file."""

import os
import runpy
from pathlib import Path

from pyinfra.api.exceptions import InventoryError

_here = Path(__file__).resolve().parent
_chosen = Path(os.environ.get("MAILROOM_INVENTORY") or _here / "inventories" / "lab.py")
if not _chosen.is_file():
    raise InventoryError(f"MAILROOM_INVENTORY names {_chosen}, and there is no such file.")

# pyinfra takes every list on a file's top level for a group of hosts: hand on what that file has.
globals().update(
    (name, value)
    for name, value in runpy.run_path(str(_chosen)).items()
    if isinstance(value, list | tuple) and not name.startswith("_")
)
