"""PostgreSQL: who may connect, the role that may only read, the database and its tables."""

import re
from collections.abc import Collection
from typing import Any

from psycopg2.extensions import adapt
from pyinfra.api import StringCommand
from pyinfra.api.exceptions import OperationError

from operations import preview, scram
from operations.base import Commands, changing, mail_host, reads, shell
from operations.files import PUT

# One transaction, stopped at the first error: psql goes on after an error and returns 0 unless told otherwise
# (https://www.postgresql.org/docs/current/app-psql.html).
PSQL = 'cd / && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 {single} -d "$1"'

# While PostgreSQL is away Dovecot answers from memory (chapter 4, passdb). The memory ends with its auth process, if that does not
# listen: its configuration may be what this run puts right, later.
FORGET = """
shift
! systemctl -q is-active dovecot || timeout -s KILL 10 doveadm auth cache flush "$@" >/dev/null 2>&1 ||
    pkill -KILL -x -P "$(cat /run/dovecot/master.pid)" auth || true
"""

# PostgreSQL can judge only the file in place (pg_hba_file_rules). Nothing is loaded before it has said yes; a refused
# file is taken back.
HBA = (
    PUT.format(check='cp -p "$path" "$path.mailroom.before"')
    + """trap 'rm -f "$path.mailroom.before"' EXIT
ask() { cd / && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -c "$1"; }
wrong=$(ask "SELECT 'line ' || line_number || ': ' || error FROM pg_hba_file_rules WHERE error IS NOT NULL")
if [ -n "$wrong" ]; then
    mv -fZ "$path.mailroom.before" "$path"
    echo "PostgreSQL does not accept $path, $wrong; nothing was changed" >&2
    exit 1
fi
ask "SELECT pg_reload_conf()" >/dev/null
"""
)


# By this comment a role or a database is known to be ours (\du+, \l+).
NOTE = "made by mailroom; deploys put it back as they need it"

# initdb writes PG_VERSION early. The mark says that one of ours was begun and has not ended: what lies there then has never
# been started by a server, and holds nobody's data.
BEGUN = "/var/lib/pgsql/.mailroom-initdb"
INITIALISE = """if [ -e "$2" ] && [ ! -e "$1/postmaster.opts" ]; then find "$1" -mindepth 1 -delete; fi
if [ ! -e "$1/PG_VERSION" ]; then
    touch "$2"
    postgresql-setup --initdb >&2
fi
rm -f "$2"
"""


def quoted(value: str) -> str:
    """A string as an SQL literal."""
    literal = adapt(value)
    literal.encoding = "utf-8"
    return literal.getquoted().decode()


def sql(
    statements: list[str], database: str = "postgres", single: bool = True, forgotten: Collection[str] = ()
) -> StringCommand:
    """The command that runs these statements as postgres, on standard input: they may hold a hash. Afterwards Dovecot, if it
    runs, has forgotten what it knew of the addresses `forgotten`.
    """
    script, names = PSQL.format(single="-1" if single else ""), sorted(forgotten)
    if names:
        script += FORGET
    # of many it forgets everybody: a command has room for so many words
    return shell(script, database, *(names if len(names) <= 100 else ()), stdin=";\n".join(statements) + ";\n")


def database_state() -> dict[str, Any]:
    """What `facts/read_database.sql` found, {} while PostgreSQL is down."""
    return mail_host().sql


@reads("{data}/PG_VERSION", BEGUN)
@changing
def initialised(data: str) -> Commands:
    """A cluster is in the folder `data`. Nothing for "": there the package makes one when it is installed."""
    there = mail_host().files
    if data and (f"{data}/PG_VERSION" not in there or BEGUN in there):
        yield shell(INITIALISE, data, BEGUN)


@changing
def host_access(lines: tuple[str, ...]) -> Commands:
    """These lines stand first in pg_hba.conf, in a marked block: the first line that fits decides."""
    there = mail_host()
    path = there.sql.get("hba_file", "")
    text = there.text(path) or ""
    marked = "# >>> mailroom\n" + "\n".join(lines) + "\n# <<< mailroom\n"
    rest = re.sub(r"^# >>> mailroom\n.*?^# <<< mailroom\n", "", text, flags=re.MULTILINE | re.DOTALL)
    file = there.files.get(path)
    if text != marked + rest:
        preview.change(path, text, marked + rest)
        owner = f"{file.user}:{file.group}" if file else "postgres:postgres"
        yield shell(HBA, path, file.mode if file else "640", owner, stdin=marked + rest)
    elif file and there.sql["hba_loaded"] < file.mtime:
        yield sql(["SELECT pg_reload_conf()"])


