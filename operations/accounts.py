"""The rows of the bookkeeper's tables: domains, mailboxes, aliases. Only what differs is written."""

import re
from collections.abc import Collection
from typing import Any

from pyinfra import host, logger, state

from operations import fingerprints, passwords, preview
from operations.base import Commands, changing, mail_host
from operations.postgresql import need_tables, quoted, sql, tables_wanted

DATABASE = "mail"


def _rows(table: str) -> dict[str, dict[str, Any]]:
    need_tables()
    return mail_host().sql.get(table, {})


def _without_hash(statement: str) -> str:
    without = re.sub(r"'\{[A-Za-z0-9.-]+\}[^']+'", "'{SCHEME}(hash)'", statement)
    return re.sub(r"'[0-9a-f]{64}'", "'(fingerprint)'", without)


def _left_over(table: str, key: str, wanted: set[str], prune: bool) -> list[str]:
    """Rows that are not in the data any more: reported, and deleted only when asked (mail on the disk stays)."""
    left = sorted(set(_rows(table)) - wanted)
    if left and not prune and state.is_executing:
        host.log_styled(
            f"not in the data any more, kept in the table {table}: {', '.join(left)} "
            "(remove them with --data prune_accounts=true)",
            fg="yellow",
            log_func=logger.warning,
        )
    return [f"DELETE FROM {table} WHERE {key} = {quoted(name)}" for name in left] if prune else []


@changing
def domains(names: list[str], transport: str, prune: bool = False) -> Commands:
    """A row in `transports` for each domain. A transport that a later chapter has changed stays as it is."""
    statements = [
        f"INSERT INTO transports (domain, transport) VALUES ({quoted(name)}, {quoted(transport)})"
        for name in names
        if name not in _rows("transports")
    ]
    statements += _left_over("transports", "domain", set(names), prune)
    if statements:
        preview.change("database mail", "", ";\n".join(map(_without_hash, statements)) + ";\n")
        yield sql(statements, database=DATABASE)


@changing
def delivered_by(names: list[str], transport: str, instead_of: str) -> Commands:
    """The rows of these domains that have the transport `instead_of` get another one. What the operator chose stays."""
    rows = _rows("transports")
    statements = [
        f"UPDATE transports SET transport = {quoted(transport)} WHERE domain = {quoted(name)}"
        for name in names
        if name in rows and rows[name]["transport"] == instead_of
    ]
    if statements:
        preview.change("database mail", "", ";\n".join(statements) + ";\n")
        yield sql(statements, database=DATABASE)


@changing
def mailboxes(users: dict[str, dict[str, str]], prune: bool = False) -> Commands:
    """A row in `users` for each address, {"realname": …, "maildir": …}; new ones are locked until a password is set."""
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
    gone = set(rows) - set(users) if prune else set()
    if statements:
        preview.change("database mail", "", ";\n".join(map(_without_hash, statements)) + ";\n")
        yield sql(statements, database=DATABASE, forgotten=differing | gone)


@changing
def user_passwords(secrets: dict[str, str], scheme: str, key: fingerprints.Key, reader: str) -> Commands:
    """Each mailbox has its declared password, in this scheme, unless its user has changed it since it was declared.

    Fingerprints of the declared ones say so (operations/fingerprints.py), in a table that `reader` may not read.
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
    if statements:
        preview.change("database mail", "", ";\n".join(map(_without_hash, statements)) + ";\n")
        yield sql(statements, database=DATABASE, forgotten=differing)


@changing
def aliases(wanted: dict[str, list[str]], mailboxes: Collection[str] = (), prune: bool = False) -> Commands:
    """A row in `aliases` for each alias; several targets are one value, separated by commas, as Postfix reads them.

    An address that was an alias and is a mailbox now has no row here any more: Postfix asks for aliases first, and the
    mailbox would never get a letter.
    """
    rows = _rows("aliases")
    hiding = sorted(set(rows) & set(mailboxes) - set(wanted))
    statements = [f"DELETE FROM aliases WHERE alias = {quoted(name)}" for name in hiding]
    for alias, targets in wanted.items():
        value = ",".join(targets)
        if alias not in rows:
            statements.append(f"INSERT INTO aliases (alias, email) VALUES ({quoted(alias)}, {quoted(value)})")
        elif rows[alias]["email"] != value:
            statements.append(f"UPDATE aliases SET email = {quoted(value)} WHERE alias = {quoted(alias)}")
    statements += _left_over("aliases", "alias", {*wanted, *hiding}, prune)
    if statements:
        preview.change("database mail", "", ";\n".join(map(_without_hash, statements)) + ";\n")
        yield sql(statements, database=DATABASE)
