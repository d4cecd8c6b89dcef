"""The lab: disposable systemd hosts that stand in for real ones. Imports nothing of the rest."""

from lab.errors import LabDown, LabError
from lab.reach import inventory_data
from lab.shell import Host, host
from lab.state import load

__all__ = ["Host", "LabDown", "LabError", "host", "inventory_data", "load"]
