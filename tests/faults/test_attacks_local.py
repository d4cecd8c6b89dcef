"""Who is on the host already: a user without rights, the web server, and each daemon's own user. What they may not have."""

from __future__ import annotations

from collections.abc import Callable

from checks.engine.target import Target
from lab import Host
from tests.faults.attacking import Family

Count = Callable[..., None]
NOBODIES = ("nobody", "www-data")
SECRETS = ("/etc/postfix/pgsql/*", "/etc/dovecot/dovecot-sql.conf", "/etc/postfix/certs/key.pem", "/etc/shadow")
MAIL = ("/home/mail", "/var/lib/amavis/virusmails", "/var/spool/mailroom-learn", "/var/lib/amavis/.spamassassin")
QUEUE = tuple(
    f"/var/spool/postfix/{name}" for name in ("incoming", "active", "deferred", "maildrop", "hold", "private")
)
SOCKETS = (
    *(
        f"/var/spool/postfix/private/{name}"
        for name in ("auth", "dovecot-lmtp", "mailroom-sender", "rewrite", "proxymap")
    ),
    *(
        f"/run/dovecot/{name}"
        for name in ("auth-userdb", "auth-master", "doveadm-server", "lmtp", "auth-client", "auth-login")
    ),
    *("/run/dovecot/anvil", "/run/dovecot/config", "/run/dovecot/stats-writer"),
)
# What each daemon's user has no business with.
DAEMONS = {
    "vmail": ("/etc/postfix/pgsql/senders.cf", "/etc/dovecot/dovecot-sql.conf", "/etc/postfix/certs/key.pem", *QUEUE),
    "amavis": (
        "/etc/postfix/pgsql/senders.cf",
        "/etc/dovecot/dovecot-sql.conf",
        "/etc/postfix/certs/key.pem",
        "/home/mail",
        *QUEUE,
    ),
    "clamav": (
        "/etc/postfix/pgsql/senders.cf",
        "/etc/dovecot/dovecot-sql.conf",
        "/etc/postfix/certs/key.pem",
        "/home/mail",
        *QUEUE,
    ),
    "postgres": (
        "/etc/postfix/pgsql/senders.cf",
        "/etc/dovecot/dovecot-sql.conf",
        "/etc/postfix/certs/key.pem",
        "/home/mail",
        *QUEUE,
    ),
    "dovecot": ("/etc/postfix/pgsql/senders.cf", "/etc/postfix/certs/key.pem", "/home/mail", *QUEUE),
    "dovenull": (
        "/etc/postfix/pgsql/senders.cf",
        "/etc/dovecot/dovecot-sql.conf",
        "/etc/postfix/certs/key.pem",
        "/home/mail",
        *QUEUE,
    ),
    "postfix": (
        "/etc/dovecot/dovecot-sql.conf",
        "/etc/postfix/certs/key.pem",
        "/home/mail",
        "/var/lib/amavis/virusmails",
    ),
}
READ = 'for p in $0; do if [ -d "$p" ]; then ls -A "$p"; else head -c 1 "$p"; fi >/dev/null 2>&1 && echo "$p"; done'
CONNECT = "use IO::Socket::UNIX; for (@ARGV) { print qq{$_\\n} if IO::Socket::UNIX->new(Peer => $_) }"


def as_user(host: Host, user: str, *words: str) -> str:
    return host.run(["runuser", "-u", user, "--", *words], check=False).stdout


