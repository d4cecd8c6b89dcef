"""From one Debian release to the next, in place. Each operation finds out by itself what is still to do: after an interruption the same
run goes on where the last one ended.
https://www.debian.org/releases/trixie/release-notes/upgrading.en.html
"""

from facts.mail_host import MailHost
from operations.base import Commands, changing, mail_host, shell, warn
from operations.packages import APT, PATIENCE
from operations.upgraded import KEPT

FULL = {"bookworm": "trixie"}
# By release: packages of ours, and how the versions begin that it has. One that lags behind tells of an upgrade that was cut off.
VERSIONS = {"trixie": {"postfix": "3.10.", "postgresql": "17+", "dovecot-imapd": "1:2.4.", "amavisd-new": "1:2.13."}}
SOURCES = "/etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources"

# What is kept is whole or not there: a name ending in .new is of a run that was cut off.
KEEP = """umask 077
mkdir -p "$1" && cd "$1"
[ -e etc.tar.gz ] || { tar -C / -czf etc.tar.gz.new etc && mv etc.tar.gz.new etc.tar.gz; }
[ -e postgresql.sql.gz ] || {
    (cd / && runuser -u postgres -- pg_dumpall) >dump.new
    gzip -f dump.new
    mv dump.new.gz postgresql.sql.gz
}
dpkg --get-selections >packages
"""

# All of apt.sh's patience, and a command of our own at its end. Dovecot would be started with the text of the release before.
UPGRADE = (
    APT
    + """trap 'rm -f "$log"; systemctl unmask --runtime --quiet dovecot.service dovecot.socket 2>/dev/null || true' EXIT
case $1 in
current) patient apt upgrade ;;
download) patient apt --download-only full-upgrade ;;
full)
    systemctl mask --runtime --quiet dovecot.service dovecot.socket
    systemctl stop dovecot.service dovecot.socket 2>/dev/null || true
    patient apt upgrade --without-new-pkgs
    patient apt full-upgrade
    ;;
esac
"""
)

NAME = f"""for file in {SOURCES}; do
    [ ! -f "$file" ] || sed -i -E "/^[[:space:]]*(#|URIs:|Signed-By:)/! s/\\\\b$1\\\\b/$2/g" "$file"
done
"""


@changing(reads=f"{KEPT}/before-trixie/packages")
def kept() -> Commands:
    """A way back is made, once: /etc with all configuration, the databases with all accounts, and the names of all packages.

    **Example:** ``release.kept()``
    """
    folder = f"{KEPT}/before-{after(mail_host())}"
    if to_do(mail_host()) and f"{folder}/packages" not in mail_host().files:
        yield shell(KEEP, folder)


@changing()
def current() -> Commands:
    """The release that is here is at its last state: the next one is tried from there, and from nowhere else.

    **Example:** ``release.current()``
    """
    there = mail_host()
    if to_do(there) and not begun(there):
        yield shell(UPGRADE, str(PATIENCE), _unfinished(there), "current")


@changing()
def named() -> Commands:
    """apt's sources name the next release.

    **Example:** ``release.named()``
    """
    there = mail_host()
    if to_do(there) and not begun(there):
        yield shell(NAME, there.system["codename"], after(there))


@changing()
def downloaded() -> Commands:
    """All that is to be installed is here already: nothing waits for the network while the daemons are away.

    **Example:** ``release.downloaded()``
    """
    if to_do(mail_host()):
        yield shell(UPGRADE, str(PATIENCE), _unfinished(mail_host()), "download")


@changing()
def installed() -> Commands:
    """The host is of the next release. Files that somebody has changed stay as they are.

    **Example:** ``release.installed()``
    """
    there = mail_host()
    if to_do(there):
        warn(
            "the packages of the new release are installed now: some minutes, and for a part of them nobody can log in"
        )
        yield shell(UPGRADE, str(PATIENCE), _unfinished(there), "full")


def after(there: MailHost) -> str:
    """The release that comes after the host's own, by its name; "" where we have not tried one."""
    codename = there.system.get("codename", "")
    return codename if codename in FULL.values() else FULL.get(codename, "")


def to_do(there: MailHost) -> bool:
    """Whether the host still is to be upgraded: it says so itself, or its upgrade has begun and has not ended."""
    return there.system.get("codename", "") in FULL or bool(there.unfinished) or bool(lagging(there))


def lagging(there: MailHost) -> list[str]:
    """Packages of ours that are of the release before the one that the host says it is."""
    wanted = VERSIONS.get(there.system.get("codename", ""), {})
    known = {name: there.packages[name] for name in wanted if name in there.packages}
    return [f"{name} {version}" for name, version in known.items() if not version.startswith(wanted[name])]


def begun(there: MailHost) -> bool:
    """Whether apt installs from a later release than the one that the host says it is."""
    return after(there) != there.system.get("codename") and after(there) in there.system.get("suites", "").split()


def loose(there: MailHost) -> list[str]:
    """Names in apt's sources that are another release each time: "stable", "stable-updates"."""
    found = there.system.get("suites", "").split()
    return list(dict.fromkeys(one for one in found if one.partition("-")[0] in ("stable", "oldstable", "testing")))


def _unfinished(there: MailHost) -> str:
    return ", ".join(f"{name} {how}" for name, how in there.unfinished.items())
