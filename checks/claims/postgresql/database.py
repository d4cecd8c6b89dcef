"""The database, and who owns it."""

from checks.clients import sql
from checks.engine.check import check
from checks.engine.target import Target
from checks.engine.verdicts import Failed


@check("The database is there and keeps UTF-8", needs="ssh postgresql", remedy="See chapter 2, database.")
def exists(target: Target) -> str:
    with sql.reader(target) as cursor:
        cursor.execute("SELECT current_database(), current_setting('server_encoding')")
        name, encoding = cursor.fetchone()
    if encoding != "UTF8":
        raise Failed(f"{name} is {encoding}: a name like Łukasz cannot be stored")
    return f"{name}, {encoding}"


@check(
    "The role owns neither database nor tables",
    negative=True,
    needs="ssh postgresql",
    remedy="ALTER … OWNER TO postgres.",
)
def not_owned(target: Target) -> str:
    with sql.reader(target) as cursor:
        cursor.execute(
            "SELECT 'database ' || datname, pg_get_userbyid(datdba) FROM pg_database "
            "WHERE datname = current_database() UNION ALL "
            "SELECT 'table ' || tablename, tableowner FROM pg_tables WHERE schemaname = 'public'"
        )
        owners = cursor.fetchall()
    own = [what for what, owner in owners if owner == target.role]
    if own:
        raise Failed(f"{target.role} owns {', '.join(own)}")
    return ", ".join(f"{what}: {owner}" for what, owner in owners)


@check("The role can create nothing", negative=True, needs="ssh postgresql")
def no_create(target: Target) -> str:
    return sql.denied(target, "CREATE TABLE public.mailroom_check (x int)", "CREATE SCHEMA mailroom_check")
