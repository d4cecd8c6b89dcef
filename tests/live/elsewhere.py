"""Somebody else's deploys: each operation of ours once, and how to see on the host what it did, by a way that is not ours."""

import shlex
from dataclasses import dataclass

UNIT = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\n[Install]\nWantedBy=multi-user.target\n"
# What is on the host before: files of others' that operations change, and nothing of what they make.
BEFORE = """touch /root/else.key && chmod 644 /root/else.key
echo '!include_try local.conf' >>/etc/dovecot/dovecot.conf
printf '%s' "$1" >/etc/systemd/system/else.service
mkdir -p /usr/local/lib/systemd/system
printf '%s' "$1" >/usr/local/lib/systemd/system/else-off.service # one in /etc could not be masked
postconf -M gone/unix="gone unix - - y - - smtp"
postconf -P showq/unix/syslog_name=else
systemctl daemon-reload
systemctl enable --quiet --now else-off
touch /root/else.gone /root/else-away
mkdir /root/else.example
cat >/root/else-ask <<'EOF'
#!/bin/sh
openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj /CN=zoe -addext subjectAltName=DNS:zoe.else.example -keyout /root/else-asked.key \
    -out /etc/else-asked.pem 2>/dev/null
openssl pkey -in /root/else-asked.key -pubout -outform DER | sha256sum | cut -d' ' -f1 >>/var/lib/mailroom-acme/installed
printf '%s\\n' 'server = https://ca.else.example/dir' 'authenticator = webroot' >/etc/letsencrypt/renewal/mailroom.conf
EOF
chmod 755 /root/else-ask
"""
DIALECTS = 'dialects=dict.fromkeys(("2.3", "2.4"), {})'
USERS = '{"zoe@else.example": {"realname": "Zoe", "maildir": "else.example/zoe/"}}'


def asked(statement: str, database: str = "mail") -> str:
    return shlex.join(["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-d", database, "-c", statement])


def by_role(statement: str) -> str:
    words = [
        "env",
        "PGPASSWORD=secret-1",
        "psql",
        "-XAtq",
        "-h",
        "127.0.0.1",
        "-U",
        "elserole",
        "elsedb",
        "-c",
        statement,
    ]
    return f"{shlex.join(words)} 2>&1 | head -n1"


@dataclass(frozen=True)
class Case:
    operation: str
    given: str  # its arguments, as a deploy has them
    ask: str = "true"  # a command of the host's own
    says: str = ""  # all of its answer, and another one than before


