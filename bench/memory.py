"""`python -m bench.memory`: what each part of an idle mail server takes of a lab host's memory.

Proportional set size (Pss in proc(5), smaps_rollup): pages that several processes share are counted once among them, so that
the parts add up. ClamAV in a lab has one signature; with the official ones it takes more than all the rest together.
"""

import argparse
import statistics
import subprocess
import time
from collections import defaultdict

from rich.console import Console
from rich.table import Table

from bench.where import ssh_config

PARTS = {
    "postfix": "Postfix",
    "postgresql": "PostgreSQL",
    "amavis": "Amavis with SpamAssassin",
    "clamav-daemon": "ClamAV",
    "dovecot": "Dovecot",
    "chrony": "chrony",
}
READ = """for status in /proc/[0-9]*/smaps_rollup; do
    pid=${status#/proc/}
    pid=${pid%/*}
    pss=$(awk '/^Pss:/ {print $2}' "$status" 2>/dev/null)
    unit=$(ps -o unit= -p "$pid" 2>/dev/null)
    [ -z "$pss" ] || echo "${unit:--} $pss"
done"""


def sample(host: str) -> dict[str, float]:
    """MB by part, now."""
    done = subprocess.run(
        ["ssh", "-F", ssh_config(), host, "sh -s"], input=READ, text=True, capture_output=True, check=True
    )
    found: dict[str, float] = defaultdict(float)
    for line in done.stdout.splitlines():
        unit, pss = line.split()
        part = next((name for start, name in PARTS.items() if unit.startswith(start)), "the system")
        found[part] += int(pss) / 1024
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--host", default="mx1", help="a lab host with the mail server on it")
    parser.add_argument("--samples", type=int, default=5, help="the median of this many, a second apart")
    options = parser.parse_args()
    samples = []
    for _ in range(options.samples):
        samples.append(sample(options.host))
        time.sleep(1)
    table = Table("part", "MB", title=f"Memory of {options.host}, median of {options.samples}")
    table.columns[1].justify = "right"
    parts = {part: statistics.median(one.get(part, 0.0) for one in samples) for part in [*PARTS.values(), "the system"]}
    for part, size in parts.items():
        table.add_row(part, f"{size:.0f}")
    table.add_section()
    table.add_row("together", f"{sum(parts.values()):.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
