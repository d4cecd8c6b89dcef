"""The host as its own tools show it: files, listeners, units and their journal."""

import re
import shlex
from dataclasses import dataclass

from checks.engine import Failed, Skipped, Target, Warned
from checks.engine.verdicts import CannotStart

STATUS = "On the host: systemctl status {0}; journalctl -u {0} -n 20."
REVIVED = "Run the step again: it puts mailroom-supervised.conf beside the unit; then systemctl daemon-reload."
LOOPBACK = ("127.", "[::1]", "[::ffff:127.")


@dataclass(frozen=True)
class File:
    path: str
    mode: str  # octal, as stat prints it
    user: str
    group: str
    kind: str

    @property
    def open_to_group(self) -> bool:
        return bool(int(self.mode, 8) & 0o077)

    @property
    def open_to_others(self) -> bool:
        return bool(int(self.mode, 8) & 0o007)

    def __str__(self) -> str:
        return f"{self.mode} {self.user}:{self.group}"


STAT = "stat -L -c '%a %U %G %F:%n' --"  # a link's own mode says nothing


def file(target: Target, path: str) -> File:
    """Mode and owner of a file or of what a link leads to; raises Failed where there is none."""
    return _file(target.shell(f"{STAT} {shlex.quote(path)}"))


def socket_of_postfix(target: Target, path: str, mode: str) -> str:
    """A socket that belongs to Postfix, with this mode and no other."""
    found = file(target, path)
    if (found.kind, str(found)) != ("socket", f"{mode} postfix:postfix"):
        raise Failed(f"{path}: {found.kind}, {found}")
    return f"{found.kind}, {found}"


def files(target: Target, listing: str) -> list[File]:
    """The files that a shell command names, a line each."""
    return [_file(line) for line in target.shell(f"{listing} | xargs -r -d '\\n' {STAT}").splitlines()]


def closed_to_others(listed: list[File]) -> None:
    """Raises Failed, with those that others than owner and group may read, write or enter."""
    if found := [f"{one} {one.path}" for one in listed if one.open_to_others]:
        raise Failed("; ".join(found))


def _file(line: str) -> File:
    # a warning of the login's or of stat's own comes on the same stream
    found = re.fullmatch(r"([0-7]+) (\S+) (\S+) ([^:]+):(.+)", line)
    if not found:
        raise Failed(f"the answer of stat has no mode and owner in it: {line or '(nothing)'}")
    mode, user, group, kind, path = found.groups()
    return File(path, mode, user, group, kind)


def listens(target: Target, port: int, unit: str) -> str:
    """Somebody accepts connections there, or the failure quotes what the host knows of it."""
    if reason := target.vantage.probe(target.address, port):
        raise Failed(f"port {port}: {reason}{last_words(target, unit)}", STATUS.format(unit))
    return f"port {port} answers to {target.vantage.name}"


def listeners(target: Target) -> list[tuple[str, int, str]]:
    """Address, port and program of everything that listens; a program may be hidden from us."""
    found = []
    for line in target.shell("ss -Hltnp").splitlines():
        listener = re.match(r"LISTEN\s+\d+\s+\d+\s+(\S+):(\d+)\s+\S+(?:\s+users:\(\(\"([^\"]*)\")?", line)
        if not listener:
            raise Failed(f"the answer of ss has a line that is no listener: {line}")
        address, port, program = listener.groups(default="")
        found.append((address, int(port), program))
    return found


def last_words(target: Target, unit: str) -> str:
    """The unit's state and what its journal complains of, if the host can be asked."""
    try:
        state = target.shell(f"systemctl is-active {unit}", may_fail=True)
        # 'unit@*' because Debian 12's Postfix and PostgreSQL run as instances.
        journal = f"journalctl -q -n 30 --no-pager -o cat -u {unit} -u '{unit}@*' 2>/dev/null"
        lines = target.shell(journal, may_fail=True).splitlines()
    except (Failed, Skipped, CannotStart, OSError):
        return ""
    bad = [line for line in lines if re.search(r"error|fatal|panic|failed", line, re.I)]
    # The same complaint comes again with other numbers in it: once is enough.
    words = list({re.sub(r"\d+", "", line): line for line in bad or lines[-2:]}.values())[-3:]
    return "\n".join(["", f"{unit} is {state}; its journal says:" if words else f"{unit} is {state}", *words])


def complaints(target: Target, unit: str, pattern: str, but: str = "^$") -> str:
    """Error lines of the journal since the unit's start, without those that match `but`; to look at, not to fail for."""
    found = target.shell(
        f"since=$(systemctl show -P ActiveEnterTimestamp {unit}); "
        f"journalctl -q --no-pager -o cat -u '{unit}*' --since \"${{since#* }}\" "
        f"| grep -E '{pattern}' | grep -vE '{but}' | tail -n 3",
        may_fail=True,
    )
    if found:
        raise Warned(found)
    return "no error in the journal"


def revived(target: Target, pid: str) -> str:
    """The unit of the process whose id this command prints, and what systemd does when it dies."""
    found = target.shell(f'unit=$(ps -o unit= -p $({pid})); echo "$unit $(systemctl show -P Restart "$unit")"').split()
    if len(found) != 2 or found[1] not in ("on-failure", "always", "on-abnormal"):
        raise Failed(f"{' '.join(found)}: it stays dead")
    return f"{found[0]}: Restart={found[1]}"


def current(target: Target, unit: str, files: str) -> str:
    """No file that this `find` lists is newer than the unit's start."""
    found = target.shell(
        f"started=$(date +%s -d \"$(systemctl show -P ActiveEnterTimestamp {unit} | cut -d' ' -f2-)\"); "
        f'find {files} -newermt "@$((started + 1))"'
    )
    if found:
        raise Failed(f"changed since it was started: {found}")
    return "started after its newest file"


def may(target: Target, user: str, test: str) -> bool:
    """Whether this test of the shell, such as `test -w /path`, holds for a user of the host."""
    # the group nobody's name is nogroup on Debian, nobody elsewhere
    as_user = f'setpriv --reuid={user} --regid="$(id -g {user})" --clear-groups'
    return target.shell(f"{as_user} sh -c '{{ {test}; }} && echo yes || echo no'") != "no"


def for_root_alone(target: Target, path: str) -> str:
    """A file of root's with no right for group or others."""
    found = file(target, path)
    if found.user != "root" or found.open_to_group:
        raise Failed(f"{path} is {found.mode} of {found.user}")
    return f"{path}: {found.mode} {found.user}"
