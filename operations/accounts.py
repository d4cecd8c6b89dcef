"""The rows of the bookkeeper's tables: domains, mailboxes, aliases. Only what differs is written."""

import re
from collections.abc import Collection
from typing import Any

from operations import fingerprints, passwords, preview
from operations.base import Commands, changing, mail_host, warn
from operations.postgresql import need_tables, quoted, sql, tables_wanted

DATABASE = "mail"

# While PostgreSQL is away Dovecot answers from memory (chapter 4, passdb). The memory ends with its auth process, if that does not
# listen: its configuration may be what this run puts right, later.
FORGET = """
shift
! systemctl -q is-active dovecot || timeout -s KILL 10 doveadm auth cache flush "$@" >/dev/null 2>&1 ||
    pkill -KILL -x -P "$(cat /run/dovecot/master.pid)" auth || true
"""


def _rows(table: str) -> dict[str, dict[str, Any]]:
    need_tables()
    return mail_host().sql.get(table, {})


def _without_hash(statement: str) -> str:
    without = re.sub(r"'\{[A-Za-z0-9.-]+\}[^']+'", "'{SCHEME}(hash)'", statement)
    return re.sub(r"'[0-9a-f]{64}'", "'(fingerprint)'", without)


def _left_over(table: str, key: str, wanted: set[str], prune: bool) -> list[str]:
    """Rows that are not in the data any more: reported, and deleted only when asked (mail on the disk stays)."""
    left = sorted(set(_rows(table)) - wanted)
    if left and not prune:
        warn(
            f"not in the data any more, kept in the table {table}: {', '.join(left)} "
            "(remove them with --data prune_accounts=true)"
        )
    return [f"DELETE FROM {table} WHERE {key} = {quoted(name)}" for name in left] if prune else []


def _written(statements: list[str], changed: Collection[str] = ()) -> Commands:
    """The command for these statements; afterwards Dovecot, if it runs, has forgotten what it knew of the addresses `changed`."""
    if statements:
        preview.change("database mail", "", ";\n".join(map(_without_hash, statements)) + ";\n")
        names = (
            sorted(changed) if len(changed) <= 100 else ()
        )  # of many it forgets all: a command has room for so many words
        yield sql(statements, DATABASE, True, FORGET if changed else "", *names)


@changing(database=DATABASE)
def transports(domains: list[str], transport: str, instead_of: str = "", prune: bool = False) -> Commands:
    """A row in `transports` for each domain. A transport that somebody has changed stays as it is.

    + domains: their names
    + transport: as transport(5) has it ("virtual:")
    + instead_of: change the rows that have this transport, and add none
    + prune: delete the rows of other domains

    **Example:** ``accounts.transports(domains=["example.org"], transport="virtual:")``
    """
    rows = _rows("transports")
    if instead_of:
        names = [name for name in domains if name in rows and rows[name]["transport"] == instead_of]
        update = f"UPDATE transports SET transport = {quoted(transport)} WHERE domain = "
        yield from _written([update + quoted(name) for name in names])
        return
    statements = [
        f"INSERT INTO transports (domain, transport) VALUES ({quoted(name)}, {quoted(transport)})"
        for name in domains
        if name not in rows
    ]
    yield from _written(statements + _left_over("transports", "domain", set(domains), prune))


@changing(database=DATABASE)
def mailboxes(users: dict[str, dict[str, str]], prune: bool = False) -> Commands:
    """A row in `users` for each address; new ones are locked until a password is set.

    + users: {address: {"realname": …, "maildir": …}}
    + prune: delete the rows of other addresses

    **Example:** ``accounts.mailboxes(users={"foo@example.org": {"realname": "Foo", "maildir": "example.org/foo/"}})``
    """
    rows = _rows("users")
    statements, differing = [], set()
    for email, user in users.items():
        found = rows.get(email)
        if found is None:
            values = ", ".join(map(quoted, (email, passwords.LOCKED, user["realname"], user["maildir"])))
            statements.append(f"INSERT INTO users (email, password, realname, maildir) VALUES ({values})")
            continue
        changed = [f"{key} = {quoted(value)}" for key, value in user.items() if found[key] != value]
        if changed:
            differing.add(email)
            statements.append(f"UPDATE users SET {', '.join(changed)} WHERE email = {quoted(email)}")
    statements += _left_over("users", "email", set(users), prune)
    yield from _written(statements, differing | (set(rows) - set(users) if prune else set()))


@changing(database=DATABASE)
def user_passwords(secrets: dict[str, str], scheme: str, key: fingerprints.Key, reader: str) -> Commands:
    """Each mailbox has its declared password, in this scheme, unless its user has changed it since it was declared.

    Fingerprints of the declared ones say so (operations/fingerprints.py), in a table that `reader` may not read.

    + secrets: passwords, or ready hashes ("{SCHEME}…"), by address
    + scheme: "ARGON2ID" or "SHA512-CRYPT"
    + key: the controller's, a `fingerprints.Key`, which never leaves it
    + reader: the role that Postfix and Dovecot ask with

    **Example:** ``accounts.user_passwords(secrets={"foo@example.org": "…"}, scheme="ARGON2ID", key=Key("…"), reader="mailreader")``
    """
    rows = _rows("users")
    differing: set[str] = set()
    statements = tables_wanted({fingerprints.TABLE: fingerprints.COLUMNS}, reader, select=False)
    for email, secret in secrets.items():
        row = rows.get(email, {"password": passwords.LOCKED})
        needed = fingerprints.wanted(row, email, secret, scheme, key, mail_host().schemes)
        if needed and needed.password:
            differing.add(email)
            statements.append(f"UPDATE users SET password = {quoted(needed.password)} WHERE email = {quoted(email)}")
        if needed:
            values = (needed.made, key.id, key.fingerprint(email, needed.made, secret))
            statements.append(
                f"INSERT INTO {fingerprints.TABLE} (email, hash, key, fingerprint) "
                f"SELECT email, {', '.join(map(quoted, values))} FROM users WHERE email = {quoted(email)} "
                "ON CONFLICT (email) DO UPDATE SET hash = excluded.hash, key = excluded.key, fingerprint = excluded.fingerprint"
            )
    yield from _written(statements, differing)


@changing(database=DATABASE)
def aliases(aliases: dict[str, list[str]], mailboxes: Collection[str] = (), prune: bool = False) -> Commands:
    """A row in `aliases` for each alias; several targets are one value, separated by commas, as Postfix reads them.

    An address that was an alias and is a mailbox now has no row here any more: Postfix asks for aliases first, and the
    mailbox would never get a letter.

    + aliases: {alias: targets}
    + mailboxes: addresses that may be no alias
    + prune: delete the rows of other aliases

    **Example:** ``accounts.aliases(aliases={"bar@example.org": ["foo@example.org"]})``
    """
    rows = _rows("aliases")
    hiding = sorted(set(rows) & set(mailboxes) - set(aliases))
    statements = [f"DELETE FROM aliases WHERE alias = {quoted(name)}" for name in hiding]
    for alias, targets in aliases.items():
        value = ",".join(targets)
        if alias not in rows:
            statements.append(f"INSERT INTO aliases (alias, email) VALUES ({quoted(alias)}, {quoted(value)})")
        elif rows[alias]["email"] != value:
            statements.append(f"UPDATE aliases SET email = {quoted(value)} WHERE alias = {quoted(alias)}")
    yield from _written(statements + _left_over("aliases", "alias", {*aliases, *hiding}, prune))
