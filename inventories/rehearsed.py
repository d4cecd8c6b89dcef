"""Where: the lab host that stands in for a real server, while an upgrade is rehearsed (`python -m rehearsal`)."""

from typing import Any

from pyinfra.api.exceptions import InventoryError

from lab import LabError
from rehearsal.double import NAME, data

try:
    mail: list[tuple[str, dict[str, Any]]] = [(NAME, data())]
except (LabError, OSError) as error:
    raise InventoryError(f"No upgrade is rehearsed at the moment: {error}") from None
