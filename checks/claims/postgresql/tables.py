"""The tables, what the role may do with them, and that nobody else may do anything."""

import psycopg2

from checks.clients import sql
from checks.engine import Failed, Target, Warned, claim, negative


@claim(
    "The role may read what Postfix and Dovecot look up",
    needs="ssh postgresql",
    remedy="GRANT SELECT ON users, transports, aliases TO the role.",
)
def reads(target: Target) -> str:
    counted = []
    for table in sql.TABLES:
        with sql.reader(target) as cursor:
            try:
                cursor.execute(f"SELECT count(*) FROM {table}")
            except psycopg2.Error as error:
                raise Failed(f"{table}: {sql.words(error)}") from error
            counted.append(f"{table}: {cursor.fetchone()[0]}")
    return ", ".join(counted)


@claim("The three tables have their columns", needs="ssh postgresql", remedy="See chapter 2, tables.")
def columns(target: Target) -> str:
    found = sql.rows(
        target, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    )
    wanted = [(table, column) for table, names in sql.TABLES.items() for column in names]
    if missing := [f"{table}.{column}" for table, column in wanted if (table, column) not in found]:
        raise Failed(f"missing: {', '.join(missing)}")
    return "; ".join(f"{table}: {', '.join(names)}" for table, names in sql.TABLES.items())


@negative(
    "Nobody but the role has rights on the tables, and nothing works behind them",
    needs="ssh postgresql",
    remedy="REVOKE the rights, or drop what works there, if it is not meant; docs/ours.md.",
)
def nothing_beside(target: Target) -> str:
    names = "('users', 'transports', 'aliases')"
    granted = sql.as_postgres(
        target,
        "WITH acl AS (SELECT relname, relacl AS a FROM pg_class UNION ALL SELECT relname || '.' || attname, attacl FROM "
        "pg_attribute JOIN pg_class AS c ON c.oid = attrelid) "
        "SELECT DISTINCT coalesce(nullif(grantee, 0)::regrole::text, 'PUBLIC') || ' on ' || relname "
        f"FROM acl, aclexplode(a) WHERE split_part(relname, '.', 1) IN {names} AND grantee <> 'postgres'::regrole "
        f"AND (grantee = 0 OR grantee <> '{target.role}'::regrole OR privilege_type <> 'SELECT' OR relname LIKE '%.%')",
        target.database,
    )
    behind = sql.as_postgres(
        target,
        "SELECT 'function ' || p.oid::regproc FROM pg_proc AS p WHERE prosecdef AND pronamespace::regnamespace::text NOT IN "
        "('pg_catalog', 'information_schema') UNION ALL "
        f"SELECT 'trigger ' || tgname FROM pg_trigger JOIN pg_class AS c ON c.oid = tgrelid WHERE NOT tgisinternal AND relname IN {names} "
        f"UNION ALL SELECT 'table ' || c.oid::regclass FROM pg_class AS c WHERE relname IN {names} "
        "AND relkind IN ('r', 'v', 'm', 'f', 'p') "
        "AND relnamespace <> 'public'::regnamespace UNION ALL SELECT 'default rights' FROM pg_default_acl UNION ALL "
        "SELECT 'settings of a role' FROM pg_db_role_setting WHERE setdatabase <> 0 "
        f"OR setrole = '{target.role}'::regrole",
        target.database,
    )
    if granted:
        raise Failed(f"rights of {', '.join(granted.splitlines())}")
    if behind:
        raise Warned(", ".join(behind.splitlines()))
    return f"{target.role} may SELECT, and nobody else anything"


@negative("The role cannot INSERT, UPDATE or DELETE", needs="ssh postgresql")
def cannot_write(target: Target) -> str:
    return sql.denied(
        target,
        "INSERT INTO users (email, password, maildir) VALUES ('x@example.test', '', 'x/')",
        "UPDATE users SET password = ''",
        "DELETE FROM users",
        "UPDATE aliases SET email = ''",
        "DELETE FROM aliases",
        "UPDATE transports SET transport = ''",
        "DELETE FROM transports",
    )


@negative("The role cannot empty, change or drop a table", needs="ssh postgresql")
def no_drop(target: Target) -> str:
    return sql.denied(target, "TRUNCATE users", "DROP TABLE users", "ALTER TABLE users ADD COLUMN mailroom_check int")
