"""Where users' scripts lie, and that they are looked at."""

import re

from checks.clients import host
from checks.engine import Failed, Target, claim, negative


@claim(
    "Each user has a place for scripts of their own, apart from the mail",
    needs="ssh postgresql imap",
    remedy="mail_home in dovecot.conf; see chapter 5, lmtp and sieve.",
)
def personal(target: Target) -> str:
    home = target.shell(f"doveadm user -f home {target.foo}")
    mail = [line for line in target.shell(f"doveadm user {target.foo}").splitlines() if line.startswith("mail")]
    if not home or any(line.split()[-1].rstrip("/").endswith(home.rstrip("/")) for line in mail):
        raise Failed(f"home is {home or 'nowhere'}; {'; '.join(mail)}")
    return home


@claim("Sieve looks at what LMTP delivers", needs="ssh", remedy="mail_plugins of protocol lmtp; see chapter 5, sieve.")
def plugin(target: Target) -> str:
    # 2.3: mail_plugins = sieve; 2.4: mail_plugins { sieve = yes }
    found = " ".join(target.shell("doveconf -f protocol=lmtp mail_plugins").split())
    if not re.search(r"\bsieve\b(?! = no)", found):
        raise Failed(found)
    return found


@negative(
    "Nobody else on the host can read or change a user's scripts",
    needs="ssh",
    remedy="chmod -R o-rwx the users' homes.",
)
def private(target: Target) -> str:
    homes = target.shell(f"doveadm user -f home {target.foo}").rsplit("/", 2)[0]
    found = target.shell(
        f"find {homes} ! -type l -perm /o+rwx -printf '%m %p\\n' 2>/dev/null | head -n 3", may_fail=True
    )
    if found and host.file(target, target.mail_home).open_to_others:
        raise Failed(found)
    return f"{target.mail_home} is closed to others"