CASES = [
    Case("hostname.hostname", 'hostname="mx1.example.test"'),  # its own: a container may not have another
    Case("packages.packages", 'packages=("tree",)', "tree --version | cut -d' ' -f1", "tree"),
    Case(
        "users.user",
        'user="elsie", uid=4711, gid=4712, home="/srv/e"',
        "id elsie | cut -d'(' -f1,2",
        "uid=4711(elsie) gid=4712",
    ),
    Case("users.member", 'user="elsie", group="adm"', "id -nG elsie", "elsie adm"),
    Case(
        "files.directory",
        'path="/srv/else/mail", user="elsie", mode="2750"',
        "stat -c '%a %U' /srv/else/mail",
        "2750 elsie",
    ),
    Case(
        "files.put",
        'dest="/srv/else/a", text="one", group="adm", mode="640"',
        "stat -c '%a %G %s' /srv/else/a",
        "640 adm 4",
    ),
    Case("files.file", 'path="/root/else.key", mode="600"', "stat -c %a /root/else.key", "600"),
    Case(
        "certificate.pair",
        'certificate="/srv/else/c.pem", key="/srv/else/k.pem", names=["mx1.else.example", "else.example"]',
        "openssl x509 -noout -ext subjectAltName -in /srv/else/c.pem | tail -n1",
        "    DNS:mx1.else.example, DNS:else.example",
    ),
    Case("firewall.services", 'services=("smtp",)'),
    Case("selinux.file_context", 'path="/srv/else", se_type="mail_spool_t"'),
    Case("postfix.main_cf", 'settings={"smtpd_hard_error_limit": "7"}', "postconf -h smtpd_hard_error_limit", "7"),
    Case(
        "postfix.master_cf",
        'service="else/unix", entry="else unix - - n - 3 lmtp"',
        "postconf -M else/unix | tr -s ' '",
        "else unix - - n - 3 lmtp -o syslog_name=postfix/else flags=O",
    ),
    Case("postfix.wakeup", 'service="flush/unix", seconds=900', "postconf -Fh flush/unix/wakeup", "900"),
    Case(
        "postfix.columns",
        'service="else/unix", process_limit="3", flags="O"',
        "postconf -Fh else/unix/command | grep -o flags=O",
        "flags=O",
    ),
    Case(
        "postfix.overrides",
        'service="else/unix", settings={"syslog_name": "postfix/else"}',
        "postconf -Ph else/unix/syslog_name",
        "postfix/else",
    ),
    Case(
        "postfix.table",
        'dest="/etc/postfix/else.cf", text="dbname = x"',
        "stat -c '%a %G' /etc/postfix/else.cf",
        "640 postfix",
    ),
    Case("postfix.aliases", 'aliases={"elsie": "root"}', "postalias -q elsie /etc/aliases", "root"),
    Case("postgresql.cluster", 'data=""'),
    Case(
        "postgresql.role",
        'role="elserole", password="secret-1"',
        asked("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'elserole'"),
        "t",
    ),
    Case(
        "postgresql.database",
        'database="elsedb", reader="elserole"',
        by_role("CREATE TABLE x (y int)"),
        "ERROR:  permission denied for schema public",
    ),
    Case(
        "postgresql.tables",
        'database="elsedb", tables={"things": "name text"}, reader="elserole"',
        f"{by_role('DELETE FROM things')}; {by_role('SELECT count(*) FROM things')}",
        "ERROR:  permission denied for table things\n0",
    ),
    Case(
        "postgresql.hba",
        'lines=("host all mailreader,elserole 127.0.0.1/32 scram-sha-256",)',
        asked("SELECT user_name FROM pg_hba_file_rules ORDER BY line_number LIMIT 1"),
        "{mailreader,elserole}",
    ),
    Case(
        "accounts.transports",
        'domains=["else.example"], transport="virtual:"',
        asked("SELECT transport FROM transports WHERE domain = 'else.example'"),
        "virtual:",
    ),
    Case(
        "accounts.mailboxes",
        f"users={USERS}",
        "doveadm user zoe@else.example >/dev/null && echo ok",
        "ok",
    ),
    Case(
        "accounts.user_passwords",
        'secrets={"zoe@else.example": "-secret-two"}, scheme="SHA512-CRYPT", key=Key("k"), reader="mailreader"',
        "doveadm auth test -- zoe@else.example -secret-two 2>&1 | head -n1",  # the dash must not make it an option
        "passdb: zoe@else.example auth succeeded",
    ),
    Case(
        "accounts.aliases",
        'aliases={"z@else.example": ["zoe@else.example"]}',
        asked("SELECT email FROM aliases WHERE alias = 'z@else.example'"),
        "zoe@else.example",
    ),
    Case(
        "dovecot.block",
        'block="else", ' + DIALECTS.format('"login_greeting = Else."'),
        "doveconf -h login_greeting",
        "Else.",
    ),
    Case("dovecot.includes", "enabled=False", "grep -c '^!include_try local' /etc/dovecot/dovecot.conf", "0"),
    Case(
        "dovecot.sql_conf",
        DIALECTS.format("SQL_CONF"),
        "stat -c %a /etc/dovecot/dovecot-sql.conf; tail -n1 /etc/dovecot/dovecot-sql.conf",
        "600\n# else",
    ),
    Case("dovecot.scheme", 'scheme="SHA512-CRYPT"'),
    Case(
        "amavis.part",
        'dest="/etc/amavis/conf.d/70-else", text="$max_requests = 7;\\n1;"',
        "perl -we 'our $max_requests; do shift or die; print $max_requests' /etc/amavis/conf.d/70-else",
        "7",
    ),
    Case(
        "dkim.key",
        'folder="/root/else.example", selector="m1", group="mail"',
        "cd /root/else.example; stat -c '%a %U:%G' m1.pem; grep -o '^m1 ' signing; openssl pkey -in m1.pem -text -noout | head -n1",
        "640 root:mail\nm1 \nPrivate-Key: (2048 bit, 2 primes)",
    ),
    Case("amavis.rules", 'text="required_score 6.5"', "cat /etc/spamassassin/mailroom.cf", "required_score 6.5"),
    Case("clamav.clamd_conf", 'settings={"MaxThreads": "11"}', "clamconf | grep ^MaxThreads", 'MaxThreads = "11"'),
    Case(
        "clock.sources",
        'servers=("192.0.2.1",)',
        "chronyc reload sources >/dev/null; chronyc -n sources | grep -c 192.0.2.1",
        "1",
    ),
    Case("clock.adjustment", ""),
    Case(
        "services.drop_in",
        'service="chrony.service", text="[Service]\\nNice=3", file="else"',
        "systemctl show -P Nice chrony",
        "3",
    ),
    Case(
        "services.service",
        'service="else", files=("/etc/systemd/system/else.service",)',
        "systemctl is-active else",
        "active",
    ),
    Case("services.service", 'service="else-off", running=False', "systemctl is-enabled else-off", "masked"),
    Case("services.health", 'user="foo@example.test", domain="example.test"'),
    Case(
        "sieve.homes",
        'users=("zoe@else.example",), path="/home/mail", user="vmail"',
        "stat -c '%a %U' /home/mail/.home/else.example/zoe",
        "700 vmail",
    ),
    Case(
        "sieve.script",
        'dest="/etc/dovecot/sieve/else.sieve", text="keep;"',
        "sieve-dump /etc/dovecot/sieve/else.svbin | grep -c KEEP",
        "1",
    ),
    Case(
        "acme.withdrawn", 'files=("/root/else.gone",), units=("else-gone.timer",)', "ls -d /root/else.g* | wc -l", "0"
    ),
    Case(
        "acme.signed",
        'names=["zoe.else.example"], server="https://ca.else.example/dir", certificate="/etc/else-asked.pem", program="/root/else-ask"',
        "openssl x509 -in /etc/else-asked.pem -noout -ext subjectAltName | tail -n1 | tr -d ' '",
        "DNS:zoe.else.example",
    ),
    Case(
        "postfix.no_overrides",
        'service="showq/unix", settings={"syslog_name": "else"}',
        "postconf -P showq/unix/syslog_name 2>/dev/null | wc -l",
        "0",
    ),
    Case("services.withdrawn", 'files=("/root/else-away",)', "ls -d /root/else-away 2>/dev/null | wc -l", "0"),
    Case("relay.no_service", 'service="gone/unix"', "postconf -M gone/unix 2>/dev/null | wc -l", "0"),
    Case("relay.no_road", 'transport="else"'),
    Case("relay.retry", 'transport="else"'),
]
# Waits for freshclam's download, and a lab has no Internet. That it does nothing where the signatures are: tests/unit/test_amavis.py.
NOT_HERE = {"clamav.signatures"}
# They are about a whole host: tests/live/test_upgrade.py.
NOT_HERE |= {f"upgraded.{name}" for name in ("finished", "language", "cluster", "unit", "let_go")}
NOT_HERE |= {f"release.{name}" for name in ("kept", "current", "named", "downloaded", "installed")}


def deploy(*cases: Case) -> str:
    """The file as its author writes it."""
    modules = ", ".join(sorted({case.operation.partition(".")[0] for case in cases}))
    calls = [f"{case.operation}({case.given})" for case in cases]
    return "\n".join(["from operations.fingerprints import Key", f"from operations import {modules}", "", *calls, ""])
