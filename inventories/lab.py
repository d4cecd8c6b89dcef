"""Where: the mail hosts of the lab that is up."""

from typing import Any

from pyinfra.api.exceptions import InventoryError

from lab import LabDown, inventory_data, load

try:
    _hosts = load()["hosts"].values()
except LabDown as down:
    raise InventoryError(str(down)) from None

mail: list[tuple[str, dict[str, Any]]] = [
    (host["name"], inventory_data(host)) for host in _hosts if host["role"] == "mail"
]
