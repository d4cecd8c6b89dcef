"""Which files of a host the steps write, and look at: what one reading of a host has to read, and which daemon reads what.

Each operation says it of itself (`operations.base.changing`); a step says it by the operations that it uses.
"""

from deploys.told import Told
from operations import base

PROGRAMS = "/usr/local/lib/mailroom"  # our own
UNITS = "/etc/systemd/system"
NGINX = "/etc/nginx/mailroom.conf"
# Which daemon has to be restarted when a file below is new. Sieve's scripts are read at each delivery.
READ_BY = {
    "postfix": ("/etc/postfix/*", "/etc/postfix/*/*"),
    "dovecot": ("/etc/dovecot/*",),
    "amavis": ("/etc/amavis/conf.d/*", "/etc/amavis/mailroom-dkim/*/*", "/etc/spamassassin/*"),
    "clamav": ("/etc/clamav/*", "/var/lib/clamav/*", "/etc/systemd/system/clamav-daemon.*.d/*"),
    "chrony": ("/etc/chrony/*", "/etc/chrony/*/*"),
}


def read_by(kept: Told, role: str, unit: str) -> tuple[str, ...]:
    """The files of ours that a daemon reads when it starts, with what systemd is told about its unit."""
    patterns = (*READ_BY.get(role, ()), f"/etc/systemd/system/{unit}.d/*")
    touched = (base.touched(operation, given) for operation, given in kept)
    files = (path for one in touched for path in (*one.get("writes", ()), *one.get("edits", ())))
    return tuple(dict.fromkeys(path for path in files if base.matches(path, patterns)))
