"""python -m rehearsal: the upgrade from Debian 12 to 13 of a server of yours, tried in the lab on a double of it.

Nothing on the server is changed. The double has its accounts with their hashes, its configuration and a sample of its mail, is
upgraded while letters arrive, and is removed again. The report says what to expect. docs/upgrade.md has more.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import lab
from checks.engine import inventory
from checks.engine.verdicts import CannotStart, Failed
from lab import Host, LabError, names
from rehearsal import double, server, upgrade
from rehearsal.report import page
from rehearsal.server import Refused, Taken


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m rehearsal", description=__doc__)
    top.formatter_class = argparse.RawDescriptionHelpFormatter
    top.add_argument("host", nargs="?", default="", help="which server of the inventory; its first one, if not given")
    top.add_argument(
        "--letters", type=count, default=50, metavar="N", help="how many letters of each folder (default: 50)"
    )
    top.add_argument("--keep", action="store_true", help="leave the double there: MAILROOM_LAB_DIR=.lab-rehearsal")
    top.add_argument("--report", type=Path, default=Path("rehearsal.md"), metavar="FILE", help="where it is written")
    return top


def count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number}: 0 letters are the fewest")
    return number


def looked(real: Taken) -> list[str]:
    """What the upgrade would refuse on the real server today; it is asked by a dry run, which changes nothing."""
    words = [sys.executable, "-m", "pyinfra", "inventory.py", "--limit", real.name, "--dry", upgrade.UPGRADE]
    run = subprocess.run(words, cwd=inventory.ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if not run.returncode:
        return []
    said = run.stdout + run.stderr
    refused = [text for _, mark, text in (line.partition("] refused: ") for line in said.splitlines()) if mark]
    if not refused:
        raise Refused(f"{upgrade.UPGRADE} --dry failed on {real.name}:\n{said[-2000:]}")
    return [one for one in refused if not one.startswith("nothing was changed")]


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begun:5.0f} s  {text}", flush=True)

    try:
        say("reading the server; nothing is changed there")
        real = server.taken(options.host)
        say(f"{real.name}: {len(real.users)} accounts, {real.mail_mb} MB of mail")
        against = looked(real)
        say("making its double in the lab")
        host = double.made(real)
        upgrade.applied(real.deploy, say)
        double.furnish(real, options.letters)
        upgrade.applied(real.deploy, say)
        more = expected(real, host, against, options.letters)
        report = upgrade.rehearsed(
            host, lab.host(names.WORLD), inventory.target(), double.judge(real), real.deploy, say
        )
        options.report.write_text(page(report, f"The upgrade of {real.name}, rehearsed", more))
        say(f"{report.verdict} The report: {options.report}")
        return 1 if report.problems or against else 0
    except (Refused, upgrade.Failed, CannotStart, Failed, LabError) as error:
        print(f"python -m rehearsal: {error}", file=sys.stderr)
        return 2
    finally:
        if not options.keep and os.environ.get("MAILROOM_INVENTORY", "").endswith(double.INVENTORY):
            double.close()


def expected(real: Taken, host: Host, against: Sequence[str], letters: int) -> str:
    """What is known of the real server, and what its double lacks."""
    there = set(host.run("dpkg-query -W -f '${Package}\\n'").stdout.split())
    lines = [
        f"On {real.name} today: {len(real.users)} accounts, {real.mail_mb} MB of mail, and {real.free_mb} MB free in /var.",
        f"Its double had {letters} letters of each folder at most, a name and passwords of the lab's, and no way out.",
        "Times are the lab's: the packages were in its cache, and the real server fetches some 500 MB first, while it still serves.",
    ]
    if lacking := sorted(set(real.manual) - there):
        lines.append(f"Installed there, and not in the double: {', '.join(lacking)}.")
    if against:
        lines.append(f"\n**It would be refused on {real.name} today:**\n")
        lines += [f"- {one}" for one in against]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
