"""The accounts and aliases in the tables."""

from checks.clients import sql
from checks.engine.check import check
from checks.engine.target import Target
from checks.engine.verdicts import Failed


@check(
    "The accounts and the postmaster's aliases are in the tables",
    needs="ssh postgresql",
    remedy="Run the step that stores the accounts.",
)
def present(target: Target) -> str:
    wanted = {target.account(0)[0], target.account(1)[0]}
    with sql.reader(target) as cursor:
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
    "No address is stored in capitals",
    negative=True,
    needs="ssh postgresql",
    remedy="UPDATE users SET email = lower(email): Dovecot lowercases the login.",
)
def lower_case(target: Target) -> str:
    with sql.reader(target) as cursor:
        cursor.execute(
            "SELECT email FROM users WHERE email <> lower(email) UNION "
            "SELECT alias FROM aliases WHERE alias <> lower(alias)"
        )
        capitals = [row[0] for row in cursor.fetchall()]
    if capitals:
        raise Failed(", ".join(capitals))
    return "none in users, none in aliases"


@check(
    "No password is stored in plain",
    negative=True,
    needs="ssh postgresql",
    remedy="Store it hashed, as {ARGON2ID}, or locked, as {CRYPT}*.",
)
def no_plain_password(target: Target) -> str:
    return sql.schemes(target)
