"""chrony: whom it asks for the time, and whether it may set the clock."""

import re

from pyinfra import host, logger, state

from operations import preview
from operations.base import Commands, changing, edits, mail_host, shell, writes
from operations.files import PUT, differs, put_command

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


@edits(CONF)
@writes(SOURCES)
@changing
def sources(names: tuple[str, ...]) -> Commands:
    """chronyd asks these servers and no others; with none, whom the distribution asks."""
    there = mail_host()
    before = there.text(CONF) or ""
    after = without_others(before, bool(names))
    if before != after:
        preview.change(CONF, before, after)
        yield put_command(CONF, after, check='chronyd -p -f "$new" >/dev/null')
    lines = "".join(f"server {name} iburst\n" for name in names)
    if names and differs(SOURCES, lines):
        preview.change(SOURCES, there.text(SOURCES) or "", lines)
        yield put_command(SOURCES, lines)
    elif not names and SOURCES in there.files:
        yield shell('rm -f "$1" && chronyc reload sources >/dev/null', SOURCES)


@writes(DROP_IN)
@changing
def allowed() -> Commands:
    """chronyd sets the clock where the host may do that, and only watches it elsewhere."""
    there = mail_host()
    may = int(there.system.get("capabilities") or "ffffffff", 16) & CAP_SYS_TIME
    if not may and state.is_executing:
        host.log_styled(
            "no CAP_SYS_TIME here: chronyd only watches the clock (-x)", fg="yellow", log_func=logger.warning
        )
    if not may and differs(DROP_IN, WATCH_ONLY):
        yield shell('mkdir -p "${1%/*}"\n' + PUT.format(check=""), DROP_IN, "644", "root:root", stdin=WATCH_ONLY)
    elif may and DROP_IN in there.files:
        yield shell('rm -f "$1" && systemctl daemon-reload && systemctl try-restart chrony', DROP_IN)


@changing
def alone() -> Commands:
    """Nothing beside chronyd should set the clock: no ntpdate from cron, as in the article's first try. Such a job is the
    operator's, so it is named and stays."""
    for path in mail_host().system.get("clock_jobs", "").split() if state.is_executing else ():
        host.log_styled(
            f"{path} sets the clock beside chrony, which makes it jump; take that out, it is not mailroom's to change",
            fg="yellow",
            log_func=logger.warning,
        )
    yield from ()