def test_what_lies_on_the_host_is_closed(mailserver: Host, target: Target, count: Count) -> None:
    """Mail, queue, secrets and sockets, for those who have nothing to do with them. A folder that can be listed is open."""
    family = Family()
    for user in NOBODIES:
        for path in (*SECRETS, *MAIL, *QUEUE):
            family.judge(f"{user} reads {path}", bool(as_user(mailserver, user, "sh", "-c", READ, path)), "open")
        reached = as_user(mailserver, user, "perl", "-e", CONNECT, *SOCKETS).split()
        for path in SOCKETS:
            family.judge(f"{user} connects to {path}", path in reached, "open")
        for words in (("psql", "-h", "127.0.0.1", "-wU", "mailreader", "mail", "-c", ""), ("psql", "mail", "-c", "")):
            done = mailserver.run(["runuser", "-u", user, "--", *words], check=False)
            family.judge(f"{user}: {' '.join(words[:2])}", done.returncode == 0, done.stdout)
        for command in (("doveadm", "user", "*"), ("doveadm", "who"), ("postsuper", "-d", "ALL")):
            done = mailserver.run(["runuser", "-u", user, "--", *command], check=False)
            family.judge(f"{user}: {' '.join(command)}", done.returncode == 0, done.stdout[:100])
    for user, paths in DAEMONS.items():
        for path in paths:
            family.judge(f"{user} reads {path}", bool(as_user(mailserver, user, "sh", "-c", READ, path)), "open")
    family.count(count, "local users and daemons", mailserver.suite)


# The master processes that listen, and hand each connection to a process without rights.
MASTERS = ("master", "dovecot", "nginx", "sshd", "systemd", "init")


def test_nobody_who_talks_to_the_network_is_root(mailserver: Host, count: Count) -> None:
    """What has a port open, or a connection, runs as a user of its own; only masters listen as root, and they do not talk."""
    family = Family()
    listed = mailserver.run(
        r"ss -Hltunp | grep -oE '\"[^\"]+\",pid=[0-9]+' | sort -u | sed 's/\"//g; s/,pid=/ /' | "
        "while read -r name pid; do echo $name $(stat -c %U /proc/$pid); done | sort -u"
    ).stdout
    for line in listed.splitlines():
        name, _, user = line.partition(" ")
        if name not in MASTERS:
            family.judge(line, user == "root", "listens as root")
    # in a container ss does not show processes of others than root
    answers = mailserver.run("ps -o user= --ppid $(systemctl show -P MainPID mailroom-web)").stdout.split()
    family.judge("nginx answers as root", {*answers} != {"www-data"}, str(answers))
    for path in (
        "smtpd",
        "cleanup",
        "lmtp",
        "qmgr",
        "imap-login",
        "managesieve-login",
        "auth",
        "amavisd",
        "clamd",
        "mailroom-sender",
    ):
        users = mailserver.run(
            f"ps -eo user=,comm= | awk '$2 ~ /^{path}/ {{print $1}}' | sort -u", check=False
        ).stdout.split()
        family.judge(path, "root" in users, str(users))
    family.count(count, "daemons as root", mailserver.suite)


def test_every_file_with_a_secret_is_closed(mailserver: Host, target: Target, count: Count) -> None:
    """The role's password and every hash, wherever they lie: no file of them is for all. Copies and editors' leavings too."""
    family = Family()
    words = [secret for secret in [*target.accounts.values(), *target.secrets.values()] if secret]
    mailserver.run("umask 077; cat > /root/words", stdin="\n".join([*words, "$argon2id$", "SCRAM-SHA-256$"]))
    where = "/etc /home /var/lib /var/spool /var/log /var/backups /var/tmp /tmp /run /usr/local /opt /srv"
    found = mailserver.run(f"grep -rIslFf /root/words {where}; rm /root/words", check=False).stdout.split()
    assert found, "not even the maps hold the password"
    for path in found:
        mode = mailserver.run(["stat", "-c", "%a %U", path], check=False).stdout.strip()
        closed = mode.split(" ")[0].endswith("0") or not as_user(mailserver, "nobody", "head", "-c", "1", path)
        family.judge(path, not closed, mode)
    left = mailserver.run(
        f"find {where} -type f -not -name '*.proto' "
        "'(' -name '.mailroom.*' -o -name '*.cf.*' -o -name '*~' -o -name '*.bak' ')' -path '*postfix*'",
        check=False,
    )
    family.judge("copies left behind", bool(left.stdout), left.stdout)
    family.count(count, "files with secrets", mailserver.suite)
