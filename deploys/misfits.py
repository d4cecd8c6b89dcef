"""Valid data that does not fit this host: too little room, a number that a package would take, a hash that its Dovecot cannot verify."""

from collections.abc import Iterator

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
        *_authority(there, known),
    ]


def _room(there: MailHost, known: MailData) -> Iterator[str]:
    """smtpd answers every MAIL FROM with 452 while the queue has less room than queue_minfree, three of the largest message
    (https://www.postfix.org/postconf.5.html#queue_minfree)."""
    needed = -(-known.message_size_limit * 3 // 2**20)
    free = there.system.get("queue_free_mb", "")
    if free.isdigit() and int(free) <= needed:
        yield (
            f"message_size_limit = {known.message_size_limit} needs {needed} MB free for Postfix's queue (three times that size), and "
            f"{free} MB are free: Postfix would answer every letter with 452. Make room in /var/spool/postfix, or lower message_size_limit"
        )


def _owner(there: MailHost, known: MailData) -> Iterator[str]:
    """An existing mail_owner is ours only with the group, home and shell that we give it (`preflight` compares the numbers)."""
    uid, gid, home, shell = there.passwd.get(known.mail_owner, (None, 0, "", ""))
    if uid != known.mail_uid:
        return
    user, another = f"the user {known.mail_owner} has", "choose another mail_owner and mail_uid"
    if gid != known.mail_gid:
        yield f"{user} the group {gid}; set mail_gid = {gid}, or {another}"
    if home != known.mail_home:
        yield (
            f"{user} its home in {home}, not in mail_home = {known.mail_home!r}; set mail_home = {home!r}, {another}, "
            f"or, if you have moved the mail there, run: usermod -d {known.mail_home} {known.mail_owner}"
        )
    if shell.rpartition("/")[2] not in NO_SHELLS:
        yield f"{user} a login shell ({shell}), so it is a person's account; {another}"


def _numbers(there: MailHost, known: MailData, system: Platform) -> Iterator[str]:
    if all(names[0] in there.packages for names in system.packages.values()):
        return
    users, groups = there.passwd, there.groups
    for name, number, taken in (("mail_uid", known.mail_uid, users), ("mail_gid", known.mail_gid, groups)):
        if number in TAKEN_SOON and known.mail_owner not in taken:
            yield (
                f"{name} = {number} is in a range that packages take numbers from for their own users (100 to 149, 950 to 999), "
                "and packages will be installed here; use 200"
            )


def _schemes(there: MailHost, known: MailData, system: Platform) -> Iterator[str]:
    """A user whose hash this Dovecot cannot verify could never log in, and no log would say why."""
    able = [scheme for scheme in system.schemes if not there.schemes or scheme in there.schemes]
    if (scheme := known.password_scheme or system.password_scheme) not in able:
        yield f"password_scheme {scheme!r} is not known to the Dovecot of {system.name}; set password_scheme = 'SHA512-CRYPT'"
    for email in known.users:
        scheme = passwords.scheme_of(known.secrets.accounts[email])
        if scheme and scheme not in able:
            yield (
                f"{known.secrets.accounts_file}: the hash of {email} is {{{scheme}}}, which the Dovecot of {system.name} cannot verify; "
                f"give one of {', '.join(able)}, or the password"
            )


def _authority(there: MailHost, known: MailData) -> Iterator[str]:
    """The operator's own authority for the relay: there, and in the form that OpenSSL reads."""
    if not known.relayhost or (path := known.relayhost_ca) is None:
        return
    if path not in there.files:
        yield f"relayhost_ca = {path!r} is not on the host; put it there, or fix the path. None takes what the system trusts"
    elif "-----BEGIN CERTIFICATE-----" not in (there.text(path) or ""):
        yield f"relayhost_ca = {path!r} has no certificate in it, and no relay could be verified; it has to be in PEM"


def unsigned(there: MailHost, known: MailData, system: Platform) -> list[str]:
    """Why chapter 6 cannot be on this host, one sentence; [] when it can."""
    if "believed" in system.packages:
        return []
    return [
        f"chapter 6 signs letters with Amavis, which has not been built for {system.name}; use Debian 13 or 12, or run "
        "deploys/dovecot.py, which is chapters 1, 2 and 4"
    ]
