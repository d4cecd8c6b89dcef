"""Where: one lab host per learner.

.venv/bin/python -m lab add ada ben --role mail
MAILROOM_INVENTORY=inventories/workshop.py .venv/bin/pyinfra inventory.py deploys/dovecot.py
MAILROOM_INVENTORY=inventories/workshop.py .venv/bin/pyinfra inventory.py --limit ada deploys/dovecot.py
"""

from typing import Any

from pyinfra.api.exceptions import InventoryError

from lab import LabDown, inventory_data, load

# One name for each learner; a-z, 0-9 and -, as the hosts are called so.
_learners = ["ada", "ben"]

try:
    _hosts = load()["hosts"]
except LabDown as down:
    raise InventoryError(str(down)) from None

_missing = [name for name in _learners if name not in _hosts]
if _missing:
    raise InventoryError(
        f"The lab has no host for {', '.join(_missing)}. Run `.venv/bin/python -m lab add {' '.join(_missing)} --role mail`."
    )

mail: list[tuple[str, dict[str, Any]]] = [(name, inventory_data(_hosts[name])) for name in _learners]
