"""Spam is filed into Junk, everything else is not, and nobody may change the global scripts."""

from checks.clients import host, incoming
from checks.engine import Failed, Target, claim, negative

GLOBAL = "doveconf -n 2>/dev/null | sed -nE 's/.*[ =:](\\/[^ ;]+[.]sieve).*/\\1/p' | sort -u"


@claim(
    "Spam is filed into Junk",
    needs="elsewhere ssh smtp postgresql lmtp amavis",
    remedy="The global script: sieve_before (2.3), sieve_script with type = before (2.4); see chapter 5, spam.",
)
def junk(target: Target) -> str:
    found = incoming.spam(target)
    if found.refused:
        return f"refused at the door: {found.reply}"
    if not found.message or found.folder != "Junk":
        raise Failed(f"it is in {found.folder}")
    return "GTUBE is in Junk, and in no other folder"


@negative(
    "An ordinary letter that a stranger has marked as spam is not",
    needs="elsewhere ssh smtp postgresql lmtp",
    remedy="Amavis has to take X-Spam-Flag away where it did not set it.",
)
def inbox(target: Target) -> str:
    found = incoming.ordinary(target)
    if not found.message or found.folder != "INBOX":
        raise Failed(f"it is in {found.folder}: {found.message['X-Spam-Status']}")
    return "in INBOX"


@negative(
    "The global scripts are compiled, and not the mail owner's to change",
    needs="ssh",
    remedy="sievec the script; root owns it and its folder.",
)
def script(target: Target) -> str:
    paths = target.shell(GLOBAL, may_fail=True).split()
    if not paths:
        raise Failed("doveconf names no global script")
    for path in paths:
        compiled = path.removesuffix("sieve") + "svbin"
        if target.shell(f"test -s {compiled} && ! test {path} -nt {compiled}; echo $?") != "0":
            raise Failed(f"{compiled} is missing, or older than its script")
        tests = (f"test -w {one}" for one in (path, compiled, path.rpartition("/")[0]))
        if host.may(target, target.mail_owner, " || ".join(tests)):
            raise Failed(f"{target.mail_owner} may write to {path}")
    return ", ".join(paths)
