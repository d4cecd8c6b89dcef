"""The log tells what Sieve did, and not more than it should."""

from checks.clients import incoming
from checks.engine import Failed, Target, Warned, claim, negative


@claim(
    "Dovecot's log tells what Sieve did with a letter",
    needs="elsewhere ssh smtp postgresql lmtp",
    remedy="journalctl -u dovecot; see chapter 5, debugging.",
)
def told(target: Target) -> str:
    mark = incoming.ordinary(target).message_id.strip("<>")
    found = target.shell(
        f"journalctl -q --no-pager -o cat -u dovecot --since '-5 minutes' | grep -F '{mark}' | tail -n 1"
    )
    if not found:
        raise Failed("no line about the letter in Dovecot's log")
    return found.partition("msgid=")[2].partition(": ")[2] or found


@negative(
    "Nobody left the debug log on",
    needs="ssh",
    remedy="mail_debug = False in the inventory's data; then run the chapter.",
)
def off(target: Target) -> str:
    found = target.shell(
        "doveconf -n 2>/dev/null | grep -E '^(mail_debug|auth_debug|log_debug|auth_verbose_passwords)'", may_fail=True
    )
    if loud := [line for line in found.splitlines() if not line.endswith(("= no", "="))]:
        raise Warned("; ".join(loud))
    return "neither mail_debug nor log_debug"
