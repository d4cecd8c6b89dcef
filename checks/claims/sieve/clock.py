"""Steady time: chrony runs alone, and slews the clock where a step would make Dovecot stop."""

import re

from checks.engine import Failed, Target, Warned, claim, negative

NEEDS = "chrony"
RIVALS = "ntpd ntp ntpsec openntpd systemd-timesyncd"


@claim("chrony keeps the clock", needs="ssh", remedy="systemctl enable --now chrony; chronyc sources")
def runs(target: Target) -> str:
    arguments = target.shell("ps -o args= -C chronyd", may_fail=True).splitlines()
    if not arguments:
        raise Failed("chronyd does not run")
    # A container may not set the machine's clock: there -x lets chronyd watch, and whoever owns the machine acts.
    watching = any(re.search(r"\s-x\b", line) for line in arguments)
    lines = [line.partition(":") for line in target.shell("chronyc -n tracking").splitlines()]
    tracked = {name.strip(): value.strip() for name, _, value in lines}
    if tracked.get("Leap status") != "Normal":
        raise Warned("no time source has answered yet", "chronyc -n sources; time_sources in the inventory's data.")
    return (
        f"{tracked['Reference ID']}, {tracked['System time']}"
        f"{'; it only watches: a container has its clock from the machine it runs on' if watching else ''}"
    )


@claim(
    "The clock is slewed; it steps only just after chrony's start",
    needs="ssh",
    remedy="makestep 1 3 in chrony.conf: a negative count would allow a step at any time.",
)
def slews(target: Target) -> str:
    found = target.shell(
        "cat /etc/chrony/chrony.conf /etc/chrony/conf.d/*.conf /etc/chrony.conf 2>/dev/null | grep -E '^ *makestep'",
        may_fail=True,
    ).splitlines()
    for line in found:
        words = line.split()
        if len(words) != 3 or int(words[2]) < 0 or int(words[2]) > 10:
            raise Failed(line)
    return "; ".join(found) or "no makestep at all: never a step"


@negative(
    "Nothing else sets the clock, and ntpdate least of all",
    needs="ssh",
    remedy="Disable the other service; take ntpdate out of cron: it makes the clock jump.",
)
def alone(target: Target) -> str:
    active = [name for name in RIVALS.split() if target.shell(f"systemctl is-active {name}", may_fail=True) == "active"]
    jumps = target.shell(
        "grep -rlsE '(ntpdate|sntp|htpdate|rdate)' /etc/crontab /etc/cron.* /var/spool/cron 2>/dev/null", may_fail=True
    ).split()
    if active or jumps:
        raise Failed(", ".join([*active, *jumps]))
    return "neither a second daemon nor a line in cron"
