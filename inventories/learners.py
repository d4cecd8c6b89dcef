"""Where: the mail hosts of a class, those that do not answer too. The board asks all of them (classroom/asking.py)."""

from typing import Any

from lab import inventory_data, state

mail: list[tuple[str, dict[str, Any]]] = [
    (host["name"], inventory_data(host)) for host in state.described() if host.get("place")
]
