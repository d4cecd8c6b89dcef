"""What the bookkeeper keeps: the database, its tables, and the accounts in them."""

from __future__ import annotations

from checks.model import Failed, Skipped, check
from checks.sql import NEEDS, STRONG, TABLES, denied, reader
from checks.target import Target

LOCKED = "locked"  # chapter 2 makes the accounts, chapter 4 gives them passwords


@check(
    "postgresql.database.exists",
    "The database is there and keeps UTF-8",
    needs=NEEDS,
    remedy="See chapter 2, database.",
)
def database(target: Target) -> str:
    with reader(target) as cursor:
        cursor.execute("SELECT current_database(), current_setting('server_encoding')")
        name, encoding = cursor.fetchone()
    if encoding != "UTF8":
        raise Failed(f"{name} is {encoding}: a name like Łukasz cannot be stored")
    return f"{name}, {encoding}"


@check(
    "postgresql.database.not_owned",
    "The role owns neither database nor tables",
    negative=True,
    needs=NEEDS,
    remedy="ALTER … OWNER TO postgres.",
)
def not_owned(target: Target) -> str:
    with reader(target) as cursor:
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


@check("postgresql.database.no_create", "The role can create nothing", negative=True, needs=NEEDS)
def no_create(target: Target) -> str:
    return denied(target, "CREATE TABLE public.mailroom_check (x int)", "CREATE SCHEMA mailroom_check")


@check("postgresql.tables.columns", "The three tables have their columns", needs=NEEDS, remedy="See chapter 2, tables.")
def columns(target: Target) -> str:
    with reader(target) as cursor:
        cursor.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
        found = set(cursor.fetchall())
    missing = [
        f"{table}.{column}" for table, names in TABLES.items() for column in names if (table, column) not in found
    ]
    if missing:
        raise Failed(f"missing: {', '.join(missing)}")
    return "; ".join(f"{table}: {', '.join(names)}" for table, names in TABLES.items())


@check("postgresql.tables.no_drop", "The role cannot empty, change or drop a table", negative=True, needs=NEEDS)
def no_drop(target: Target) -> str:
    return denied(target, "TRUNCATE users", "DROP TABLE users", "ALTER TABLE users ADD COLUMN mailroom_check int")


@check(
    "postgresql.accounts.present",
    "The accounts and the postmaster's aliases are in the tables",
    needs=NEEDS,
    remedy="Run the step that stores the accounts.",
)
def present(target: Target) -> str:
    wanted = {target.account(0)[0], target.account(1)[0]}
    with reader(target) as cursor:
        cursor.execute("SELECT email, maildir FROM users")
        users = dict(cursor.fetchall())
        cursor.execute("SELECT alias, email FROM aliases")
        aliases = dict(cursor.fetchall())
    if missing := wanted - users.keys():
        raise Failed(f"not in users: {', '.join(sorted(missing))}")
    # The slash at the end selects the Maildir format; without it Postfix writes one big mbox.
    if wrong := [email for email in sorted(wanted) if not users[email].endswith("/")]:
        raise Failed(f"maildir without a slash at its end: {', '.join(wrong)}")
    posts = {f"{name}@{target.domain}" for name in ("postmaster", "abuse")}
    if missing := posts - aliases.keys() - users.keys():
        raise Failed(f"reaches nobody: {', '.join(sorted(missing))}")
    return f"users: {', '.join(sorted(wanted))}; aliases: {', '.join(sorted(aliases))}"


@check(
    "postgresql.accounts.lower_case",
    "No address is stored in capitals",
    negative=True,
    needs=NEEDS,
    remedy="UPDATE users SET email = lower(email): Dovecot lowercases the login.",
)
def lower_case(target: Target) -> str:
    with reader(target) as cursor:
        cursor.execute(
            "SELECT email FROM users WHERE email <> lower(email) UNION "
            "SELECT alias FROM aliases WHERE alias <> lower(alias)"
        )
        capitals = [row[0] for row in cursor.fetchall()]
    if capitals:
        raise Failed(", ".join(capitals))
    return "none in users, none in aliases"


@check(
    "postgresql.accounts.no_plain_password",
    "No password is stored in plain",
    negative=True,
    needs=NEEDS,
    remedy="Store it hashed, as {ARGON2ID}, or locked, as {CRYPT}*.",
)
def no_plain_password(target: Target) -> str:
    return schemes_of(target)


@check(
    "dovecot.schemes.no_weak",
    "No stored password uses a weak scheme",
    negative=True,
    needs=NEEDS,
    remedy="Store it hashed again, as {ARGON2ID}; SHA512 is one unsalted pass.",
)
def no_weak(target: Target) -> str:
    return schemes_of(target)


def schemes_of(target: Target) -> str:
    with reader(target) as cursor:
        # Only the prefix leaves the database; a plain password would have none.
        cursor.execute(
            "SELECT email, CASE password WHEN '{CRYPT}*' THEN 'locked' "
            "ELSE substring(password from '^\\{[A-Z0-9.-]+\\}') END FROM users"
        )
        schemes = cursor.fetchall()
    weak = [f"{email}: {scheme or 'no scheme'}" for email, scheme in schemes if scheme not in (*STRONG, LOCKED)]
    if weak:
        raise Failed(", ".join(weak))
    return ", ".join(sorted({scheme for _, scheme in schemes}))


@check(
    "dovecot.password.stored",
    "Each account has a whole hash",
    needs=NEEDS,
    remedy="A hashing command that failed inside $(…) stores an empty one: store it again.",
)
def stored(target: Target) -> str:
    with reader(target) as cursor:
        cursor.execute("SELECT email, length(password) FROM users WHERE length(password) < 60")
        short = cursor.fetchall()
        cursor.execute("SELECT count(*) FROM users")
        total = cursor.fetchone()[0]
    if short:
        raise Failed(", ".join(f"{email}: {length} characters" for email, length in short))
    if not total:
        raise Failed("no account at all")
    return f"{total} of {total}"


@check(
    "dovecot.password.salted",
    "Equal passwords do not show: every hash has its own salt",
    negative=True,
    needs=NEEDS,
    remedy="Store them hashed again, in a salted scheme.",
)
def salted(target: Target) -> str:
    with reader(target) as cursor:
        # Without the digest: Argon2 and SHA512-CRYPT end in salt$digest, bcrypt in 31 characters.
        cursor.execute(
            "SELECT count(*), count(DISTINCT password), count(DISTINCT CASE "
            "WHEN password ~ '^\\{(ARGON2|SHA512-CRYPT)' "
            "THEN regexp_replace(password, '\\$[^$]*$', '') "
            "WHEN password LIKE '{BLF-CRYPT}%' THEN left(password, -31) "
            "ELSE password END) FROM users"
        )
        rows, hashes, salts = cursor.fetchone()
    if rows < 2:
        raise Skipped("needs two accounts")
    if not rows == hashes == salts:
        raise Failed(f"{rows} accounts, {hashes} different hashes, {salts} different salts")
    return f"{rows} accounts, {salts} different salts"
