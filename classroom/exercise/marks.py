"""Signs on the host of what was done to it: nothing, a run of mailroom, a rewind.

No file is put there for it. What cannot be noticed is said in docs/teaching.md.
"""

from pathlib import Path

from lab import Host, names

# container: the folder of its own files is another one as soon as the lab makes the host anew (a rewind, or a snapshot).
# run: a run of mailroom that changes something writes its name and the time into its lock (operations/hold.py).
# state: configuration, who runs, rows, what is told on the web, and whose the sockets, folders of mail and of Bayes are. Letters are left
# out: they come and go.
# pg_dump of late 2025 and later begins with a random word (\restrict).
SCRIPT = r"""
sed -n 's/.* \/ \/ .*upperdir=\([^,]*\).*/container \1/p' /proc/self/mountinfo | head -n 1
printf 'run %s\n' "$(cat /run/mailroom.lock 2>/dev/null | tr '\n' ' ')"
printf 'state '
{
    cd /etc && tar -cf - aliases group postfix dovecot amavis postgresql clamav spamassassin nginx unbound \
        mailroom-mta-sts.yml hosts systemd/system 2>/dev/null
    find /var/lib/mailroom-web -type f ! -path '*/acme-challenge/*' -exec sha256sum {} + 2>/dev/null | sort
    find /var/spool/postfix -maxdepth 1 -type d -printf '%p %m %U %G\n' 2>/dev/null | sort
    find /var/spool/postfix/run /var/spool/mailroom-learn /var/lib/amavis/.spamassassin -type d -printf '%p %m %U %G\n' 2>/dev/null | sort
    find /var/lib/amavis/.spamassassin -name 'bayes_*' -printf '%f %m %U %G\n' 2>/dev/null | grep -v journal | sort
    ls -lan /var/spool/postfix/private /var/spool/postfix/public | sed 's/ [A-Z][a-z][a-z] .* / /'
    find /home/mail -type d -printf '%p %m %U %G\n' 2>/dev/null | sort
    ss -Hltn | awk '{print $4}' | sort
    systemctl show -P MainPID postfix 'postfix@-' dovecot amavis clamav-daemon 'postgresql@*.service' mailroom-web \
        mailroom-resolver postfix-mta-sts-resolver 2>/dev/null
    systemctl list-units --no-legend --plain --state=active --type=timer,path,socket | awk '{print $1}' | sort
    cd / && runuser -u postgres -- pg_dump mail 2>/dev/null | grep -v '^\\'
    cd / && runuser -u postgres -- pg_dumpall --roles-only 2>/dev/null | grep -v '^\\'
} | sha256sum
"""


def read(host: Host) -> dict[str, str]:
    lines = host.run("sh", stdin=SCRIPT).stdout.splitlines()
    return {key: value.strip() for key, _, value in (line.partition(" ") for line in lines)}


def whole_deploys(since: float) -> list[Path]:
    """Logs that `python -m deploys` has written into the lab's folder since then."""
    return [file for file in names.directory().glob("log/*.log") if file.stat().st_mtime > since]


def told(before: dict[str, str], now: dict[str, str], since: float) -> str:
    """What was done to the host: nothing, something (by hand), run, deploy or rewound."""
    if before.get("container") != now.get("container"):
        return "rewound"
    if before.get("run") != now.get("run"):
        return "deploy" if whole_deploys(since) else "run"
    return "nothing" if before.get("state") == now.get("state") else "something"
