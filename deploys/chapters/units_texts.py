"""What systemd is told about each daemon, in a drop-in beside the unit of its package.

What dies is started again: Debian's units of Postfix, PostgreSQL and Dovecot stay dead. What was stopped on purpose ends with
success and stays stopped; what cannot start is tried once a second, which costs little, for as long as it takes to repair it.
https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#Restart=
"""

_REVIVED = """# Made by mailroom. It is started again when it died, not when it was stopped.
[Unit]
StartLimitIntervalSec=0

[Service]
Restart=on-failure
RestartSec=1
"""
# Postfix's master leaves its services behind when it is killed; without the file systemd does not know which one it was.
# Behind `postfix stop` systemd runs ExecStop once more, and would take its failure for the daemon's own: "-". Not so for
# PostgreSQL, whose death systemd sees by that failure alone: stop it with systemctl, pg_ctlcluster alone starts it again.
_POSTFIX = """PIDFile=/var/spool/postfix/pid/master.pid
ExecStop=
ExecStop=-/usr/sbin/postfix stop
"""

# Postfix before 3.9 leaves a database alone for a minute after one question that failed; reloaded, its lookups ask at once. A
# backend that is killed takes all others with it: as a death of the whole server, systemd hears of it.
# Dovecot 2.4, as Debian has it, asks no database that it has lost, and waits five times longer after each vain look for it, half an
# hour at last: its auth process makes room for a new one. Not by a reload, which every second time is the end of 2.4.1's master.
_POSTGRESQL = """ExecStartPost=-+/usr/sbin/postfix reload
ExecStartPost=-+/bin/sh -c 'exec pkill -x -P "$$(cat /run/dovecot/master.pid)" auth'
"""
_POSTGRESQL_DEBIAN = """ExecStart=
ExecStart=-/usr/bin/pg_ctlcluster --skip-systemctl-redirect -o "-c restart_after_crash=off" %i start
"""

# Nothing that the daemon does, and much of what a thief would do in its place
# (https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#Sandboxing).
_CLOSED = """LockPersonality=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=full
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service chroot
"""
_ROOT = "CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_KILL CAP_SETGID CAP_SETUID"
# NoNewPrivileges is not for Postfix and Dovecot: a redirect of Sieve's runs sendmail, whose postdrop is setgid.
CLOSED = {
    "postfix": f"{_CLOSED}CapabilityBoundingSet={_ROOT} CAP_NET_BIND_SERVICE CAP_SYS_CHROOT\n",
    "postgresql": f"{_CLOSED}CapabilityBoundingSet={_ROOT}\nNoNewPrivileges=yes\nProtectHome=yes\nRestrictSUIDSGID=yes\n",
    "dovecot": f"{_CLOSED}CapabilityBoundingSet={_ROOT} CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_SYS_RESOURCE\n",
    "amavis": f"{_CLOSED}NoNewPrivileges=yes\nRestrictSUIDSGID=yes\n",
    "clamav": f"{_CLOSED}CapabilityBoundingSet={_ROOT}\nNoNewPrivileges=yes\nProtectHome=yes\nPrivateTmp=yes\nRestrictSUIDSGID=yes\n",
    "chrony": "",  # its package has closed it already
}


def drop_in(role: str, unit: str, closed: bool) -> str:
    """The drop-in of a daemon and its unit; `closed` where nothing else, like SELinux, confines it."""
    own = {"postfix": _POSTFIX, "postgresql": _POSTGRESQL}.get(role, "")
    if unit.startswith("postgresql@"):  # pg_ctlcluster's: one unit a cluster
        own += _POSTGRESQL_DEBIAN
    return _REVIVED + own + (CLOSED[role] if closed else "")
