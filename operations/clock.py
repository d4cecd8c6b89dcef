"""chrony: whom it asks for the time, and whether it may set the clock."""

import re

from operations.base import Commands, changing, mail_host, shell, warn
from operations.files import PUT, differs, edited, written

CONF = "/etc/chrony/chrony.conf"
SOURCES = "/etc/chrony/sources.d/mailroom.sources"
DROP_IN = "/etc/systemd/system/chrony.service.d/mailroom.conf"
OFF = "#mailroom# "
OTHERS = re.compile(r"^(?=(pool|server|peer|sourcedir /run/)\b)", re.MULTILINE)
CAP_SYS_TIME = 1 << 25  # capabilities(7), linux/capability.h

# A container shares the clock of its host and may not set it: chronyd watches only (-x, chronyd(8)). Debian's unit would
# not even start there.
WATCH_ONLY = """# Made by mailroom, chapter 5: this host may not set its clock (no CAP_SYS_TIME).
[Unit]
ConditionCapability=

[Service]
ExecStart=
ExecStart=!/usr/sbin/chronyd $DAEMON_OPTS -x
"""


def without_others(text: str, chosen: bool) -> str:
    """chrony.conf with the distribution's own sources switched off while there are chosen ones, and as it came otherwise."""
    text = text.replace(OFF, "")
    return OTHERS.sub(OFF, text) if chosen else text


@changing(edits=CONF, writes=SOURCES)
def sources(servers: tuple[str, ...]) -> Commands:
    """chronyd asks these servers and no others. A job that sets the clock beside it, as ntpdate from cron in the article's first
    try, is the operator's, so it is named and stays.

    + servers: names or addresses; with none it asks whom the distribution asks

    **Example:** ``clock.sources(servers=("ntp.example.org",))``
    """
    there = mail_host()
    for path in there.system.get("clock_jobs", "").split():
        warn(f"{path} sets the clock beside chrony, which makes it jump; take that out, it is not mailroom's to change")
    after = without_others(there.text(CONF) or "", bool(servers))
    yield from edited(CONF, after, check='chronyd -p -f "$new" >/dev/null')
    if servers:
        yield from written(SOURCES, "".join(f"server {name} iburst\n" for name in servers))
    elif SOURCES in there.files:
        yield shell('rm -f "$1" && chronyc reload sources >/dev/null', SOURCES)


@changing(writes=DROP_IN)
def adjustment() -> Commands:
    """chronyd sets the clock where the host may do that, and only watches it elsewhere.

    **Example:** ``clock.adjustment()``
    """
    there = mail_host()
    may = int(there.system.get("capabilities") or "ffffffff", 16) & CAP_SYS_TIME
    if not may:
        warn("no CAP_SYS_TIME here: chronyd only watches the clock (-x)")
    if not may and differs(DROP_IN, WATCH_ONLY):
        yield shell('mkdir -p "${1%/*}"\n' + PUT.format(check=""), DROP_IN, "644", "root:root", stdin=WATCH_ONLY)
    elif may and DROP_IN in there.files:
        yield shell('rm -f "$1" && systemctl daemon-reload && systemctl try-restart chrony', DROP_IN)
