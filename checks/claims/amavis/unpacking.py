"""Archives are opened to their end, or not let through."""

from checks.clients import amavis
from checks.engine import Failed, Target, claim, conditions, negative


@claim(
    "Amavis has a program for every kind of archive that it knows",
    remedy="Install what the line in the log names: journalctl -u amavis | grep -E 'No (decoder|ext program) for'.",
)
def decoders(target: Target) -> str:
    started = "_SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID amavis)"
    found = target.shell(
        f"journalctl -q --no-pager -o cat {started} | sed -n 's/.*No decoder for  *//p'", may_fail=True
    )
    if found:
        raise Failed(f"no decoder for {', '.join(found.split())}: what is packed so, it does not see")
    return "its log names none that is missing"


@negative(
    "What cannot be looked at to its end is not let through",
    remedy="$final_unchecked_destiny, $banned_namepath_re and clamd's AlertExceedsMax; see chapter 3, unpacking.",
)
def closed(target: Target) -> str:
    known = amavis.settings(target)
    if known["unread"] == "pass" or known["unopened"] == "pass":
        raise Failed(f"over a limit: {known['unread']}; what cannot be opened: {known['unopened']}")
    tells = "grep -iE '^AlertExceedsMax +(yes|true|1)$' /etc/clamav/clamd.conf"
    if conditions.has(target, "antivirus") and not target.shell(tells, may_fail=True):
        raise Failed("clamd calls clean what it did not look at to its end")
    return f"over a limit: {known['unread']}; what cannot be opened: {known['unopened']}"
