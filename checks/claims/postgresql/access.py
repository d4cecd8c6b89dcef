"""How PostgreSQL asks who somebody is."""

import psycopg2

from checks.clients import sql
from checks.engine import Failed, Target, claim, negative


@claim(
    "On 127.0.0.1 the role is asked for its password by SCRAM",
    needs="ssh postgresql",
    remedy="scram-sha-256 instead of md5 in pg_hba.conf, then reload.",
)
def scram(target: Target) -> str:
    # The question is put before anybody has a password: even an unknown role is asked.
    try:
        sql.connect(target, target.role, "not-the-password", require_auth="scram-sha-256").close()
    except psycopg2.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise Failed(sql.words(error)) from error
        return "the server asks by scram-sha-256"
    raise Failed("a wrong password was taken")


@negative(
    "No line of pg_hba.conf lets anybody in without a password, or from elsewhere at the mail",
    needs="ssh postgresql",
    remedy="Take the line out, then SELECT pg_reload_conf(); docs/ours.md.",
)
def nothing_beside(target: Target) -> str:
    found = sql.as_postgres(
        target,
        "SELECT 'line ' || line_number || ': ' || coalesce(error, auth_method) FROM pg_hba_file_rules WHERE error IS NOT NULL "
        "OR auth_method IN ('trust', 'password') OR EXISTS (SELECT FROM unnest(options) AS o WHERE o LIKE 'map=%') "
        "OR (address !~ '^(127\\.|::1|localhost|samehost)' AND auth_method <> 'reject' "
        "AND database && ARRAY['all', 'mail', 'sameuser', 'samerole', 'replication'])",
    )
    if found:
        raise Failed(", ".join(found.splitlines()))
    return sql.as_postgres(target, "SELECT count(*) || ' lines' FROM pg_hba_file_rules")


@negative("Nobody gets in without a password", needs="ssh postgresql")
def password_demanded(target: Target) -> str:
    return sql.refused(target, target.role, "", "without a password")


@negative("The superuser cannot log in over TCP without one", needs="ssh postgresql")
def postgres_refused(target: Target) -> str:
    return sql.refused(target, "postgres", "", "without a password", database="postgres")
