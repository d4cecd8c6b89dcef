"""What changes keys on the host: three scripts, each under the lock of a run, and each in steps that leave a whole state behind them
wherever they are cut off. A key appears by ln(1), another one signs by rename(2), an old one goes by rm(1)."""

import shlex
from collections.abc import Sequence

from checks.engine.target import Target
from checks.engine.verdicts import Failed
from postmaster.keys.state import KEYS

BUSY = "busy "
# The locks of a run and of its commands (operations/hold.py).
HOLD = """umask 077
exec 9>>/run/mailroom.lock 8>>/run/mailroom.command
flock -w 20 9 || { echo "busy $(cat /run/mailroom.lock)"; exit 0; }
flock -w 20 8 || { echo "busy a command of a run that was cut off"; exit 0; }
printf '%s since %s' "postmaster dkim" "$(date '+%F %T %Z')" >/run/mailroom.lock || :
new=
trap 'rm -f "$new"' EXIT
group() { stat -c %G "$1"; }
full() { df -Ph . | tail -n1; }
waiting() { for key in *.pem; do [ ! -f "$key" ] || grep -q "^${key%.pem} " signing || echo "${key%.pem}"; done; }
public() { openssl pkey -in "$1" -passin pass: -pubout -outform DER 2>/dev/null </dev/null | base64 -w0; }
"""
# A name that was used before is not used again: resolvers and letters may still know it.
ROTATE = """for domain; do
    cd "$keys/$domain" && [ -s signing ] || { echo "failed $domain has no keys"; exit 0; }
    [ -z "$(waiting)" ] || { echo "there $domain $(waiting)"; continue; }
    name=m$(date -u +%Y%m%d) n=1
    while [ -e "$name.pem" ] || grep -q "^$name " signing; do n=$((n + 1)); name=m$(date -u +%Y%m%d)-$n; done
    new=$(mktemp ./new.mailroom.XXXXXX)
    openssl genrsa -out "$new" 2048 2>/dev/null && chown "root:$(group signing)" "$new" && chmod 640 "$new" &&
        [ -n "$(public "$new")" ] && ln "$new" "$name.pem" || { echo "failed the key of $domain cannot be written: $(full)"; exit 0; }
    rm -f "$new"
    echo "made $domain $name"
done
"""
# Domain, the key that signs, the next one and its public half: all as they were when the DNS was asked, or nothing changes.
SWITCH = """set --
while read -r domain old next half; do
    cd "$keys/$domain" || exit 0
    [ "$(sed -n '1s/ .*//p' signing)" = "$old" ] && [ "$(public "$next.pem")" = "$half" ] && ! grep -q "^$next " signing ||
        { echo "changed $domain"; exit 0; }
    [ "$(date -u +%FT%TZ)" '>' "$(sed -n '1s/^[^ ]* //p' signing)" ] || { echo "clock $domain"; exit 0; }
    set -- "$@" "$domain" "$next"
done
back=
test_config() { amavisd test-config 2>&1; }
said=$(test_config) || { echo "refused $said" | tr '\\n' ' '; exit 0; }
while [ $# -gt 0 ]; do
    cd "$keys/$1"
    new=$(mktemp ./new.mailroom.XXXXXX)
    { echo "$2 $(date -u +%FT%TZ)" && sed "1s/\\$/ $(date -u +%FT%TZ)/" signing; } >"$new" &&
        chown "root:$(group signing)" "$new" && chmod 640 "$new" && mv -f "$new" signing ||
        { echo "failed $1: $keys/$1/signing cannot be written: $(full)"; break; }
    echo "switched $1 $2"
    shift 2
done
said=$(test_config) || { echo "failed Amavis would not start with its files, and was left as it is: $said" | tr '\\n' ' '; exit 0; }
systemctl reset-failed amavis 2>/dev/null || :
systemctl restart amavis >/dev/null 2>&1 || { echo "failed Amavis does not start: journalctl -u amavis -n 20"; exit 0; }
n=0
until ss -Hlnt 'sport = :10024' | grep -q .; do
    n=$((n + 1)); [ $n -lt 300 ] || { echo "failed Amavis does not listen: journalctl -u amavis -n 20"; exit 0; }; sleep 0.1
done
postqueue -f || : # what came while Amavis was away would wait for minutes
echo restarted
"""
RETIRE = """while read -r domain old; do
    cd "$keys/$domain" || exit 0
    [ "$(sed -n '1s/ .*//p' signing)" != "$old" ] && grep -q "^$old " signing || { echo "changed $domain"; exit 0; }
    rm -f "$old.pem" && echo "retired $domain $old"
done
"""


class Refused(Failed):
    """Nothing was changed, and why; or what was, and what was not."""


def run(target: Target, script: str, *words: str, rows: Sequence[Sequence[str]] = ()) -> list[tuple[str, str]]:
    """What the script has done, in its own words: [("made", "example.org m20261201")]."""
    table = "".join(f"{' '.join(row)}\n" for row in rows)
    whole = f"keys={KEYS}\n{HOLD}{script}"
    command = f"printf %s {shlex.quote(table)} | sh -c {shlex.quote(whole)} mailroom {shlex.join(words)}"
    printed = target.shell(command, may_fail=True, timeout=150.0)
    said = [(kind, rest.strip()) for kind, _, rest in (row.partition(" ") for row in printed.splitlines())]
    for kind, rest in said:
        if kind == "busy":
            raise Refused(
                f"{rest or 'Another run'} is changing {target.hostname}; nothing was changed. Try again when it has ended."
            )
        if kind == "changed":
            raise Refused(
                f"The keys of {rest} have changed since they were read, by somebody else; nothing was changed by this command. "
                "Look again: python -m postmaster dkim"
            )
        if kind == "clock":
            raise Refused(
                f"By the clock of {target.hostname} the key of {rest} would begin before the one that signs now: the clock was set "
                "back. Nothing was changed. On the host: timedatectl; chronyc tracking"
            )
        if kind == "refused":
            raise Refused(f"Amavis would not start with its files, so nothing was changed: {rest[-300:]}")
        if kind == "failed":
            done = ", ".join(f"{verb} {what}" for verb, what in said if verb in ("made", "switched", "retired"))
            raise Refused(f"{rest}. Done before: {done or 'nothing'}. Run the same command again when that is fixed.")
    return said
