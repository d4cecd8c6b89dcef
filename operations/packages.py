"""Packages, asked for in one reading; what an installation that was cut off left behind is finished first.

With apt-get and yum these are our own commands. pyinfra's apt gives up where another program holds a lock; its yum asks
`dnf repoquery`, which a host with yum alone does not have.
"""

from collections.abc import Callable
from typing import Any

from pyinfra import host, logger, state
from pyinfra.operations import dnf

from operations.base import Commands, changing, mail_host, shell

PATIENCE = 900  # seconds: an unattended upgrade takes minutes

# apt-get would wait by itself (DPkg::Lock::Timeout), but for two of its four locks only, and dpkg not at all; so their
# own words are read. A half-installed package may have to be fetched once more: hence -f behind the update.
# https://manpages.debian.org/dpkg.1 ("--configure"), https://manpages.debian.org/apt-get.8 ("-f")
APT = """export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
patience=$1 unfinished=$2
shift 2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { apt-get -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
patient() {
    waited=0
    while :; do
        code=0
        "$@" >"$log" 2>&1 </dev/null || code=$?
        cat "$log"
        [ $code != 0 ] && grep -E 'Could not get lock|Unable to lock|[wi]s locked by another process' "$log" >&2 || return $code
        if [ $waited -ge "$patience" ]; then
            echo "that lock was held for $patience s; wait for that program, or end it, and run again" >&2
            exit 1
        fi
        waited=$((waited + 5))
        sleep 5
    done
}
# Debian makes PostgreSQL's cluster while it configures the package, and takes half a one for a whole one afterwards. A cluster
# that no server has ever started (it would have written postmaster.opts) holds nobody's data, and is made anew.
for package in $unfinished; do
    version=${package#postgresql-}
    case $version in $package | *[!0-9]*) continue ;; esac
    for data in /var/lib/postgresql/$version/main /etc/postgresql/$version/main; do
        [ -e "/var/lib/postgresql/$version/main/postmaster.opts" ] && continue
        [ ! -d "$data" ] || find "$data" -depth -delete
    done
done
[ -z "$unfinished" ] || patient dpkg --force-confdef --force-confold --configure -a || true # what it cannot, -f will
patient apt update
[ -z "$unfinished" ] || patient apt -f install
patient apt install --no-install-recommends "$@"
"""

INSTALL: dict[str, Callable[[list[str], str], Any]] = {
    "apt-get": lambda names, unfinished: [shell(APT, str(PATIENCE), unfinished, *names)],
    "dnf": lambda names, _: dnf.packages._inner(packages=names),  # waits by itself, as yum does
    "yum": lambda names, _: [shell('yum install -y "$@"', *names)],
}


@changing
def installed(names: tuple[str, ...], managers: tuple[str, ...]) -> Commands:
    """These packages are installed, with the first of `managers` that the host has. Package lists are refreshed only when
    something is missing (dnf and yum do that themselves). A package that is unpacked but not configured is not installed."""
    there = mail_host()
    missing = [name for name in names if name not in there.packages]
    if missing:
        known = there.system.get("managers", "").split()
        unfinished = ", ".join(f"{name} {how}" for name, how in there.unfinished.items())
        if there.dpkg_holder:
            _say(f"waiting for {there.dpkg_holder}, which installs something: up to {PATIENCE // 60} minutes")
        elif unfinished:
            _say(f"an installation was cut off here, and is finished first: {unfinished}")
        yield from INSTALL[next((one for one in managers if one in known), managers[0])](missing, unfinished)


def _say(text: str) -> None:
    if state.is_executing:
        host.log_styled(text, fg="yellow", log_func=logger.warning)
