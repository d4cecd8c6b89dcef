"""`python -m bench`: what a run that changes nothing costs, beside one ssh that reads the same state.

Both read the same things from the same host, in turn (one of each, then again), so that a busy machine slows both. Each
number is a median. No test asks how many seconds anything takes; this is where one looks.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.growth import accounts
from deploys.data import mail_data
from deploys.preflight import reading
from facts.mail_host import ReadMailHost
from lab import LabDown, load, names
from lab.state import path

RUN = [sys.executable, "-m", "pyinfra", "inventory.py"]
STEP = ["deploys.chapters.dovecot.tls"]
FEW, MANY, MOST = 2, 1_000, 10_000


def timed(command: list[str], **options: Any) -> tuple[float, str]:
    """Seconds and output of a command; ends the program when it fails. The options are those of subprocess.run."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=names.ROOT, text=True, capture_output=True, **options)
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds, done.stdout + done.stderr


def counted(deploy: str, environment: Mapping[str, str] | None = None) -> dict[str, int]:
    """Operations, changes and remote commands of one run."""
    _, output = timed([*RUN, deploy, "-y", "--debug"], env=environment)
    total = re.search(r"Grand total\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", output)
    if not total:
        sys.exit("pyinfra printed no totals")
    number = [0 if word == "-" else int(word) for word in total.groups()]
    return {"operations": number[0], "changes": number[1], "remote commands": output.count("Running command on ")}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="runs of each (default 5)")
    parser.add_argument("--deploy", default="deploys/dovecot.py", help="deploys/mailserver.py for the whole series")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    try:
        load()
    except LabDown as down:
        sys.exit(str(down))
    numbers = settled(options.deploy)
    # the least that can be needed to know as much: the script of our fact, run by one ssh
    script = ReadMailHost().command(**reading(mail_data({}, "mx1.example.test", secrets_too=False)))
    contest = {
        "one ssh that reads the same state": (["ssh", "-F", str(path("ssh_config")), "mx1", "sh -s"], script),
        f"pyinfra {options.deploy} -y, nothing to change": ([*RUN, options.deploy, "-y"], None),
        f"pyinfra {options.deploy} --dry": ([*RUN, options.deploy, "--dry"], None),
        "pyinfra one step -y, nothing to change": ([*RUN, *STEP, "-y"], None),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contest}
    for _ in track(range(options.times), "measuring", console=Console(stderr=True)):
        for name, (command, stdin) in contest.items():
            seconds[name].append(timed(command, input=stdin)[0])
    growth = grown(options.deploy, options.times)
    if options.json:
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        print(json.dumps({**numbers, "medians": medians, "seconds": seconds, "growth": growth}))
    else:
        report(numbers, seconds, growth)


def settled(deploy: str, environment: Mapping[str, str] | None = None) -> dict[str, int]:
    """What the second of two runs does; the first may have something to change."""
    for _ in range(2):
        numbers = counted(deploy, environment)
    if numbers["changes"]:
        sys.exit(f"the second run still changes {numbers['changes']} things; nothing to measure until that is fixed")
    return numbers


def grown(deploy: str, times: int) -> dict[int, list[float]]:
    """Seconds of a run that changes nothing, by the number of accounts: FEW and MANY in turn, MOST once."""
    seconds: dict[int, list[float]] = {FEW: [], MANY: [], MOST: []}
    with accounts("mx1") as made:
        environments = {number: made.prepare(number) for number in seconds}
        order = [FEW, MANY] * times + [MOST]
        for place, number in enumerate(track(order, "measuring growth", console=Console(stderr=True))):
            made.seat(number)
            if place < 2 or number == MOST:
                settled(deploy, environments[number])
            seconds[number].append(timed([*RUN, deploy, "-y"], env=environments[number])[0])
    return seconds


def report(numbers: dict[str, int], seconds: dict[str, list[float]], growth: dict[int, list[float]]) -> None:
    table = Table(title=f"{numbers['operations']} operations, {numbers['remote commands']} remote commands, no change")
    for column in ("", "median, s", "spread, s", "ratio"):
        table.add_column(column, justify="left" if not column else "right")

    def add(name: str, values: list[float], ratio: str) -> None:
        table.add_row(name, f"{statistics.median(values):.2f}", f"{min(values):.2f} to {max(values):.2f}", ratio)

    least, few = statistics.median(next(iter(seconds.values()))), statistics.median(growth[FEW])
    for name, values in seconds.items():
        add(name, values, f"{statistics.median(values) / least:.1f}")
    table.add_section()
    for number, values in growth.items():
        add(f"the deploy with {number:,} accounts", values, f"{statistics.median(values) / few:.2f} × {FEW}")
    Console().print(table)


main()
