"""The role that reads: how it logs in, what it may look up, and what it may never do."""

from __future__ import annotations

import re

import psycopg2

from checks.model import Failed, check
from checks.sql import NEEDS, TABLES, as_postgres, connect, denied, reader, refused, words
from checks.target import Target


@check(
    "postgresql.install.version",
    "PostgreSQL is not older than 13",
    needs=NEEDS,
    remedy="Upgrade: older ones do not hash by SCRAM unless told, and get no fixes.",
)
def version(target: Target) -> str:
    found = as_postgres(target, "SHOW server_version")
    if int(found.split(".")[0]) < 13:
        raise Failed(found)
    return found


@check(
    "postgresql.install.not_outside",
    "Port 5432 cannot be reached from outside",
    negative=True,
    elsewhere=True,
    remedy="listen_addresses = 'localhost' in postgresql.conf, then restart it.",
)
def not_outside(target: Target) -> str:
    reason = target.vantage.probe(target.address, 5432)
    if not reason:
        raise Failed(f"5432 answers to {target.vantage.name}")
    return reason


@check(
    "postgresql.access.scram",
    "On 127.0.0.1 the role is asked for its password by SCRAM",
    needs=NEEDS,
    remedy="scram-sha-256 instead of md5 in pg_hba.conf, then reload.",
)
def scram(target: Target) -> str:
    # The question is put before anybody has a password: even an unknown role is asked.
    try:
        connect(target, target.role, "not-the-password", require_auth="scram-sha-256").close()
    except psycopg2.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise Failed(words(error)) from error
        return "the server asks by scram-sha-256"
    raise Failed("a wrong password was taken")


@check("postgresql.access.password_demanded", "Nobody gets in without a password", negative=True, needs=NEEDS)
def password_demanded(target: Target) -> str:
    return refused(target, target.role, "", "without a password")


@check(
    "postgresql.role.login",
    "The role logs in with its password",
    needs=NEEDS,
    remedy="Set the role's password again: run the step that makes the role.",
)
def role_login(target: Target) -> str:
    try:
        connect(target, target.role, target.secret(target.role)).close()
    except psycopg2.OperationalError as error:
        if not re.search(r'database "\w+" does not exist', str(error)):  # asked after the password
            raise Failed(words(error)) from error
    return f"{target.role} is let in"


@check("postgresql.role.wrong_password", "With a wrong password it does not", negative=True, needs=NEEDS)
def wrong_password(target: Target) -> str:
    return refused(target, target.role, "not-the-password", "with a wrong password")


@check(
    "postgresql.access.postgres_refused", "The superuser cannot log in over TCP without one", negative=True, needs=NEEDS
)
def postgres_refused(target: Target) -> str:
    return refused(target, "postgres", "", "without a password", database="postgres")


@check(
    "postgresql.tables.reads",
    "The role may read what Postfix and Dovecot look up",
    needs=NEEDS,
    remedy="GRANT SELECT ON users, transports, aliases TO the role.",
)
def reads(target: Target) -> str:
    counted = []
    for table in TABLES:
        with reader(target) as cursor:
            try:
                cursor.execute(f"SELECT count(*) FROM {table}")
            except psycopg2.Error as error:
                raise Failed(f"{table}: {words(error)}") from error
            counted.append(f"{table}: {cursor.fetchone()[0]}")
    return ", ".join(counted)


@check("postgresql.tables.cannot_write", "The role cannot INSERT, UPDATE or DELETE", negative=True, needs=NEEDS)
def cannot_write(target: Target) -> str:
    return denied(
        target,
        "INSERT INTO users (email, password, maildir) VALUES ('x@example.test', '', 'x/')",
        "UPDATE users SET password = ''",
        "DELETE FROM users",
        "UPDATE aliases SET email = ''",
        "DELETE FROM aliases",
        "UPDATE transports SET transport = ''",
        "DELETE FROM transports",
    )


@check(
    "postgresql.role.no_powers",
    "The role has no special powers",
    negative=True,
    needs=NEEDS,
    remedy="ALTER ROLE … NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS.",
)
def no_powers(target: Target) -> str:
    found = as_postgres(
        target,
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, "
        "EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) "
        f"FROM pg_roles r WHERE rolname = '{target.role}'",
    )
    names = ("SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS", "member of a role")
    held = [name for name, flag in zip(names, found.split("|"), strict=True) if flag != "f"]
    if held:
        raise Failed(f"{target.role} is {', '.join(held)}")
    return f"{target.role}: none of {', '.join(names)}"
