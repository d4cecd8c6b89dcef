"""Dovecot's own tools, asked on the host: what it is told, whom it finds, whose files it keeps."""

from __future__ import annotations

import re
from shlex import quote

import psycopg2

from checks import sql
from checks.model import Failed, Skipped, Warned, check
from checks.target import Target

SQL_CONF = "/etc/dovecot/dovecot-sql.conf"
LOOKUP = ("ssh", "postgresql", "dovecot-sql", "imap")


@check(
    "dovecot.passdb.finds",
    "Dovecot finds foo in the database, and foo's mail on the disk",
    needs=LOOKUP,
    remedy="doveadm user foo@…, and journalctl -u dovecot.",
)
def finds(target: Target) -> str:
    found = target.shell(f"doveadm user {quote(target.account(0)[0])}")
    place = [
        line.split(maxsplit=1)[1] for line in found.splitlines() if line.startswith("mail") and target.mail_base in line
    ]
    if not place:
        raise Failed(f"no mail below {target.mail_base}: {found}")
    return place[0]


@check(
    "dovecot.sql.lists",
    "It can list all accounts, for those who do not log in",
    needs=LOOKUP,
    remedy="A sql userdb with iterate_query beside prefetch: see chapter 4, passdb and sql.",
)
def lists(target: Target) -> str:
    found = target.shell("doveadm user '*'").split()
    wanted = {target.account(0)[0], target.account(1)[0]}
    if missing := wanted - set(found):
        raise Failed(f"{', '.join(sorted(missing))} not among {' '.join(found)}")
    return f"{len(found)} accounts"


@check(
    "dovecot.sql.unknown",
    "It finds nobody whom the tables do not have",
    negative=True,
    needs=LOOKUP,
    remedy="The queries need WHERE email = …",
)
def unknown(target: Target) -> str:
    for user in (f"no-such-user@{target.domain}", "foo", "x' OR 'a'='a"):
        found = target.shell(f"doveadm user {quote(user)}; echo $?", may_fail=True).splitlines()
        if found[-1] != "67":  # EX_NOUSER; anything else is a broken lookup or a find
            raise Failed(f"{user}: {' '.join(found)}")
    return "doesn't exist"


@check(
    "dovecot.mail_owner.opens",
    "Dovecot opens foo's mail as the mail's owner",
    needs=LOOKUP,
    remedy="mail_uid, mail_gid and first_valid_uid in dovecot.conf.",
)
def opens(target: Target) -> str:
    return target.shell(f"doveadm mailbox status -u {quote(target.account(0)[0])} messages INBOX")


@check(
    "dovecot.mail_owner.owns",
    "Every file of mail belongs to the mail's owner",
    needs=("ssh",),
    remedy="chown -R the mail's folder; look at mail_uid and mail_gid.",
)
def owns(target: Target) -> str:
    others = target.shell(
        f"find {target.mail_base} -mindepth 1 ! -user {target.mail_owner} -printf '%u %p\\n' | head -n 5"
    )
    if others:
        raise Failed(others)
    return f"{target.mail_owner}, everywhere below {target.mail_base}"


@check(
    "dovecot.mail_owner.not_for_others",
    "No message can be read by other users of the host",
    negative=True,
    needs=("ssh",),
    remedy="chmod -R o-rwx the mail's folder.",
)
def not_for_others(target: Target) -> str:
    # Folders and messages; Dovecot's own uidvalidity marks are empty and 0444 by design.
    found = target.shell(
        f"find {target.mail_base} -perm /o+rwx '(' -type d -o -size +0 ')' -printf '%m %p\\n' | head -n 5"
    )
    if found:
        raise Failed(found)
    return f"no folder and no message below {target.mail_base} is open to others"


@check(
    "dovecot.includes.off",
    "The distribution's settings are switched off",
    needs=("ssh",),
    remedy="Put a hash before !include conf.d/*.conf in dovecot.conf.",
)
def includes_off(target: Target) -> str:
    active = [
        line.strip()
        for line in target.read("/etc/dovecot/dovecot.conf").splitlines()
        if line.lstrip().startswith("!include")
    ]
    wrong = [line for line in active if "conf.d/" in line or "local.conf" in line]
    if wrong:
        raise Failed("; ".join(wrong))
    return "neither conf.d nor local.conf is included"


@check(
    "dovecot.includes.no_pam",
    "Unix users cannot log in to IMAP by their own passwords",
    negative=True,
    needs=("ssh",),
    remedy="Only the SQL passdb may be there.",
)
def no_pam(target: Target) -> str:
    # 2.3 says `driver = pam`, 2.4 `passdb pam {`.
    found = target.shell("doveconf -n 2>/dev/null | grep -E '(driver = |passdb )(pam|shadow|passwd)'", may_fail=True)
    if found:
        raise Failed(found)
    return "no PAM, shadow or passwd among doveconf's passdbs"


@check(
    "dovecot.sql.credentials",
    "The role and password in dovecot-sql.conf open the database",
    needs=("ssh", "postgresql"),
    provides="dovecot-sql",
    remedy="Run the step that writes dovecot-sql.conf, with the role's password.",
)
def credentials(target: Target) -> str:
    # With a wrong one 2.4 answers every login with [UNAVAILABLE], and 2.3.19's auth process dies.
    if not target.shell(f"ls {SQL_CONF} 2>/dev/null", may_fail=True):
        raise Skipped("there is no dovecot-sql.conf: that is chapter 4, sql")
    text = re.sub(r"(?m)^ *#.*", "", target.read(SQL_CONF))
    found = {name: re.search(rf"\b{name} *= *['\"]?([^\s'\"]+)", text) for name in ("user", "password", "dbname")}
    if missing := [name for name, match in found.items() if match is None]:
        raise Failed(f"it names no {' and no '.join(missing)}")
    user, password, database = (match[1] for match in found.values() if match)
    try:
        sql.connect(target, user, password, database).close()
    except psycopg2.OperationalError as error:
        raise Failed(sql.words(error).replace(password, "[secret]")) from error
    return f"{user} is let into {database}"


@check(
    "dovecot.sql.private",
    "The database password is not for everybody to read",
    negative=True,
    needs=("ssh",),
    remedy="chmod 600 the file; root owns it.",
)
def sql_private(target: Target) -> str:
    # 2.4 keeps the password in dovecot.conf or in a file included by it; 2.3 in dovecot-sql.conf.
    listed = target.shell(
        "grep -lsE '^[^#]*password *=' -r /etc/dovecot --include='*.conf' --include='*.ext' "
        "--exclude-dir=conf.d | xargs -r stat -L -c '%a %U:%G %n'"
    ).splitlines()
    open_ones = [line for line in listed if int(line.split()[0], 8) & 0o007]
    if open_ones:
        raise Failed("; ".join(open_ones))
    if not listed:
        raise Warned("found no file with a password below /etc/dovecot")
    return "; ".join(listed)


@check(
    "dovecot.schemes.known",
    "This Dovecot knows the scheme of the stored passwords",
    needs=("ssh",),
    remedy="Choose a scheme that `doveadm pw -l` lists.",
)
def schemes(target: Target) -> str:
    found = target.shell("doveadm pw -l").split()
    if "ARGON2ID" not in found and "SHA512-CRYPT" not in found:
        raise Failed(" ".join(found))
    return " ".join(name for name in ("ARGON2ID", "BLF-CRYPT", "SHA512-CRYPT") if name in found)
