"""PostgreSQL through an SSH tunnel to 127.0.0.1 on the mail host, as the role Postfix uses."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.errors import InsufficientPrivilege

from checks.model import Failed, check
from checks.ssh import Forward
from checks.target import Target

NEEDS = ("ssh", "postgresql")
TABLES = {
    "users": ["email", "password", "realname", "maildir", "created"],
    "transports": ["domain", "transport"],
    "aliases": ["alias", "email"],
}
STRONG = ("{ARGON2ID}", "{ARGON2I}", "{BLF-CRYPT}", "{SHA512-CRYPT}", "{SCRAM-SHA-256}", "{PBKDF2}")


def connect(target: Target, user: str, password: str, database: str = "", **options: Any) -> Any:
    """A connection that never falls back on a password of this machine's own (~/.pgpass)."""
    forward = Forward(target.server, "127.0.0.1", 5432)
    try:
        return psycopg2.connect(
            host="127.0.0.1", port=forward.port, user=user, password=password,
            dbname=database or target.database, connect_timeout=8, passfile="/nonexistent",
            gssencmode="disable", sslmode="disable", application_name="mailroom checks", **options,
        )
    finally:
        forward.close()  # the listener; the connection it has made goes on


@contextmanager
def reader(target: Target) -> Iterator[Any]:
    """A cursor of the read-only role. Whatever it did is rolled back."""
    try:
        connection = connect(target, target.role, target.secret(target.role))
    except psycopg2.OperationalError as error:
        raise Failed(words(error)) from error
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.rollback()
        connection.close()


def words(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    if not lines:
        return "the server closed the connection"
    text = re.sub(r'connection to server at "[^"]*", port \d+ failed: ', "", lines[0])
    return text.replace("fe_sendauth: no password supplied", "the server demands a password")


def denied(target: Target, *statements: str) -> str:
    """Each statement is refused for lack of permission, not for any other reason."""
    said = []
    for statement in statements:
        with reader(target) as cursor:
            try:
                cursor.execute(statement)
            except InsufficientPrivilege as error:
                said.append(words(error))
            except psycopg2.Error as error:
                raise Failed(f"`{statement}`: {words(error)}") from error
            else:
                raise Failed(f"{target.role} may do this: {statement} (rolled back)",
                             "Only postgres may own the tables; grant SELECT and nothing else.")
    return "; ".join(dict.fromkeys(said))


def refused(target: Target, user: str, password: str, what: str, database: str = "") -> str:
    try:
        connect(target, user, password, database).close()
    except psycopg2.OperationalError as error:
        text = words(error)
        if not re.search(r"authentication|password|no pg_hba.conf entry", text):
            raise Failed(f"refused, but not for the password: {text}") from error
        return f"{what}: {text}"
    raise Failed(f"{user} logged in {what}",
                 "Demand scram-sha-256 in pg_hba.conf, above any line that says trust.")


def as_postgres(target: Target, query: str) -> str:
    """One value, asked on the host itself: what is true before the role exists."""
    return target.shell(f"cd / && runuser -u postgres -- psql -XAtc {shlex.quote(query)}")


@check("postgresql.install.version", "PostgreSQL is not older than 13", needs=NEEDS,
       remedy="Upgrade: older ones do not hash by SCRAM unless told, and get no fixes.")
def version(target: Target) -> str:
    found = as_postgres(target, "SHOW server_version")
    if int(found.split(".")[0]) < 13:
        raise Failed(found)
    return found


@check("postgresql.install.not_outside", "Port 5432 cannot be reached from outside",
       negative=True, elsewhere=True,
       remedy="listen_addresses = 'localhost' in postgresql.conf, then restart it.")
def not_outside(target: Target) -> str:
    reason = target.vantage.probe(target.address, 5432)
    if not reason:
        raise Failed(f"5432 answers to {target.vantage.name}")
    return reason


@check("postgresql.access.scram", "On 127.0.0.1 the role is asked for its password by SCRAM",
       needs=NEEDS, remedy="scram-sha-256 instead of md5 in pg_hba.conf, then reload.")
def scram(target: Target) -> str:
    # The question is put before anybody has a password: even an unknown role is asked.
    try:
        connect(target, target.role, "not-the-password", require_auth="scram-sha-256").close()
    except psycopg2.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise Failed(words(error)) from error
        return "the server asks by scram-sha-256"
    raise Failed("a wrong password was taken")


@check("postgresql.access.password_demanded", "Nobody gets in without a password",
       negative=True, needs=NEEDS)
def password_demanded(target: Target) -> str:
    return refused(target, target.role, "", "without a password")


@check("postgresql.role.login", "The role logs in with its password", needs=NEEDS,
       remedy="Set the role's password again: run the step that makes the role.")
def role_login(target: Target) -> str:
    try:
        connect(target, target.role, target.secret(target.role)).close()
    except psycopg2.OperationalError as error:
        if not re.search(r'database "\w+" does not exist', str(error)):  # asked after the password
            raise Failed(words(error)) from error
    return f"{target.role} is let in"


@check("postgresql.role.wrong_password", "With a wrong password it does not", negative=True,
       needs=NEEDS)
def wrong_password(target: Target) -> str:
    return refused(target, target.role, "not-the-password", "with a wrong password")


@check("postgresql.access.postgres_refused", "The superuser cannot log in over TCP without one",
       negative=True, needs=NEEDS)
def postgres_refused(target: Target) -> str:
    return refused(target, "postgres", "", "without a password", database="postgres")


@check("postgresql.tables.reads", "The role may read what Postfix and Dovecot look up",
       needs=NEEDS, remedy="GRANT SELECT ON users, transports, aliases TO the role.")
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


@check("postgresql.tables.cannot_write", "The role cannot INSERT, UPDATE or DELETE", negative=True,
       needs=NEEDS)
def cannot_write(target: Target) -> str:
    return denied(
        target,
        "INSERT INTO users (email, password, maildir) VALUES ('x@example.test', '', 'x/')",
        "UPDATE users SET password = ''", "DELETE FROM users", "UPDATE aliases SET email = ''",
        "DELETE FROM aliases", "UPDATE transports SET transport = ''", "DELETE FROM transports",
    )


@check("postgresql.role.no_powers", "The role has no special powers", negative=True, needs=NEEDS,
       remedy="ALTER ROLE … NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS.")
def no_powers(target: Target) -> str:
    found = as_postgres(
        target, "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, "
        "EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) "
        f"FROM pg_roles r WHERE rolname = '{target.role}'")
    names = ("SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS", "member of a role")
    held = [name for name, flag in zip(names, found.split("|"), strict=True) if flag != "f"]
    if held:
        raise Failed(f"{target.role} is {', '.join(held)}")
    return f"{target.role}: none of {', '.join(names)}"
