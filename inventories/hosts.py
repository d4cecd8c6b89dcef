"""`python -m inventories.hosts [NAME …]`: the hosts of the inventory as JSON, for whoever asks the servers later
(checks/engine/inventory.py).

A program of its own, because pyinfra patches the standard library when it loads an inventory, and neither threads nor a
Jupyter kernel survive that. It prints no secret: of a host's data only the values named here, or those asked for by their names.
"""

import io
import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from pyinfra.api import State
from pyinfra.api.exceptions import InventoryError, PyinfraError
from pyinfra.context import ctx_state
from pyinfra_cli.inventory import make_inventory

ROOT = Path(__file__).resolve().parents[1]
SSH = ("ssh_hostname", "ssh_port", "ssh_user", "ssh_key", "ssh_known_hosts_file")
MAIL = ("mail_hostname", "mail_domains", "mail_home", "mail_owner", "tls_certificate", "tls_key")
FILES = ("accounts_file", "secrets_file")


def hosts() -> dict[str, dict[str, Any]]:
    """All data of all hosts, by name. Raises PyinfraError with a sentence where there are none."""
    # what an inventory prints must not spoil the JSON
    with redirect_stdout(io.StringIO()), ctx_state.use(State()):
        inventory = make_inventory(str(ROOT / "inventory.py"), cwd=str(ROOT))
    found = {host.name: host.data.dict() for host in inventory}
    if not found:
        raise InventoryError("The inventory has no host.")
    return found


def told(data: dict[str, Any], asked: Sequence[str] = ()) -> dict[str, Any]:
    """What may leave this program."""
    return {key: data.get(key) for key in asked or (*SSH, *MAIL, *FILES)}


if __name__ == "__main__":
    try:
        print(json.dumps({name: told(data, sys.argv[1:]) for name, data in hosts().items()}))
    except PyinfraError as error:
        sys.exit(str(error))
