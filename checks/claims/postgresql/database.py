"""The database, and who owns it."""

from checks.clients import sql
from checks.engine import Failed, Target, claim, negative


@claim("The database is there and keeps UTF-8", needs="ssh postgresql", remedy="See chapter 2, database.")
def exists(target: Target) -> str:
    [(name, encoding)] = sql.rows(target, "SELECT current_database(), current_setting('server_encoding')")
    if encoding != "UTF8":
        raise Failed(f"{name} is {encoding}: a name like Łukasz cannot be stored")
    return f"{name}, {encoding}"


@negative("The role owns neither database nor tables", needs="ssh postgresql", remedy="ALTER … OWNER TO postgres.")
def not_owned(target: Target) -> str:
    owners = sql.rows(
        target,
        "SELECT 'database ' || datname, pg_get_userbyid(datdba) FROM pg_database "
        "WHERE datname = current_database() UNION ALL "
        "SELECT 'table ' || tablename, tableowner FROM pg_tables WHERE schemaname = 'public'",
    )
    if own := [what for what, owner in owners if owner == target.role]:
        raise Failed(f"{target.role} owns {', '.join(own)}")
    return ", ".join(f"{what}: {owner}" for what, owner in owners)


@negative("The role can create nothing", needs="ssh postgresql")
def no_create(target: Target) -> str:
    return sql.denied(target, "CREATE TABLE public.mailroom_check (x int)", "CREATE SCHEMA mailroom_check")
