"""Services that run what their files say."""

from pyinfra import host, state

from facts.serving import ReadServing
from operations.base import Commands, changed, changing, mail_host, proven, reads, shell, writes
from operations.files import differs, put_command

# Waits for the port as well: a unit is "active" before PostgreSQL answers, and what follows needs the answer.
# Learners restart often: without reset-failed, systemd refuses a sixth start within ten seconds.
# A running daemon is not stopped for files that it would not start with: the check comes first.
START = """{check} || {{ echo "$1 would not start with its files; it was left as it is" >&2; exit 1; }}
for unit in "$1" $3; do [ "$(systemctl is-enabled "$unit" 2>/dev/null)" != masked ] || systemctl unmask --quiet "$unit"; done
systemctl daemon-reload
systemctl reset-failed "$1" 2>/dev/null || true
systemctl restart "$1" || {{ journalctl -u "$1" -n 15 --no-pager -o cat >&2; exit 1; }}
systemctl is-active --quiet "$1" || {{ systemctl status "$1" --no-pager -n 15 >&2; exit 1; }}
n=0
while [ -n "$2" ] && ! ss -Hlnt "sport = :$2" | grep -q .; do
    n=$((n + 1))
    [ $n -lt 300 ] || {{ echo "$1 does not listen on port $2 after 30 s" >&2; exit 1; }}
    sleep 0.1
done
[ -z "$3" ] || systemctl start "$3"
"""

# An operation that raises would end in a traceback; a command that fails is reported as any other.
NOT_SERVING = """exec >&2
echo "all is in place, but not everything serves:"
printf '%s\\n' "$@"
echo "fix that (journalctl -u postfix -u dovecot -e says more) and run again: it will be asked again"
exit 1
"""


def drop_in_path(unit: str, file: str = "mailroom") -> str:
    """Where our settings for a unit stand."""
    return f"/etc/systemd/system/{unit}.d/{file}.conf"


@writes("/etc/systemd/system/{unit}.d/{file}.conf")
@changing
def drop_in(unit: str, text: str, file: str = "mailroom") -> Commands:
    """Our settings for a unit of the distribution's, beside the file that its package brings
    (https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html)."""
    path = drop_in_path(unit, file)
    if differs(path, text):
        yield shell('mkdir -p "$1"', path.rpartition("/")[0])
        yield put_command(path, text)
        yield shell("systemctl daemon-reload")
    elif (found := mail_host().units.get(unit.removesuffix(".service"))) and found.outdated:
        yield shell("systemctl daemon-reload")  # a run died before it


@changing
def on(unit: str) -> Commands:
    """The unit, a timer for instance, is active and starts at boot."""
    there = mail_host().units.get(unit)
    if there is None or not (there.active and there.enabled == "enabled"):
        yield shell('systemctl unmask --quiet "$1"; systemctl enable --quiet --now "$1"', unit)


@reads("{only_with}")
@changing
def off(unit: str, only_with: str = "") -> Commands:
    """The unit is stopped and masked, also where its package is not installed yet: it would be started at once.

    With `only_with`, a file of ours, only where that is: without it the unit serves somebody else.
    """
    there = mail_host().units.get(unit)
    if only_with and only_with not in mail_host().files:
        return
    if there is None or there.active or there.enabled != "masked":
        yield shell('systemctl mask --quiet --now "$1"', unit)


@reads("{only_with}")
@changing
def running(
    unit: str,
    files: tuple[str, ...] = (),
    port: int | None = None,
    enable: str = "",
    only_if_installed: str = "",
    only_with: str = "",
    check: str = "true",
) -> Commands:
    """The unit runs, starts at boot, and was started after the last change of `files`.

    Comparing times, instead of asking whether this run changed a file, restarts a service also after a run that died
    between the change and the restart. `enable` names the unit that carries the enablement where that is another one; `check` is a
    shell command that fails when the files are wrong. `only_with` is a file of ours: without it the package is there, but
    not yet set up (a run may have died in between).
    """
    there = mail_host()
    if (only_if_installed and only_if_installed not in there.packages) or (only_with and only_with not in there.files):
        return
    found = there.units.get(unit)
    # a time in the future (the clock was set back) would ask for a restart at every run
    times = [there.files[path].mtime for path in files if path in there.files]
    newest = max((time for time in times if time <= float(there.system["now"]) + 1), default=0.0)
    enabled = there.units.get(enable or unit)
    stopped = [one for one in (found, enabled) if one is None or not one.active]
    if found is None or stopped or found.started < newest:
        yield shell(START.format(check=check), unit, str(port or ""), enable)
    # a socket alone would start its daemon with the first letter after a boot, which would wait for it
    for one in (enable, unit) if enable.endswith(".socket") else (enable or unit,):
        state = there.units.get(one)
        if state is None or not state.enabled.startswith(("enabled", "static", "generated", "alias")):
            yield shell('systemctl enable --quiet "$1"', one)


@changing
def serving(user: str, domain: str) -> Commands:
    """All that is set up on the host serves: greets, shows its certificate, finds this user. Asked only where a run has changed
    something that nobody has asked about since; a failed answer fails the run, and is asked for again by the next one.
    """
    if not (state.is_executing and changed()):
        return
    problems = host.get_fact(ReadServing, user=user, domain=domain)
    if problems:
        told = (f"{what}; its journal: {why.strip('; ') or 'nothing'}" for what, why in map(_two, problems))
        yield shell(NOT_SERVING, *told)
    else:
        proven()


def _two(problem: str) -> tuple[str, str]:
    what, _, why = problem.partition(" | ")
    return what, why
