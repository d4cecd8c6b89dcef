"""PostgreSQL answers the host, and nobody outside."""

import psycopg2

from checks.clients import host, sql
from checks.engine import Failed, Skipped, Target, claim, negative


@claim("PostgreSQL answers on the mail host", provides="postgresql")
def answers(target: Target) -> str:
    if not target.shell("ls -d /etc/postgresql /var/lib/pgsql 2>/dev/null", may_fail=True):
        raise Skipped("PostgreSQL is not installed yet: that is chapter 2")
    try:
        # Nobody's password: a server that is ready says so by refusing.
        sql.connect(target, user=target.role, password="").close()
    except psycopg2.OperationalError as error:
        text = sql.words(error)
        if "starting up" in text or not ("authentication" in text or "password" in text):
            raise Failed(text + host.last_words(target, "postgresql"), host.STATUS.format("postgresql")) from error
    return "127.0.0.1:5432 answers"


@claim(
    "PostgreSQL is not older than 13",
    needs="ssh postgresql",
    remedy="Upgrade: older ones do not hash by SCRAM unless told, and get no fixes.",
)
def version(target: Target) -> str:
    found = sql.as_postgres(target, "SHOW server_version")
    if int(found.split(".")[0]) < 13:
        raise Failed(found)
    return found


@claim("PostgreSQL is started again when it dies", needs="ssh postgresql", remedy=host.REVIVED)
def revived(target: Target) -> str:
    return host.revived(target, "pgrep -o -u postgres -x 'postgres|postmaster'")


@negative(
    "Port 5432 cannot be reached from outside",
    needs="elsewhere",
    remedy="listen_addresses = 'localhost' in postgresql.conf, then restart it.",
)
def not_outside(target: Target) -> str:
    reason = target.vantage.probe(target.address, 5432)
    if not reason:
        raise Failed(f"5432 answers to {target.vantage.name}")
    return reason
