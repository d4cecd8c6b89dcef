"""The mail host's journal: every line that complains, and why it may. A pattern that hits nothing has no place here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from lab import Host

WARNING = 4  # syslog's priorities: 4 and everything worse
MAIL = 2  # syslog's facility
COMPLAINT = re.compile(r"\b(?:error|fatal|panic|warning|failed|failure)\b|\(!+\)", re.I)

# What complains on a healthy server.
ALWAYS = {
    r"systemd-update-utmp.*: Failed to connect to audit log": "a container has no audit",
    r"dbus-daemon.*: .*Failed to set fd limit": "a container may not raise its limits",
    r"dovecot.*: master: Warning: Killed with signal 15 \(by pid=1 ": "stopped by systemd, for a restart",
}
# What odd mail makes the workers say.
ODD = {
    r"postfix/cleanup.*: warning: .*message rejected: hopcount exceeded": "100 Received lines: refused at the door",
    r"amavis.*: \(!\)Decoding of p\d+ .* failed, leaving it unpacked": "an attachment that cannot be opened: its letter is held",
}
# What a fault makes the others say, until what is gone is back.
FAULTS = {
    r"systemd.*: \S+: (?:Main process exited, code=killed|Failed with result 'signal')": "it was killed, says systemd",
    r"postfix/\w+.*: warning: process \S+ pid \d+ killed by signal 9": "it was killed, says its master",
}


@dataclass(frozen=True)
class Line:
    priority: int
    facility: int
    text: str  # identifier[pid]: message

    @property
    def complains(self) -> bool:
        return self.priority <= WARNING or (self.facility == MAIL and bool(COMPLAINT.search(self.text)))


def here(host: Host) -> str:
    """Where the journal stands now."""
    return host.run("journalctl -q -n1 --show-cursor --no-pager | sed -n 's/^-- cursor: //p'").stdout.strip()


def since(host: Host, cursor: str) -> list[Line]:
    """All lines since then, of this boot and the ones before."""
    host.run("journalctl --sync", check=False)
    read = host.run(
        ["journalctl", "-q", "-o", "json", "--all", "--no-pager", "--after-cursor", cursor], timeout=300
    ).stdout
    return [line(json.loads(one)) for one in read.splitlines()]


def line(entry: dict[str, object]) -> Line:
    message = entry.get("MESSAGE")
    if isinstance(message, list):  # bytes that are no UTF-8
        message = bytes(message).decode(errors="replace")
    name = entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or "?"
    who = f"{name}[{entry.get('SYSLOG_PID') or entry.get('_PID') or ''}]"
    return Line(int(str(entry.get("PRIORITY", 6))), int(str(entry.get("SYSLOG_FACILITY", -1))), f"{who}: {message}")


def unexplained(lines: list[Line], *explained: dict[str, str]) -> list[str]:
    """Complaints that nothing explains, each kind once."""
    known = re.compile("|".join(pattern for patterns in explained for pattern in patterns))
    left = [one.text for one in lines if one.complains and not known.search(one.text)]
    kinds = {re.sub(r"[0-9A-Fa-f]{8,}|\d+", "N", text): text for text in left}
    return list(kinds.values())
