"""Services that run what their files say."""

from pyinfra import host, state

from facts.serving import ReadServing
from operations.base import Commands, changed, changing, mail_host, proven, shell
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

WITHDRAW = """for unit in $1; do systemctl disable --quiet --now "$unit" 2>/dev/null || :; done
shift
rm -rf "$@"
for file; do case $file in *.d/*) [ ! -d "${file%/*}" ] || rmdir --ignore-fail-on-non-empty "${file%/*}" ;; esac; done
systemctl daemon-reload
"""

# An operation that raises would end in a traceback; a command that fails is reported as any other.
NOT_SERVING = """exec >&2
echo "all is in place, but not everything serves:"
printf '%s\\n' "$@"
echo "fix that (journalctl -u postfix -u dovecot -e says more) and run again: it will be asked again"
exit 1
"""


def drop_in_path(service: str, file: str = "mailroom") -> str:
    """Where our settings for a unit are."""
    return f"/etc/systemd/system/{service}.d/{file}.conf"


@changing(writes="/etc/systemd/system/{service}.d/{file}.conf", units="{service}")
def drop_in(service: str, text: str, file: str = "mailroom") -> Commands:
    """Settings for a unit of the distribution's, beside the file that its package brings
    (https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html).

    + service: the unit, with its suffix
    + text: sections and lines
    + file: the file's name without its suffix

    **Example:** ``services.drop_in(service="dovecot.service", text="[Service]\\nRestart=always")``
    """
    path = drop_in_path(service, file)
    if differs(path, text):
        yield shell('mkdir -p "$1"', path.rpartition("/")[0])
        yield put_command(path, text)
        yield shell("systemctl daemon-reload")
    elif (found := mail_host().units.get(service.removesuffix(".service"))) and found.outdated:
        yield shell("systemctl daemon-reload")  # a run died before it


@changing(reads="{files}", units="{units}")
def withdrawn(files: tuple[str, ...], units: tuple[str, ...] = ()) -> Commands:
    """Files of ours that systemd reads, and what they set, are gone; units of ours among them are stopped first.

    + files: units, drop-ins, and what they have read; a directory goes with all that is in it
    + units: those of them that may run

    **Example:** ``services.withdrawn(files=("/etc/systemd/system/m.service",), units=("m.service",))``
    """
    if there := [path for path in files if path in mail_host().files]:
        yield shell(WITHDRAW, " ".join(units), *there)


@changing(
    units=("{service}", "{enabled_by}"),
    packages=("{only_if_installed}", "{unless_installed}"),
    reads=("{only_with}", "{files}"),
)
def service(
    service: str,
    running: bool = True,
    files: tuple[str, ...] = (),
    port: int | None = None,
    enabled_by: str = "",
    only_if_installed: str = "",
    unless_installed: str = "",
    only_with: str = "",
    check: str = "true",
    read_again: tuple[str, ...] = (),
    told_by: str = "",
) -> Commands:
    """The unit, a timer for instance, runs, starts at boot, and was started after the last change of `files`.

    Comparing times, instead of asking whether this run changed a file, restarts a service also after a run that died
    between the change and the restart.

    + service: the unit; of a service without its suffix
    + running: False stops and masks it, also where its package is not installed yet: it would be started at once
    + files: what it reads when it starts
    + port: where it has to listen afterwards
    + enabled_by: the unit that carries the enablement, where that is another one
    + only_if_installed: a package, without which nothing is to do
    + unless_installed: a package; with it the unit is its own, or another administrator's
    + only_with: a file of ours. Without it the unit serves somebody else, or is not set up yet, and nothing is to do
    + check: a line of shell that fails when the files are wrong: the unit is then left as it is
    + read_again, told_by: those of the files that another program has the running unit read, and the file that it writes when it has

    **Example:** ``services.service(service="postfix", files=("/etc/postfix/main.cf",), port=25, check="postfix check")``
    """
    there = mail_host()
    if only_if_installed and only_if_installed not in there.packages:
        return f"{only_if_installed} is not installed"
    if unless_installed and unless_installed in there.packages:
        return f"{unless_installed} was here before"
    if only_with and only_with not in there.files:
        return f"not set up here: there is no {only_with}"
    found = there.units.get(service)
    if not running:
        if found is None or found.active or found.enabled != "masked":
            yield shell('systemctl mask --quiet --now "$1"', service)
        return
    # a time in the future (the clock was set back) would ask for a restart at every run
    told = there.files[told_by].mtime if told_by in there.files else 0.0
    dates = {path: there.files[path].mtime for path in files if path in there.files}
    times = [time for path, time in dates.items() if path not in read_again or time > told]
    newest = max((time for time in times if time <= float(there.system["now"]) + 1), default=0.0)
    enabled = there.units.get(enabled_by or service)
    stopped = [one for one in (found, enabled) if one is None or not one.active]
    if found is None or stopped or found.started < newest:
        yield shell(START.format(check=check), service, str(port or ""), enabled_by)
    # a socket alone would start its daemon with the first letter after a boot, which would wait for it
    for one in (enabled_by, service) if enabled_by.endswith(".socket") else (enabled_by or service,):
        state = there.units.get(one)
        if state is None or not state.enabled.startswith(("enabled", "static", "generated", "alias")):
            yield shell('systemctl unmask --quiet "$1"; systemctl enable --quiet "$1"', one)


@changing()
def health(user: str, domain: str) -> Commands:
    """All that is set up on the host serves: greets, shows its certificate, finds this user. Asked only where a run has changed
    something that nobody has asked about since; a failed answer fails the run, and is asked for again by the next one.

    + user: the address of a mailbox
    + domain: one that the host takes mail for

    **Example:** ``services.health(user="foo@example.org", domain="example.org")``
    """
    if not (state.is_executing and changed()):
        return "nothing was changed that nobody has asked about since"
    problems = host.get_fact(ReadServing, user=user, domain=domain)
    if problems:
        told = (f"{what}; its journal: {why.strip('; ') or 'nothing'}" for what, why in map(_two, problems))
        yield shell(NOT_SERVING, *told)
    else:
        proven()
        return "it serves"


def _two(problem: str) -> tuple[str, str]:
    what, _, why = problem.partition(" | ")
    return what, why
