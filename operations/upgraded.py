"""What an upgrade of the distribution leaves of a mail server: packages that wait for one another, a Dovecot that cannot read its own
text, and the database in the cluster of the release before. What is put aside is kept.
"""

from pyinfra.api.exceptions import OperationError

from facts.mail_host import Cluster, MailHost
from operations.base import Commands, changing, mail_host, shell, warn
from operations.dovecot import CONF, dialect, foreign_settings, language_of, translated
from operations.packages import APT, PATIENCE

PACKAGED = "/usr/share/dovecot/dovecot.conf"  # what Debian's package puts in place of a missing dovecot.conf
KEPT = "/var/backups/mailroom"

# The package's text is Dovecot's beginning in its new language; our blocks come behind it. All of the old folder is kept, with the
# database's password in it: for root alone.
TRANSLATE = """umask 077
mkdir -p "$2"
kept=$2/dovecot-$3
[ ! -e "$kept" ] || kept=$kept-$(date +%Y%m%dT%H%M%S)
rm -rf "$2/.new"
cp -a /etc/dovecot "$2/.new"
mv "$2/.new" "$kept"
cat "$4" - >"$1.mailroom.next"
sed -i -E 's/^(!include conf\\.d|!include_try local\\.conf)/#\\1/' "$1.mailroom.next"
chmod 644 "$1.mailroom.next"
mv -f "$1.mailroom.next" "$1"
"""

# The new cluster of a package is empty, and makes room. pg_upgradecluster keeps the old one, stopped, with its own port; -v: where
# to. Both programs are Debian's (https://manpages.debian.org/pg_upgradecluster.1).
MOVE = """exec >&2
[ -z "$4" ] || pg_dropcluster --stop "$3" "$2"
pg_upgradecluster -v "$3" "$1" "$2"
systemctl daemon-reload
"""

# Debian 12's unit holds the daemon, and 13's contradicts it: each of the two would have to be stopped for the other's start.
HAND_OVER = """systemctl daemon-reload
systemctl stop "$1"
systemctl restart "$2" || { journalctl -u "$2" -n 15 --no-pager -o cat >&2; exit 1; }
"""


@changing()
def finished() -> Commands:
    """What an upgrade has begun to install is installed. Dovecot waits for its text meanwhile.

    **Example:** ``upgraded.finished()``
    """
    there = mail_host()
    if there.unfinished:
        found = ", ".join(f"{name} {how}" for name, how in there.unfinished.items())
        warn(f"an upgrade was cut off here, and is finished first: {found}")
        yield shell(APT, str(PATIENCE), found)


@changing(edits=CONF)
def language(blocks: dict[str, dict[str, str]]) -> Commands:
    """dovecot.conf speaks the language of the Dovecot on this host. What somebody else wrote into it in the other language is kept
    beside all of the old folder in /var/backups/mailroom, and named.

    + blocks: of each block of ours that the text may have, what it says in each of Dovecot's languages

    **Example:** ``upgraded.language(blocks={"tls": {"2.3": "ssl = required", "2.4": "ssl = required"}})``
    """
    there = mail_host()
    text, speaks = there.text(CONF) or "", dialect(there.dovecot)
    if there.dovecot and language_of(text) not in ("", speaks):
        old = language_of(text)
        if foreign := foreign_settings(text, blocks):
            warn(f"{CONF} was of Dovecot {old}; of it only mailroom's own is taken over, and not {', '.join(foreign)}")
        warn(f"all of /etc/dovecot as it was is kept below {KEPT}, as dovecot-{old}")
        yield shell(TRANSLATE, CONF, KEPT, old, PACKAGED, stdin=translated(text, blocks, speaks))


@changing()
def cluster(version: str, name: str = "main") -> Commands:
    """The databases are in this release's cluster. The one of the release before is stopped, and kept.

    + version: PostgreSQL's, as Debian writes it: "17"
    + name: of the cluster

    **Example:** ``upgraded.cluster(version="17")``
    """
    there = mail_host()
    if (old := older(there, version, name)) is None:
        return
    if "binaries_missing" in old.status:
        raise OperationError(
            f"the databases are in PostgreSQL {old.version}'s cluster, and postgresql-{old.version} is not installed any more: "
            f"install it from the release before (apt install postgresql-{old.version}), and run again"
        )
    if old.size_mb > (free := int(there.system.get("free_mb") or 0)):
        raise OperationError(
            f"PostgreSQL {old.version}'s databases have {old.size_mb} MB, their copy needs as much, and {free} MB are free in /var; "
            "make room there, and run again"
        )
    warn(
        f"PostgreSQL's databases move from {old.version} to {version}; the cluster of {old.version} is stopped and kept"
    )
    empty = "yes" if (version, name) in there.clusters else ""
    yield shell(MOVE, old.version, name, version, empty)


@changing(units=("{old}", "{new}"))
def unit(old: str, new: str) -> Commands:
    """A daemon that runs in the unit of the release before runs in this release's.

    + old, new: the units, without their suffix

    **Example:** ``upgraded.unit(old="postfix@-", new="postfix")``
    """
    found = mail_host().units.get(old)
    if old != new and found and found.active:
        yield shell(HAND_OVER, f"{old}.service", f"{new}.service")


@changing()
def let_go() -> Commands:
    """What Postfix could not hand on while a daemon was away is tried again now; its own time for that may be an hour from now.

    **Example:** ``upgraded.let_go()``
    """
    if "postfix" in mail_host().packages:
        yield shell("postqueue -f")


def older(there: MailHost, version: str, name: str = "main") -> Cluster | None:
    """The cluster of an older release that has databases while this release's has none; None where there is nothing to move."""
    new = there.clusters.get((version, name))
    if new and new.databases:
        return None
    found = [one for (v, n), one in there.clusters.items() if n == name and one.databases and int(v) < int(version)]
    return max(found, key=lambda one: int(one.version), default=None)
