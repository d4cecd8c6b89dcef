"""How Dovecot asks the database."""

import re
from shlex import quote

import psycopg2

from checks.clients import host, sql
from checks.engine import Failed, Skipped, Target, Warned, claim, negative

SQL_CONF = "/etc/dovecot/dovecot-sql.conf"


@claim(
    "It can list all accounts, for those who do not log in",
    needs="ssh postgresql dovecot-sql imap",
    remedy="A sql userdb with iterate_query beside prefetch: see chapter 4, passdb and sql.",
)
def lists(target: Target) -> str:
    found = target.shell("doveadm user '*'").split()
    wanted = {target.foo, target.bar}
    if missing := wanted - set(found):
        raise Failed(f"{', '.join(sorted(missing))} not among {' '.join(found)}")
    return f"{len(found)} accounts"


@claim(
    "The role and password in dovecot-sql.conf open the database",
    needs="ssh postgresql",
    provides="dovecot-sql",
    remedy="Run the step that writes dovecot-sql.conf, with the role's password.",
)
def credentials(target: Target) -> str:
    # With a wrong one 2.4 answers every login with [UNAVAILABLE], and 2.3.19's auth process dies.
    if not target.shell(f"ls {SQL_CONF} 2>/dev/null", may_fail=True):
        raise Skipped("there is no dovecot-sql.conf: that is chapter 4, sql")
    text = re.sub(r"(?m)^ *#.*", "", target.read(SQL_CONF))
    found = {name: re.search(rf"\b{name} *= *['\"]?([^\s'\"]+)", text) for name in ("user", "password", "dbname")}
    if missing := [name for name, match in found.items() if match is None]:
        raise Failed(f"it names no {' and no '.join(missing)}")
    user, password, database = (match[1] for match in found.values() if match)
    try:
        sql.connect(target, user, password, database).close()
    except psycopg2.OperationalError as error:
        raise Failed(sql.words(error).replace(password, "[secret]")) from error
    return f"{user} is let into {database}"


@negative(
    "It finds nobody whom the tables do not have",
    needs="ssh postgresql dovecot-sql imap",
    remedy="The queries need WHERE email = …",
)
def unknown(target: Target) -> str:
    for user in (f"no-such-user@{target.domain}", "foo", "x' OR 'a'='a"):
        found = target.shell(f"doveadm user {quote(user)}; echo $?", may_fail=True).splitlines()
        if found[-1] != "67":  # EX_NOUSER; anything else is a broken lookup or a find
            raise Failed(f"{user}: {' '.join(found)}")
    return "doesn't exist"


@negative("The database password is not for everybody to read", needs="ssh", remedy="chmod 600 the file; root owns it.")
def private(target: Target) -> str:
    # 2.4 keeps the password in dovecot.conf or in a file included by it; 2.3 in dovecot-sql.conf.
    listed = host.files(
        target,
        "grep -lsE '^[^#]*password *=' -r /etc/dovecot --include='*.conf' --include='*.ext' --exclude-dir=conf.d",
    )
    host.closed_to_others(listed)
    if not listed:
        raise Warned("found no file with a password below /etc/dovecot")
    return "; ".join(f"{one} {one.path}" for one in listed)
