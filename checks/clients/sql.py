"""PostgreSQL through an SSH tunnel to 127.0.0.1 on the mail host, as the role Postfix uses."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.errors import InsufficientPrivilege

from checks.engine import Failed, Target
from checks.engine.ssh import Forward

TABLES = {
    "users": ["email", "password", "realname", "maildir", "created"],
    "transports": ["domain", "transport"],
    "aliases": ["alias", "email"],
}
LOCKED = "locked"  # chapter 2 makes the accounts, chapter 4 gives them passwords
STRONG = ("{ARGON2ID}", "{ARGON2I}", "{BLF-CRYPT}", "{SHA512-CRYPT}", "{SCRAM-SHA-256}", "{PBKDF2}")


def connect(target: Target, user: str, password: str, database: str = "", **options: Any) -> Any:
    """A psycopg2 connection, or its OperationalError. It never uses a password of this machine's own (~/.pgpass)."""
    forward = Forward(target.server, "127.0.0.1", 5432)
    try:
        return psycopg2.connect(
            host="127.0.0.1",
            port=forward.port,
            user=user,
            password=password,
            dbname=database or target.database,
            connect_timeout=8,
            passfile="/nonexistent",
            gssencmode="disable",
            sslmode="disable",
            application_name="mailroom checks",
            **options,
        )
    finally:
        forward.close()  # the listener; the connection it has made goes on


@contextmanager
def reader(target: Target) -> Iterator[Any]:
    """A cursor of the read-only role; raises Failed where it cannot log in. Whatever it did is rolled back."""
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


def rows(target: Target, query: str) -> list[tuple[Any, ...]]:
    """What the read-only role finds."""
    with reader(target) as cursor:
        cursor.execute(query)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def words(error: Exception) -> str:
    """What PostgreSQL said, in one line and without the port of our tunnel."""
    lines = str(error).strip().splitlines()
    if not lines or "server closed the connection unexpectedly" in lines[0]:
        return "nobody listens on 127.0.0.1:5432"
    text = re.sub(r'connection to server at "[^"]*", port \d+ failed: ', "", lines[0])
    return text.replace("fe_sendauth: no password supplied", "the server demands a password")


READS_ONLY = "Only postgres may own the tables; grant SELECT and nothing else."


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
                # PostgreSQL asks for the right first
                raise Failed(f"`{statement}`: {words(error)}", READS_ONLY) from error
            else:
                raise Failed(f"{target.role} may do this: {statement} (rolled back)", READS_ONLY)
    return "; ".join(dict.fromkeys(said))


def refused(target: Target, user: str, password: str, what: str, database: str = "") -> str:
    """The refusal of a login `what`, such as "with a wrong password"; raises Failed if there is none, or another."""
    try:
        connect(target, user, password, database).close()
    except psycopg2.OperationalError as error:
        text = words(error)
        if not re.search(r"authentication|password|no pg_hba.conf entry", text):
            raise Failed(f"refused, but not for the password: {text}") from error
        return f"{what}: {text}"
    raise Failed(f"{user} logged in {what}", "Demand scram-sha-256 in pg_hba.conf, above any line that says trust.")


def as_postgres(target: Target, query: str, database: str = "postgres") -> str:
    """What psql prints on the host itself, a row a line: what is true before the role exists, or beyond its rights."""
    return target.shell(f"cd / && runuser -u postgres -- psql -wXAtd {database} -c {shlex.quote(query)}")


def schemes(target: Target) -> str:
    """The schemes of the stored passwords, all of them strong."""
    # Only the prefix leaves the database; a plain password would have none.
    found = rows(
        target,
        "SELECT email, CASE password WHEN '{CRYPT}*' THEN 'locked' "
        "ELSE substring(password from '^\\{[A-Z0-9.-]+\\}') END FROM users",
    )
    if weak := [f"{email}: {scheme or 'no scheme'}" for email, scheme in found if scheme not in (*STRONG, LOCKED)]:
        raise Failed(", ".join(weak))
    return ", ".join(sorted({scheme for _, scheme in found}))
