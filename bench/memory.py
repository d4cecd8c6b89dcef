"""`python -m bench.memory`: what each part of an idle mail server takes of a lab host's memory.

Proportional set size, as memory() of the runbook shows it: the parts add up. ClamAV in a lab has one signature; with the
official ones it takes more than all the rest together.
"""

import argparse
import statistics
import time

from rich.console import Console
from rich.table import Table

from notebooks.workbench.host import memory, where


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--host", default="mx1", help="a lab host with the mail server on it")
    parser.add_argument("--samples", type=int, default=5, help="the median of this many, a second apart")
    options = parser.parse_args()
    where.use(options.host)
    sizes: dict[str, list[float]] = {}
    for _ in range(options.samples):
        for part, processes in memory.parts().items():
            sizes.setdefault(part, []).append(sum(processes))
        time.sleep(1)
    table = Table("part", "MB", title=f"Memory of {options.host}, median of {options.samples}")
    table.columns[1].justify = "right"
    medians = {part: statistics.median(values) for part, values in sizes.items()}
    for part, size in medians.items():
        table.add_row(part, f"{size:.0f}")
    table.add_section()
    table.add_row("together", f"{sum(medians.values()):.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
