"""Valid data that does not fit this host: too little room, a number that a package would take, a hash that its Dovecot cannot verify."""

from deploys.data import MailData
from deploys.platforms import Platform
from facts.mail_host import MailHost
from operations import passwords

NO_SHELLS = ("nologin", "false")
# Packages number their users upwards from 100 (adduser) or downwards from 999 (systemd-sysusers, useradd -r).
TAKEN_SOON = (*range(100, 150), *range(950, 1000))


def misfits(there: MailHost, known: MailData, system: Platform) -> list[str]:
    """What speaks against this data on this host, one sentence each; [] when nothing does."""
    return [
        *_room(there, known),
        *_owner(there, known),
        *_numbers(there, known, system),
        *_schemes(there, known, system),
    ]


def _room(there: MailHost, known: MailData) -> list[str]:
    """smtpd answers every MAIL FROM with 452 while the queue has less room than queue_minfree, three of the largest message
    (https://www.postfix.org/postconf.5.html#queue_minfree)."""
    needed = -(-known.message_size_limit * 3 // 2**20)
    free = there.system.get("queue_free_mb", "")
    if not free.isdigit() or int(free) > needed:
        return []
    return [
        f"message_size_limit = {known.message_size_limit} needs {needed} MB free for Postfix's queue (three times that size), and "
        f"{free} MB are free: Postfix would answer every letter with 452. Make room in /var/spool/postfix, or lower message_size_limit"
    ]


def _owner(there: MailHost, known: MailData) -> list[str]:
    """An existing mail_owner is ours only with the group, home and shell that we give it (`preflight` compares the numbers)."""
    user = there.passwd.get(known.mail_owner)
    if user is None or user[0] != known.mail_uid:
        return []
    _, gid, home, shell = user
    problems = []
    if gid != known.mail_gid:
        problems.append(
            f"the user {known.mail_owner} has the group {gid}; set mail_gid = {gid}, or choose another mail_owner and mail_uid"
        )
    if home != known.mail_home:
        problems.append(
            f"the user {known.mail_owner} has its home in {home}, not in mail_home = {known.mail_home!r}; set mail_home = {home!r}, "
            "choose another mail_owner and mail_uid, or, if you have moved the mail there, "
            f"run: usermod -d {known.mail_home} {known.mail_owner}"
        )
    if shell.rpartition("/")[2] not in NO_SHELLS:
        problems.append(
            f"the user {known.mail_owner} has a login shell ({shell}), so it is a person's account; choose another mail_owner and mail_uid"
        )
    return problems


def _numbers(there: MailHost, known: MailData, system: Platform) -> list[str]:
    if all(names[0] in there.packages for names in system.packages.values()):
        return []
    wanted = {
        "mail_uid": known.mail_uid if known.mail_owner not in there.passwd else 0,
        "mail_gid": known.mail_gid if known.mail_owner not in there.groups else 0,
    }
    return [
        f"{name} = {number} is in a range that packages take numbers from for their own users (100 to 149, 950 to 999), and packages "
        "will be installed here; use 200"
        for name, number in wanted.items()
        if number in TAKEN_SOON
    ]


def _schemes(there: MailHost, known: MailData, system: Platform) -> list[str]:
    """A user whose hash this Dovecot cannot verify could never log in, and no log would say why."""
    able = [scheme for scheme in system.schemes if not there.schemes or scheme in there.schemes]
    problems = []
    if (scheme := known.password_scheme or system.password_scheme) not in able:
        problems.append(
            f"password_scheme {scheme!r} is not known to the Dovecot of {system.name}; set password_scheme = 'SHA512-CRYPT'"
        )
    for email in known.users:
        scheme = passwords.scheme_of(known.secrets.accounts[email])
        if scheme and scheme not in able:
            problems.append(
                f"{known.secrets.accounts_file}: the hash of {email} is {{{scheme}}}, which the Dovecot of {system.name} cannot verify; "
                f"give one of {', '.join(able)}, or the password"
            )
    return problems
