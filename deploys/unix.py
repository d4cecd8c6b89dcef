"""What belongs to the system: accounts that its packages make, and directories that are not for mail."""

import posixpath
import re

UNIX_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
PATH = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99})+")
LONGEST_PATH = 150  # the name of a folder and of a message come behind it, and a path ends at 4,096 with less in a tar

# base-passwd, Red Hat's setup, and what the packages of all chapters make, on every platform. A name that begins with _ or
# systemd- is a package's by convention.
_ACCOUNTS = """root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody nogroup adm tty disk kmem
    dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video sasl plugdev staff users input kvm render
    sgx crontab halt shutdown wheel ftp mem mailnull smmsp systemd messagebus dbus sshd ssh polkitd tss unbound chrony ntp
    postfix postdrop dovecot dovenull postgres ssl-cert amavis amavisd clamav clamupdate clamscan virusgroup vscan
    debian-spamd spamd opendkim opendmarc bind named nginx apache redis munin nagios mailreader"""
ACCOUNTS = frozenset(_ACCOUNTS.split())

_STATES = (
    "alternatives amavis apt chrony clamav containers dbus dhcp dnf docker dovecot dpkg machines misc pam pgsql "
    "postfix postgresql private rpm selinux snapd spamassassin sudo systemd ucf"
)
# Nothing at or below these is for mail: the system's own, gone after a reboot, or another daemon's.
NOT_BELOW = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/lost+found", "/proc", "/root", "/run"),
    *("/sbin", "/sys", "/tmp", "/usr", "/var/backups", "/var/cache", "/var/lock", "/var/log", "/var/run", "/var/tmp"),
    *("/var/spool/cron", "/var/spool/mailroom-learn", "/var/spool/postfix", "/var/www"),
    *(f"/var/lib/{name}" for name in _STATES.split()),
)
# These themselves are not, though a directory in them may be.
NOT_ITSELF = (
    *("/home", "/media", "/mnt", "/opt", "/srv", "/var", "/var/lib", "/var/local", "/var/mail", "/var/opt"),
    *("/var/spool", "/var/spool/mail"),
)


def system_account(name: str) -> bool:
    """Whether a user of this name is the system's or a package's."""
    return name in ACCOUNTS or name.startswith(("_", "systemd-"))


def path_problem(path: str) -> str:
    """Why this is no path that we can put anywhere; "" when it is one."""
    if not PATH.fullmatch(path):
        plain = posixpath.normpath("/" + path.lstrip("/")) if path.startswith("/") else ""
        if plain != path and PATH.fullmatch(plain) and ".." not in path:
            return f"has to be written as '{plain}'"
        return "has to be an absolute path without blanks, '..' and names that begin with a dot"
    return f"is longer than {LONGEST_PATH} characters; take a shorter path" if len(path) > LONGEST_PATH else ""


def systems_own(path: str) -> str:
    """The directory of the system that this path is or lies in; "" when there is none."""
    if path in NOT_ITSELF:
        return path
    return next((own for own in NOT_BELOW if path == own or path.startswith(own + "/")), "")
