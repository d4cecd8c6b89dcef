"""The kernel's limits for one user: the defaults are enough for a few hosts, not for a workshop."""

from pathlib import Path

from lab.progress import say

# Each host's systemd watches files with about six instances of inotify, all counted for the same user. Without them it
# starts, waits for its own units for ever, and never comes to sshd (inotify(7), "Too many open files").
NAME = "fs.inotify.max_user_instances"
INSTANCES = Path("/proc/sys", *NAME.split("."))
ENOUGH = 1024
LOW = 512


def raise_inotify() -> None:
    """Raise the limit of inotify instances until the next reboot, or say how to."""
    try:
        now = int(INSTANCES.read_text())
    except (OSError, ValueError):
        return  # not Linux, or hidden: the engine's own machine has its own limit
    if now >= LOW:
        return
    try:
        INSTANCES.write_text(str(ENOUGH))
        say(f"{NAME} was {now}, now {ENOUGH} until the next reboot: every host's systemd needs some")
    except OSError:
        say(f"{NAME} is {now}: enough for a few hosts. For more: sudo sysctl {NAME}={ENOUGH}")
