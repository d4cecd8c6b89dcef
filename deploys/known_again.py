"""How what an operation has written is known again on a host, also where another administrator has changed it since."""

from collections.abc import Callable
from typing import Any

from facts.mail_host import MailHost
from operations import accounts, dovecot, files, passwords, postfix, postgresql, sieve, users
from operations.base import touched

Given = dict[str, Any]


def known_again(operation: Any, given: Given, there: MailHost) -> bool | None:
    """Whether the thing that this operation writes is on the host; None of an operation that only changes or prepares things."""
    if operation in KNOWN_AGAIN:
        return KNOWN_AGAIN[operation](there, given)
    if operation is files.file or given.get("present") is False:
        return None  # another program's file; what is taken away
    written = touched(operation, given).get("writes")
    return any(path in there.files for path in written) if written else None


def _main_cf(there: MailHost, given: Given) -> bool:
    """Half of the parameters have our values: a package's own main.cf has a few of them, too."""
    wanted = postfix.understood(given["settings"], there.packages.get("postfix"))
    same = [key for key, value in wanted.items() if there.main_cf.get(key) == postfix.squeezed(value)]
    return 2 * len(same) >= len(wanted)


def _overrides(there: MailHost, given: Given) -> bool | None:
    if not given.get("present", True):
        return None
    return any(f"{given['service']}/{key}" in there.overrides for key in given["settings"])


def _transports(there: MailHost, given: Given) -> bool:
    rows = there.sql.get("transports", {})
    found = [rows[name]["transport"] for name in given["domains"] if name in rows]
    return given["transport"] in found if given.get("instead_of") else bool(found)


def _passwords(there: MailHost, given: Given) -> bool:
    rows = there.sql.get("users", {})
    return any(rows[email]["password"] != passwords.LOCKED for email in given["secrets"] if email in rows)


def _rows(table: str, argument: str) -> Callable[[MailHost, Given], bool]:
    return lambda there, given: bool(there.sql.get(table, {}).keys() & given[argument].keys())


# Of what is no file of its own. An operation that is neither here nor writes a file tells nothing.
KNOWN_AGAIN: dict[Any, Callable[[MailHost, Given], bool | None]] = {
    postfix.main_cf: _main_cf,
    postfix.master_cf: lambda there, given: given["service"] in there.master_cf,
    postfix.overrides: _overrides,
    postfix.wakeup: lambda there, given: (
        there.master_cf.get(given["service"], "").split()[5:6] == [str(given["seconds"])]
    ),
    postfix.columns: lambda there, given: (
        f"flags={given['flags']}" in there.master_cf.get(given["service"], "").split()
    ),
    dovecot.block: lambda there, given: f"# >>> mailroom: {given['block']}\n" in (there.text(dovecot.CONF) or ""),
    postgresql.hba: lambda there, given: "# >>> mailroom\n" in (there.text(there.sql.get("hba_file", "")) or ""),
    postgresql.role: lambda there, given: "role" in there.sql,
    postgresql.database: lambda there, given: "database" in there.sql,
    postgresql.tables: lambda there, given: bool(there.sql.get("tables", {}).keys() & given["tables"].keys()),
    accounts.transports: _transports,
    accounts.mailboxes: _rows("users", "users"),
    accounts.aliases: _rows("aliases", "aliases"),
    accounts.user_passwords: _passwords,
    sieve.homes: lambda there, given: bool(there.system.get("homes")),
    users.user: lambda there, given: given["user"] in there.passwd,
}
