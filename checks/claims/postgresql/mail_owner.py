"""The Unix user whom the mail belongs to."""

from checks.clients import host
from checks.engine import Failed, Target, claim, negative


@claim("The mail has a Unix owner, who is no one else", needs="ssh", remedy="See chapter 2, mail_owner.")
def exists(target: Target) -> str:
    name = target.mail_owner
    entry = target.shell(f"getent passwd {name}", may_fail=True)
    if not entry:
        raise Failed(f"there is no user {name}")
    _, _, uid, gid, _, home, _ = entry.split(":")
    same = [line.split(":")[0] for line in target.shell("getent passwd").splitlines() if line.split(":")[2] == uid]
    if same != [name]:
        raise Failed(f"uid {uid} is shared by {', '.join(same)}")
    if home != target.mail_home:
        raise Failed(f"home is {home}, not {target.mail_home}")
    return f"uid {uid}, gid {gid}, {home}"


@negative("The owner of the mail cannot log in", needs="ssh", remedy="usermod -s /usr/sbin/nologin -L the owner.")
def no_login(target: Target) -> str:
    shell = target.shell(f"getent passwd {target.mail_owner}").split(":")[6]
    locked = target.shell(f"getent shadow {target.mail_owner} | cut -d: -f2 | cut -c1")
    if not shell.endswith(("/nologin", "/false")) or locked not in ("!", "*"):
        raise Failed(f"shell {shell}, password {'locked' if locked in '!*' else 'set'}")
    return f"{shell}, password locked"


@negative("Nobody else on the host can look into the mail", needs="ssh", remedy="chmod o-rwx the mail's folder.")
def mail_private(target: Target) -> str:
    found = host.file(target, target.mail_home)
    if found.user != target.mail_owner or found.open_to_others:
        raise Failed(f"{target.mail_home} is {found}")
    return f"{target.mail_home}: {found}"
