"""What each part of the factory takes of the host's memory."""

from notebooks.workbench.host import remote
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html

# Pss (proc(5), smaps_rollup) counts a page that four processes share as a quarter in each: the sum is what they take together.
ASK = r"""ps -eo pid=,unit= | while read -r pid unit; do
pss=$(awk '/^Pss:/ {print $2}' /proc/$pid/smaps_rollup 2>/dev/null); [ -z "$pss" ] || echo "$unit $pss"; done"""
PARTS = {
    "amavis": "Amavis, with SpamAssassin in it",
    "clamav-daemon": "ClamAV",
    "postfix": "Postfix",
    "postgresql": "PostgreSQL",
    "dovecot": "Dovecot",
    "chrony": "chrony",
}


def parts() -> dict[str, list[float]]:
    """The size in MB of each process, by the part whose unit it belongs to; what remains is "the system"."""
    found: dict[str, list[float]] = {part: [] for part in [*PARTS.values(), "the system"]}
    for unit, size in (line.split() for line in remote.execute(ASK).out.splitlines()):
        part = next((part for start, part in PARTS.items() if unit.startswith(start)), "the system")
        found[part].append(int(size) / 1024)
    return found


@stoppable()
def memory() -> html.Table:
    """The memory of each part, as it is now: processes, and megabytes that they take together."""
    shown = [(part, sizes) for part, sizes in parts().items() if sizes and part != "the system"]
    rows = [[part, len(sizes), f"{sum(sizes):.0f}"] for part, sizes in shown]
    return html.Table(["part", "processes", "MB"], rows, "taken together, shared pages counted once")
