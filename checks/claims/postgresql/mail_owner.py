"""What only the host itself can tell: files, modes, owners, and what a stranger there may do."""

from __future__ import annotations

from checks.model import Failed, Warned, check
from checks.target import Target

SOCKET = "/var/spool/postfix/private/auth"


@check(
    "postgresql.mail_owner.exists",
    "The mail has a Unix owner, who is no one else",
    needs=("ssh",),
    remedy="See chapter 2, mail_owner.",
)
def mail_owner(target: Target) -> str:
    name = target.mail_owner
    entry = target.shell(f"getent passwd {name}", may_fail=True)
    if not entry:
        raise Failed(f"there is no user {name}")
    _, _, uid, gid, _, home, _ = entry.split(":")
    same = [line.split(":")[0] for line in target.shell("getent passwd").splitlines() if line.split(":")[2] == uid]
    if same != [name]:
        raise Failed(f"uid {uid} is shared by {', '.join(same)}")
    if home != target.mail_base:
        raise Failed(f"home is {home}, not {target.mail_base}")
    return f"uid {uid}, gid {gid}, {home}"


@check(
    "postgresql.mail_owner.no_login",
    "The owner of the mail cannot log in",
    negative=True,
    needs=("ssh",),
    remedy="usermod -s /usr/sbin/nologin -L the owner.",
)
def no_login(target: Target) -> str:
    shell = target.shell(f"getent passwd {target.mail_owner}").split(":")[6]
    locked = target.shell(f"getent shadow {target.mail_owner} | cut -d: -f2 | cut -c1")
    if not shell.endswith(("/nologin", "/false")) or locked not in ("!", "*"):
        raise Failed(f"shell {shell}, password {'locked' if locked in '!*' else 'set'}")
    return f"{shell}, password locked"


@check(
    "postgresql.mail_owner.mail_private",
    "Nobody else on the host can look into the mail",
    negative=True,
    needs=("ssh",),
    remedy="chmod o-rwx the mail's folder.",
)
def mail_private(target: Target) -> str:
    mode, owner = target.shell(f"stat -L -c '%a %U:%G' {target.mail_base}").split()
    if owner.split(":")[0] != target.mail_owner or int(mode, 8) & 0o007:
        raise Failed(f"{target.mail_base} is {mode} {owner}")
    return f"{target.mail_base}: {mode} {owner}"


@check(
    "dovecot.listener.socket",
    "Dovecot's socket stands in Postfix's spool, for Postfix",
    needs=("ssh", "imap"),
    remedy="service auth { unix_listener … } as in chapter 4, listener.",
)
def socket(target: Target) -> str:
    found = target.shell(f"stat -c '%F, %a %U:%G' {SOCKET}", may_fail=True)
    if found != "socket, 660 postfix:postfix":
        raise Failed(f"{SOCKET}: {found}")
    return f"{SOCKET}: {found}"


@check(
    "dovecot.listener.not_for_others",
    "Nobody else on the host can ask it for passwords",
    negative=True,
    needs=("ssh", "imap"),
    remedy="mode = 0660, user and group postfix.",
)
def socket_private(target: Target) -> str:
    tried = target.shell(
        # the group nobody's name is nogroup on Debian, nobody elsewhere
        'setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups '
        f"sh -c 'test -w {SOCKET} && echo open || echo closed'"
    )
    if tried != "closed":
        raise Failed(f"nobody can write to {SOCKET}")
    return "closed to the user nobody"


@check(
    "postfix.restart.no_errors",
    "Postfix has not complained since it was started",
    negative=True,
    needs=("ssh", "smtp"),
    remedy="journalctl -u 'postfix*' -p err",
)
def postfix_quiet(target: Target) -> str:
    return complaints(target, "postfix", r"(fatal|panic|error): ")


@check(
    "dovecot.restart.no_errors",
    "Dovecot has not complained since it was started",
    negative=True,
    needs=("ssh", "imap"),
    remedy="journalctl -u dovecot -p err",
)
def dovecot_quiet(target: Target) -> str:
    return complaints(target, "dovecot", r"(Error|Fatal|Panic): ")


def complaints(target: Target, unit: str, pattern: str, but: str = "^$") -> str:
    """Error lines of the journal since the unit's start, without those that match `but`; to look at, not to fail for."""
    found = target.shell(
        f"since=$(systemctl show -P ActiveEnterTimestamp {unit}); "
        f"journalctl -q --no-pager -o cat -u '{unit}*' --since \"${{since#* }}\" "
        f"| grep -E '{pattern}' | grep -vE '{but}' | tail -n 3",
        may_fail=True,
    )
    if found:
        raise Warned(found)
    return "no error in the journal"
