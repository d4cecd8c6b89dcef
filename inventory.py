"""What `pyinfra inventory.py …` uses: the lab, unless MAILROOM_INVENTORY names another file."""

import os
import runpy
from pathlib import Path

from pyinfra.api.exceptions import InventoryError

from inventories.keys import no_private_key

_here = Path(__file__).resolve().parent
_chosen = Path(os.environ.get("MAILROOM_INVENTORY") or _here / "inventories" / "lab.py")
if not _chosen.is_file():
    raise InventoryError(f"MAILROOM_INVENTORY names {_chosen}, and there is no such file.")

_lists = {
    name: value
    for name, value in runpy.run_path(str(_chosen)).items()
    if isinstance(value, list | tuple) and not name.startswith("_")
}
# A key that is not there would end in a traceback, once pyinfra connects.
for _host, _data in (one for _list in _lists.values() for one in _list if isinstance(one, tuple)):
    if (_given := _data.get("ssh_key")) and (_wrong := no_private_key(_here / Path(_given).expanduser())):
        raise InventoryError(f"{_host}: ssh_key = {_given!r} {_wrong} Nothing was changed. Fix it in {_chosen}.")

# pyinfra takes every list on a file's top level for a group of hosts: hand on what that file has.
globals().update(_lists)
