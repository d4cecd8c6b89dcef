"""What each part of the factory takes of the host's memory."""

from __future__ import annotations

import re

from notebooks.workbench.host import remote
from notebooks.workbench.show import html

# Pss counts a page that four processes share as a quarter in each: the sum is what they really take together.
ASK = """cd /proc && for p in [0-9]*; do
[ -r $p/smaps_rollup ] && echo "$(awk '/^Pss:/ {print $2}' $p/smaps_rollup 2>/dev/null) $(tr '\\0' ' ' <$p/cmdline 2>/dev/null)"
done; awk '/^MemTotal/ {print "total", $2}' /proc/meminfo"""
PARTS = {
    "Amavis, with SpamAssassin in it": r"amavisd",
    "ClamAV": r"clamd",
    "Postfix": r"/postfix/|^(smtpd|qmgr|pickup|cleanup|smtp|virtual|proxymap|trivial-rewrite|tlsmgr|anvil|lmtp|local|bounce) ",
    "PostgreSQL": r"postgres",
    "Dovecot": r"dovecot",
    "chrony": r"chronyd",
}


def memory() -> html.Table:
    """The memory of each part, as it is now: processes, and megabytes that they take together."""
    told = [line.partition(" ")[::2] for line in remote.execute(ASK).out.splitlines()]
    rows = []
    for name, pattern in PARTS.items():
        mine = [int(size) for size, command in told if size.isdigit() and re.search(pattern, command)]
        if mine:
            rows.append([name, len(mine), f"{sum(mine) / 1024:.0f}"])
    return html.Table(["part", "processes", "MB"], rows, "taken together, shared pages counted once")
