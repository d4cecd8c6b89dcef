"""The accounts and aliases in the tables."""

from checks.clients import sql
from checks.engine import Failed, Target, claim, negative

NEEDS = "ssh postgresql"


@claim("The accounts and the postmaster's aliases are in the tables", remedy="Run the step that stores the accounts.")
def present(target: Target) -> str:
    wanted = {target.foo, target.bar}
    users = dict(sql.rows(target, "SELECT email, maildir FROM users"))
    aliases = dict(sql.rows(target, "SELECT alias, email FROM aliases"))
    if missing := wanted - users.keys():
        raise Failed(f"not in users: {', '.join(sorted(missing))}")
    # The slash at the end selects the Maildir format; without it Postfix writes one big mbox.
    if wrong := [email for email in sorted(wanted) if not users[email].endswith("/")]:
        raise Failed(f"maildir without a slash at its end: {', '.join(wrong)}")
    posts = {f"{name}@{target.domain}" for name in ("postmaster", "abuse")}
    if missing := posts - aliases.keys() - users.keys():
        raise Failed(f"reaches nobody: {', '.join(sorted(missing))}")
    return f"users: {', '.join(sorted(wanted))}; aliases: {', '.join(sorted(aliases))}"


@negative(
    "No address is stored in capitals", remedy="UPDATE users SET email = lower(email): Dovecot lowercases the login."
)
def lower_case(target: Target) -> str:
    query = "SELECT email FROM users WHERE email <> lower(email) UNION SELECT alias FROM aliases WHERE alias <> lower(alias)"
    if capitals := [address for (address,) in sql.rows(target, query)]:
        raise Failed(", ".join(capitals))
    return "none in users, none in aliases"


@negative("No password is stored in plain", remedy="Store it hashed, as {ARGON2ID}, or locked, as {CRYPT}*.")
def no_plain_password(target: Target) -> str:
    return sql.schemes(target)
