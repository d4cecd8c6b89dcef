"""The role that reads: how it logs in, and that it has no other power."""

import re

import psycopg2

from checks.clients import sql
from checks.engine import Failed, Target, claim, negative


@claim(
    "The role logs in with its password",
    needs="ssh postgresql",
    remedy="Set the role's password again: run the step that makes the role.",
)
def login(target: Target) -> str:
    try:
        sql.connect(target, target.role, target.secret(target.role)).close()
    except psycopg2.OperationalError as error:
        if not re.search(r'database "\w+" does not exist', str(error)):  # asked after the password
            raise Failed(sql.words(error)) from error
    return f"{target.role} is let in"


@negative("With a wrong password it does not", needs="ssh postgresql")
def wrong_password(target: Target) -> str:
    return sql.refused(target, target.role, "not-the-password", "with a wrong password")


@negative(
    "The role has no special powers",
    needs="ssh postgresql",
    remedy="ALTER ROLE … NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS.",
)
def no_powers(target: Target) -> str:
    found = sql.as_postgres(
        target,
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, "
        "EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) "
        f"FROM pg_roles r WHERE rolname = '{target.role}'",
    )
    names = ("SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS", "member of a role")
    if held := [name for name, flag in zip(names, found.split("|"), strict=True) if flag != "f"]:
        raise Failed(f"{target.role} is {', '.join(held)}")
    return f"{target.role}: none of {', '.join(names)}"
