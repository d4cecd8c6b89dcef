"""Who starts a daemon again when it has died: the unit that really holds it is asked, whatever its name."""

from __future__ import annotations

from checks import applied
from checks.model import Failed, check
from checks.target import Target

REMEDY = "Run the step again: it puts mailroom-supervised.conf beside the unit; then systemctl daemon-reload."


def revived(target: Target, pid: str) -> str:
    """The unit of the process whose id this command prints, and what systemd does when it dies."""
    found = target.shell(f'unit=$(ps -o unit= -p $({pid})); echo "$unit $(systemctl show -P Restart "$unit")"').split()
    if len(found) != 2 or found[1] not in ("on-failure", "always", "on-abnormal"):
        raise Failed(f"{' '.join(found)}: it stays dead")
    return f"{found[0]}: Restart={found[1]}"


@check("postfix.restart.revived", "Postfix is started again when it dies", needs=("ssh", "smtp"), remedy=REMEDY)
def postfix(target: Target) -> str:
    return revived(target, "cat /var/spool/postfix/pid/master.pid")


@check(
    "postgresql.install.revived", "PostgreSQL is started again when it dies", needs=("ssh", "postgresql"), remedy=REMEDY
)
def postgresql(target: Target) -> str:
    return revived(target, "pgrep -o -u postgres -x 'postgres|postmaster'")


@check("amavis.workers.revived", "Amavis is started again when it dies", needs=("ssh",), remedy=REMEDY)
def amavis(target: Target) -> str:
    applied.filtering(target)
    return revived(target, "pgrep -o -u amavis -f '^/usr/sbin/amavisd'")


@check("dovecot.start.revived", "Dovecot is started again when it dies", needs=("ssh", "dovecot"), remedy=REMEDY)
def dovecot(target: Target) -> str:
    return revived(target, "pgrep -o -u root -x dovecot")