@changing
def reading_role(role: str, password: str) -> Commands:
    """A role that may log in with this password, and do nothing else until it is granted something: no attribute, and no
    membership, which would bring another role's rights along."""
    there = database_state()
    note = f"COMMENT ON ROLE {role} IS {quoted(NOTE)}"
    if "role" not in there:
        yield sql([f"CREATE ROLE {role} LOGIN PASSWORD {quoted(scram.verifier(password))}", note])
        return
    statements = []
    if any(there.get(right) for right in POWERS) or not there["login"]:
        statements.append(f"ALTER ROLE {role} LOGIN {' '.join(POWERS.values())}")
    statements += [f"REVOKE {_name(other)} FROM {role}" for other in there.get("member_of", ())]
    if not scram.verify(password, there["verifier"]):
        statements.append(f"ALTER ROLE {role} PASSWORD {quoted(scram.verifier(password))}")
    if there.get("role_note") != NOTE:
        statements.append(note)
    if statements:
        yield sql(statements)


POWERS = {
    "super": "NOSUPERUSER",
    "createdb": "NOCREATEDB",
    "createrole": "NOCREATEROLE",
    "replication": "NOREPLICATION",
    "bypassrls": "NOBYPASSRLS",
}


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def rights(acl: str) -> dict[str, str]:
    """Who may what, of PostgreSQL's "{postgres=arwdDxt/postgres,=r/postgres}": {"postgres": "arwdDxt", "": "r"}; "" is everybody."""
    found: dict[str, str] = {}
    for right in filter(None, acl.strip("{}").split(",")):
        who, _, what = right.replace('"', "").replace("\\", "").partition("=")
        found[who] = found.get(who, "") + what.partition("/")[0]
    return found


@changing
def database(database: str, reader: str) -> Commands:
    """A database owned by postgres, to which only `reader` may connect besides its owner; and connect is all he may."""
    there = database_state()
    if "database" not in there:
        yield sql([f"CREATE DATABASE {database} OWNER postgres ENCODING 'UTF8' TEMPLATE template0"], single=False)
    statements = []
    if there.get("database_owner", "postgres") != "postgres":
        statements.append(f"ALTER DATABASE {database} OWNER TO postgres")
    known = rights(there.get("database_acl", ""))
    if there.get("public_may_connect", True) or "" in known or known.get(reader) != "c":
        statements += [
            f"REVOKE ALL ON DATABASE {database} FROM PUBLIC, {reader}",
            f"GRANT CONNECT ON DATABASE {database} TO {reader}",
        ]
    if there.get("database_note") != NOTE:
        statements.append(f"COMMENT ON DATABASE {database} IS {quoted(NOTE)}")
    if statements:
        yield sql(statements)


@changing
def schema_for_readers(database: str, reader: str) -> Commands:
    """Nobody but the owner may create in the schema `public`; `reader` may look into it."""
    known = rights(database_state().get("schema_acl", ""))
    if "" in known or known.get(reader) != "U":
        yield sql(
            [f"REVOKE ALL ON SCHEMA public FROM PUBLIC, {reader}", f"GRANT USAGE ON SCHEMA public TO {reader}"],
            database=database,
        )


@changing
def tables(database: str, wanted: dict[str, str], reader: str) -> Commands:
    """These tables exist, owned by postgres, and `reader` may SELECT from them, no more, and everybody nothing."""
    if statements := tables_wanted(wanted, reader):
        yield sql(statements, database=database)


def tables_wanted(wanted: dict[str, str], reader: str, select: bool = True) -> list[str]:
    """The statements that these tables still need; where `reader` may not even SELECT, he may do nothing."""
    there = database_state().get("tables", {})
    statements = []
    for table, columns in wanted.items():
        found = there.get(table)
        if found is None:
            statements.append(f"CREATE TABLE {table} ({columns})")
        elif found["owner"] != "postgres":
            statements.append(f"ALTER TABLE {table} OWNER TO postgres")
        known = rights(found["acl"]) if found else {}
        granted = {who for one in (found or {}).get("column_acl", ()) for who in rights(one.partition(" ")[2])}
        if "" in known or known.get(reader, "") != ("r" if select else "") or {"", reader} & granted:
            # of a table also takes what was granted on its columns
            statements.append(f"REVOKE ALL ON {table} FROM PUBLIC, {reader}")
            statements += [f"GRANT SELECT ON {table} TO {reader}"] if select else []
    return statements


def need_tables() -> None:
    """Refuse to go on without the tables: an empty answer must not be taken for empty tables."""
    from pyinfra import state

    if state.is_executing and "users" not in database_state().get("tables", {}):
        raise OperationError(
            "the tables of the database `mail` cannot be read: is PostgreSQL running (systemctl status postgresql)? "
            "Run deploys.chapters.postgresql.tables first (chapter 2)"
        )
