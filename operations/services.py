"""Services that run what their files say."""

from operations.base import Commands, changing, mail_host, shell

# Waits for the port as well: a unit is "active" before PostgreSQL answers, and what follows needs the answer.
START = """systemctl enable --quiet "$1" 2>/dev/null || true
systemctl restart "$1" || { journalctl -u "$1" -n 15 --no-pager -o cat >&2; exit 1; }
n=0
while [ -n "$2" ] && ! ss -Hlnt "sport = :$2" | grep -q .; do
    n=$((n + 1))
    [ $n -lt 100 ] || { echo "$1 does not listen on port $2 after 10 s" >&2; exit 1; }
    sleep 0.1
done
"""


@changing
def running(
    unit: str, files: tuple[str, ...] = (), port: int | None = None, enable: str = "", only_if_installed: str = ""
) -> Commands:
    """The unit runs, starts at boot, and was started after the last change of `files`.

    Comparing times, instead of asking whether this run changed a file, restarts a service also after a run that died
    between the change and the restart. `enable` names the unit that carries the enablement where that is another one.
    """
    there = mail_host()
    if only_if_installed and only_if_installed not in there.packages:
        return
    found = there.units.get(unit)
    # a time in the future (the clock was set back) would ask for a restart at every run
    times = [there.files[path].mtime for path in files if path in there.files]
    newest = max((time for time in times if time <= float(there.system["now"]) + 1), default=0.0)
    enabled = there.units.get(enable or unit)
    if found is None or not found.active or found.started < newest:
        yield shell(START, unit, str(port or ""))
    if enabled is None or not enabled.enabled.startswith(("enabled", "static", "generated", "alias")):
        yield shell('systemctl enable --quiet "$1"', enable or unit)
