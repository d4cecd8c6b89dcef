"""A role or a database in the place of ours that mailroom did not make (see `deploys.foreign`)."""

from collections.abc import Iterator
from typing import Any

from deploys.data import MailData
from facts.mail_host import MailHost
from operations import scram

TABLES = {
    "users": {"email", "password", "realname", "maildir", "created"},
    "transports": {"domain", "transport"},
    "aliases": {"alias", "email"},
}


def role(there: MailHost, checked: MailData) -> Iterator[str]:
    """Our role has our comment or our password, or our tables beside it."""
    answer = there.sql
    if "role" not in answer or answer.get("role_note") or _our_tables(answer):
        return
    if powers := [name for name in ("super", "createdb", "createrole") if answer.get(name)]:
        why = f"it is {', '.join(powers)}"
    elif answer.get("owns"):
        why = "it owns something"
    elif scram.verify(checked.secrets.services.get("mailreader", ""), str(answer.get("verifier"))):
        return
    else:
        why = "it has another password"
    yield (
        f"PostgreSQL has a role mailreader that mailroom did not make ({why}), and a run would change its password and rights; rename it: "
        "ALTER ROLE mailreader RENAME TO … (a renamed role needs its password set again), or drop it if nobody uses it"
    )


def _our_tables(answer: dict[str, Any]) -> bool:
    tables = answer.get("tables") or {}
    return any(
        columns == set(tables[name].get("columns", ())) and tables[name]["owner"] == "postgres"
        for name, columns in TABLES.items()
        if name in tables
    )


def database(there: MailHost) -> Iterator[str]:
    """Our database has our comment or our tables. An empty one of postgres's is left from a run that died."""
    answer = there.sql
    if "database" not in answer:
        return
    remedy = "rename it: ALTER DATABASE mail RENAME TO …, or drop it if nobody uses it"
    tables, noted = answer.get("tables", {}), answer.get("database_note")
    wrong = [
        f"{name} ({', '.join(tables[name]['columns'])})"
        for name, columns in TABLES.items()
        if columns != set(tables.get(name, {}).get("columns", columns))
    ]
    if not noted and answer.get("database_owner", "postgres") != "postgres":
        yield f"PostgreSQL has a database mail that belongs to {answer['database_owner']}, not to mailroom; {remedy}"
    elif not noted and tables and not _our_tables(answer):
        yield f"PostgreSQL has a database mail with tables that mailroom did not make ({', '.join(tables)}); {remedy}"
    elif wrong:
        yield f"tables of the database mail have other columns than mailroom's: {'; '.join(wrong)}; rename them or {remedy}"
