"""Filtering on the server: spam goes into Junk, everything else does not, and the scripts are nobody's to change."""

from __future__ import annotations

from checks import applied, post
from checks.host import complaints
from checks.model import Failed, Warned, check
from checks.target import Target

NEEDS = ("ssh",)
LETTER = ("ssh", "smtp", "postgresql", "lmtp")
GLOBAL = "doveconf -n 2>/dev/null | sed -nE 's/.*[ =:](\\/[^ ;]+[.]sieve).*/\\1/p' | sort -u"


@check(
    "sieve.sieve.personal",
    "Each user has a place for scripts of their own, apart from the mail",
    needs=("ssh", "postgresql", "imap"),
    remedy="mail_home in dovecot.conf; see chapter 5, lmtp and sieve.",
)
def personal(target: Target) -> str:
    applied.sieving(target)
    foo = target.account(0)[0]
    home = target.shell(f"doveadm user -f home {foo}")
    mail = [line for line in target.shell(f"doveadm user {foo}").splitlines() if line.startswith("mail")]
    if not home or any(line.split()[-1].rstrip("/").endswith(home.rstrip("/")) for line in mail):
        raise Failed(f"home is {home or 'nowhere'}; {'; '.join(mail)}")
    return home


@check(
    "sieve.sieve.plugin",
    "Sieve looks at what LMTP delivers",
    needs=NEEDS,
    remedy="mail_plugins of protocol lmtp; see chapter 5, sieve.",
)
def plugin(target: Target) -> str:
    applied.sieving(target)
    found = target.shell("doveconf -f protocol=lmtp mail_plugins").split()
    if "sieve" not in found:
        raise Failed(" ".join(found))
    return " ".join(found)


@check(
    "sieve.sieve.private",
    "Nobody else on the host can read or change a user's scripts",
    negative=True,
    needs=NEEDS,
    remedy="chmod -R o-rwx the users' homes.",
)
def private(target: Target) -> str:
    applied.sieving(target)
    homes = target.shell(f"doveadm user -f home {target.account(0)[0]}").rsplit("/", 2)[0]
    found = target.shell(f"find {homes} -perm /o+rwx -printf '%m %p\\n' 2>/dev/null | head -n 3", may_fail=True)
    if found and not target.shell(f"stat -c %a {target.mail_base}").endswith("0"):
        raise Failed(found)
    return f"{target.mail_base} is closed to others"


@check(
    "sieve.spam.junk",
    "Spam is filed into Junk",
    elsewhere=True,
    needs=LETTER,
    remedy="The global script: sieve_before (2.3), sieve_script with type = before (2.4); see chapter 5, spam.",
)
def junk(target: Target) -> str:
    applied.sieving(target)
    applied.filtering(target)
    found = post.gtube(target)
    if found.refused:
        return f"refused at the door: {found.reply}"
    if not found.message or found.folder != "Junk":
        raise Failed(f"it is in {found.folder}")
    return "GTUBE is in Junk, and in no other folder"


@check(
    "sieve.spam.inbox",
    "An ordinary letter that a stranger has marked as spam is not",
    negative=True,
    elsewhere=True,
    needs=LETTER,
    remedy="Amavis has to take X-Spam-Flag away where it did not set it.",
)
def inbox(target: Target) -> str:
    applied.sieving(target)
    found = post.clean(target)
    if not found.message or found.folder != "INBOX":
        raise Failed(f"it is in {found.folder}: {found.message['X-Spam-Status']}")
    return "in INBOX"


@check(
    "sieve.spam.script",
    "The global scripts are compiled, and not the mail owner's to change",
    negative=True,
    needs=NEEDS,
    remedy="sievec the script; root owns it and its folder.",
)
def script(target: Target) -> str:
    applied.sieving(target)
    paths = target.shell(GLOBAL, may_fail=True).split()
    if not paths:
        raise Failed("doveconf names no global script")
    for path in paths:
        compiled = path.removesuffix("sieve") + "svbin"
        if (
            target.shell(f"[ {compiled} -nt {path} ] || [ ! {path} -nt {compiled} ] && test -s {compiled}; echo $?")
            != "0"
        ):
            raise Failed(f"{compiled} is missing, or older than its script")
        folder = path.rpartition("/")[0]
        tried = target.shell(
            f"setpriv --reuid={target.mail_owner} --regid=$(id -g {target.mail_owner}) --clear-groups "
            f"sh -c 'test -w {path} || test -w {compiled} || test -w {folder}; echo $?'"
        )
        if tried != "1":
            raise Failed(f"{target.mail_owner} may write to {path}")
    return ", ".join(paths)


@check(
    "sieve.debugging.told",
    "Dovecot's log tells what Sieve did with a letter",
    elsewhere=True,
    needs=LETTER,
    remedy="journalctl -u dovecot; see chapter 5, debugging.",
)
def told(target: Target) -> str:
    applied.sieving(target)
    mark = post.clean(target).mark.strip("<>")
    found = target.shell(
        f"journalctl -q --no-pager -o cat -u dovecot --since '-5 minutes' | grep -F '{mark}' | tail -n 1"
    )
    return found.partition("msgid=")[2].partition(": ")[2] or found


@check(
    "sieve.debugging.off",
    "Nobody left the debug log on",
    negative=True,
    needs=NEEDS,
    remedy="mail_debug = False in the inventory's data; then run the chapter.",
)
def off(target: Target) -> str:
    applied.sieving(target)
    found = target.shell(
        "doveconf -n 2>/dev/null | grep -E '^(mail_debug|auth_debug|log_debug|auth_verbose_passwords)'", may_fail=True
    )
    loud = [line for line in found.splitlines() if not line.endswith(("= no", "="))]
    if loud:
        raise Warned("; ".join(loud))
    return "neither mail_debug nor log_debug"


@check(
    "sieve.restart.current",
    "Dovecot runs with the files that are there",
    needs=NEEDS,
    remedy="systemctl restart dovecot",
)
def current(target: Target) -> str:
    applied.sieving(target)
    found = target.shell(
        "started=$(date +%s -d \"$(systemctl show -P ActiveEnterTimestamp dovecot | cut -d' ' -f2-)\"); "
        'find /etc/dovecot -maxdepth 1 -name "*.conf" -newermt "@$((started + 1))"'
    )
    if found:
        raise Failed(f"changed since it was started: {found}")
    return "started after its newest file"


@check(
    "sieve.restart.no_errors",
    "No script has failed since Dovecot was started",
    negative=True,
    needs=NEEDS,
    remedy="journalctl -u dovecot | grep sieve; and the users' own .dovecot.sieve.log",
)
def quiet(target: Target) -> str:
    applied.sieving(target)
    return complaints(target, "dovecot", r"sieve.*: (Error|Fatal|Panic)|failed to compile")
