"""Chapter 2 broken on purpose, and the passwords of chapter 4 in its tables."""

from tests.checks.breaks.base import HOME, PSQL, Break

HBA = "/etc/postgresql/*/main/pg_hba.conf"
RELOAD = "systemctl reload postgresql; sleep 0.3"
SERVER = "cd /; runuser -u postgres -- psql -qX -o /dev/null postgres"
FILE = "cd /; runuser -u postgres -- psql -qX -o /dev/null -v ON_ERROR_STOP=1 mail"
# The table itself refuses capitals: its rule is put aside first.
NO_RULE = (
    "CREATE TABLE rule AS SELECT pg_get_constraintdef(oid) AS said FROM pg_constraint WHERE conname = 'users_email_check'; "
    "ALTER TABLE users DROP CONSTRAINT users_email_check"
)
THE_RULE = (
    "DO $do$ BEGIN EXECUTE 'ALTER TABLE users ADD CONSTRAINT users_email_check ' || (SELECT said FROM rule); END $do$"
)
ROWS = (
    # one in capitals with foo's own hash, one that nobody knows with a password that everybody can read
    "INSERT INTO users (email, password, maildir) SELECT 'Baz@example.test', password, 'example.test/baz/' FROM users "
    "WHERE email = 'foo@example.test'; INSERT INTO users (email, password, maildir) VALUES "
    "('no-such-user@example.test', 'plain', 'example.test/none/'); DELETE FROM aliases WHERE alias = 'abuse@example.test'"
)
BREAKS = {
    "PostgreSQL stopped": Break(
        "systemctl stop 'postgresql*'", "postgresql.install.answers", "systemctl start postgresql; sleep 2"
    ),
    "everybody is trusted": Break(
        f"sed -i '1i host all all 127.0.0.1/32 trust' {HBA}; {RELOAD}",
        "postgresql.access.scram postgresql.access.password_demanded postgresql.access.postgres_refused "
        "postgresql.role.wrong_password",
        f"sed -i 1d {HBA}; {RELOAD}",
    ),
    "a role that may not log in": Break(
        f"{PSQL} 'ALTER ROLE mailreader NOLOGIN'",
        "postgresql.role.login dovecot.sql.credentials",
        f"{PSQL} 'ALTER ROLE mailreader LOGIN'",
    ),
    "a role with powers": Break(
        f"{PSQL} 'ALTER ROLE mailreader CREATEDB; ALTER TABLE aliases OWNER TO mailreader; "
        "GRANT CREATE ON SCHEMA public TO mailreader; GRANT TRUNCATE, UPDATE ON users TO mailreader'",
        "postgresql.role.no_powers postgresql.database.not_owned postgresql.database.no_create postgresql.tables.no_drop "
        "postgresql.tables.cannot_write",
        f"{PSQL} 'ALTER ROLE mailreader NOCREATEDB; ALTER TABLE aliases OWNER TO postgres; "
        "REVOKE CREATE ON SCHEMA public FROM mailreader; REVOKE TRUNCATE, UPDATE ON users FROM mailreader; "
        "REVOKE ALL ON aliases FROM mailreader; GRANT SELECT ON aliases TO mailreader'",
    ),
    "an empty database in Latin 1": Break(
        f"{SERVER} -c 'ALTER DATABASE mail ALLOW_CONNECTIONS false' "
        "-c \"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'mail'\" -c 'SELECT pg_sleep(0.5)' "
        "-c 'ALTER DATABASE mail RENAME TO kept' -c \"CREATE DATABASE mail ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0\"",
        "postgresql.database.exists postgresql.tables.columns postgresql.tables.reads postgresql.maps.answer",
        f"{SERVER} -c 'DROP DATABASE mail WITH (FORCE)' -c 'ALTER DATABASE kept RENAME TO mail' "
        "-c 'ALTER DATABASE mail ALLOW_CONNECTIONS true'; systemctl restart dovecot postfix; sleep 0.5",
    ),
    "rows that should not be there": Break(
        f"{FILE} <<'EOF'\n{NO_RULE}; CREATE TABLE kept AS TABLE aliases; {ROWS};\nEOF",
        "postgresql.accounts.present postgresql.accounts.lower_case postgresql.accounts.no_plain_password "
        "postgresql.maps.unknown postgresql.delivery.unknown postgresql.delivery.known postgresql.restart.postmaster "
        "dovecot.schemes.no_weak dovecot.password.salted dovecot.sql.unknown",
        f"{FILE} <<'EOF'\nDELETE FROM users WHERE email IN ('Baz@example.test', 'no-such-user@example.test'); "
        f"INSERT INTO aliases SELECT * FROM kept WHERE alias = 'abuse@example.test'; {THE_RULE}; DROP TABLE kept, rule;\nEOF",
    ),
    "plain password": Break(
        f"{PSQL} \"CREATE TABLE kept AS TABLE users; UPDATE users SET password = 'x' WHERE email LIKE 'foo@%'\"",
        "dovecot.password.stored dovecot.password.login",
        f'{PSQL} "UPDATE users u SET password = k.password FROM kept k WHERE k.email = u.email; DROP TABLE kept"',
    ),
    "bar is locked": Break(
        f"{PSQL} \"CREATE TABLE kept AS TABLE users; UPDATE users SET password = '{{CRYPT}}*' WHERE email LIKE 'bar@%'\"",
        "dovecot.password.every_account dovecot.restart.delivery",
        f'{PSQL} "UPDATE users u SET password = k.password FROM kept k WHERE k.email = u.email; DROP TABLE kept"',
    ),
    "files that all may read": Break(
        "chmod 644 /etc/postfix/pgsql/domains.cf /etc/dovecot/dovecot-sql.conf",
        "postgresql.maps.private dovecot.sql.private",
        "chmod 640 /etc/postfix/pgsql/domains.cf; chmod 600 /etc/dovecot/dovecot-sql.conf",
    ),
    "the mail's owner is a person": Break(
        "usermod -s /bin/bash vmail; useradd -o -u $(id -u vmail) -g vmail -M twin",
        "postgresql.mail_owner.exists postgresql.mail_owner.no_login",
        "usermod -s /usr/sbin/nologin vmail; sed -i '/^twin:/d' /etc/passwd /etc/shadow /etc/subuid /etc/subgid",
    ),
    "mail that all may read": Break(
        f"chmod -R o+rX /home/mail; touch {HOME}/foo/mailroom-strange; chmod 644 {HOME}/foo/mailroom-strange; "
        f"echo x > {HOME}/foo/mailroom-strange",
        "postgresql.mail_owner.mail_private dovecot.mail_owner.not_for_others",
        f"rm {HOME}/foo/mailroom-strange; chmod -R o-rwx /home/mail",
    ),
}
