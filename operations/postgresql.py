"""PostgreSQL: who may connect, the role that may only read, the database and its tables."""

import re

from psycopg2.extensions import adapt
from pyinfra import state
from pyinfra.api import StringCommand
from pyinfra.api.exceptions import OperationError

from operations import preview, scram
from operations.base import Commands, changing, mail_host, shell
from operations.files import PUT

# One transaction, stopped at the first error: psql goes on after an error and returns 0 unless told otherwise
# (https://www.postgresql.org/docs/current/app-psql.html).
PSQL = 'cd / && runuser -u postgres -- psql -wXAtq -v ON_ERROR_STOP=1 {single} -d "$1"'

# PostgreSQL can judge only the file in place (pg_hba_file_rules). Nothing is loaded before it has said yes; a refused
# file is taken back.
HBA = (
    PUT.format(check='cp -p "$path" "$path.mailroom.before"')
    + """trap 'rm -f "$path.mailroom.before"' EXIT
ask() { cd / && runuser -u postgres -- psql -wXAtq -v ON_ERROR_STOP=1 -c "$1"; }
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
    statements: list[str], database: str = "postgres", single: bool = True, after: str = "", *values: str
) -> StringCommand:
    """The command that runs these statements as postgres, on standard input: they may hold a hash. `after` is shell that reads
    `values` as $2, $3, …
    """
    script = PSQL.format(single="-1" if single else "") + after
    return shell(script, database, *values, stdin=";\n".join(statements) + ";\n")


@changing(reads=("{data}/PG_VERSION", BEGUN))
def cluster(data: str) -> Commands:
    """PostgreSQL's data folder is made, with Red Hat's postgresql-setup.

    + data: the folder; "" where the package makes one when it is installed, and nothing is to do

    **Example:** ``postgresql.cluster(data="/var/lib/pgsql/data")``
    """
    there = mail_host().files
    if data and (f"{data}/PG_VERSION" not in there or BEGUN in there):
        yield shell(INITIALISE, data, BEGUN)


@changing()
def hba(lines: tuple[str, ...]) -> Commands:
    """These lines are the first of pg_hba.conf, in a marked block: the first line that fits decides. PostgreSQL has read the file
    before it is loaded.

    + lines: as https://www.postgresql.org/docs/current/auth-pg-hba-conf.html has them

    **Example:** ``postgresql.hba(lines=("host mail mailreader 127.0.0.1/32 scram-sha-256",))``
    """
    there = mail_host()
    path = there.sql.get("hba_file", "")
    if state.is_executing and not path:
        raise OperationError(
            "PostgreSQL does not say where its pg_hba.conf is: does it run (systemctl status postgresql)?"
        )
    if state.is_executing and there.text(path) is None:
        raise OperationError(
            f"PostgreSQL names {path} as its pg_hba.conf, and it could not be read: written anew it would lose its other lines."
            f" Is it there, and a file that root may read (ls -l {path})?"
        )
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


@changing(role="{role}")
def role(role: str, password: str) -> Commands:
    """A role that may log in with this password, and do nothing else until it is granted something: no attribute, and no
    membership, which would bring another role's rights along.

    + role: its name
    + password: ASCII; only its SCRAM verifier leaves the controller

    **Example:** ``postgresql.role(role="mailreader", password=host.data.reader_password)``
    """
    there = mail_host().sql
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


@changing(database="{database}")
def database(database: str, reader: str) -> Commands:
    """A database owned by postgres, to which only `reader` may connect besides its owner; and connect is all he may. In its schema
    `public` only the owner may create, and `reader` may look.

    + database: its name
    + reader: a role that is there

    **Example:** ``postgresql.database(database="mail", reader="mailreader")``
    """
    there = mail_host().sql
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
    known = rights(there.get("schema_acl", ""))
    if "" in known or known.get(reader) != "U":
        statements += [
            f"REVOKE ALL ON SCHEMA public FROM PUBLIC, {reader}",
            f"GRANT USAGE ON SCHEMA public TO {reader}",
        ]
    if statements:
        yield sql(statements, database=database)


@changing(database="{database}")
def tables(database: str, tables: dict[str, str], reader: str) -> Commands:
    """These tables exist, owned by postgres, and `reader` may SELECT from them, no more, and everybody nothing.

    + database: where they are
    + tables: their columns by name, as CREATE TABLE has them
    + reader: a role that is there

    **Example:** ``postgresql.tables(database="mail", tables={"users": "email text"}, reader="mailreader")``
    """
    if statements := tables_wanted(tables, reader):
        yield sql(statements, database=database)


def tables_wanted(wanted: dict[str, str], reader: str, select: bool = True) -> list[str]:
    """The statements that these tables still need; where `reader` may not even SELECT, he may do nothing."""
    there = mail_host().sql.get("tables", {})
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
    if state.is_executing and "users" not in mail_host().sql.get("tables", {}):
        raise OperationError(
            "the tables of the database `mail` cannot be read: is PostgreSQL running (systemctl status postgresql)? "
            "Run deploys.chapters.postgresql.tables first (chapter 2)"
        )
