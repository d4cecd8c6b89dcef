"""A stranger's letter on port 25, followed to the disk: chapters 1 and 2 have no Dovecot yet."""

from __future__ import annotations

from checks.delivery import PATIENCE, REMOVED, TRACE, letter
from checks.mail import STRANGER, expect, smtp
from checks.model import Failed, Warned, check
from checks.target import Target


def on_disk(target: Target, recipient: str, owner: str) -> str:
    """Hand a letter to port 25 and look for its file on the host: chapter 2 has no Dovecot yet."""
    mark, message = letter(target, STRANGER, recipient)
    local, _, domain = owner.partition("@")
    folder = f"{target.mail_base}/{domain}/{local}"
    with smtp(target) as session:
        session.sendmail(STRANGER, [recipient], message)
    look = (
        f"find {folder}/new {folder}/cur -newermt '-1 minute' -type f "
        f"-exec grep -lF -- '{mark}' {{}} + 2>/dev/null | head -n 1"
    )
    answer = target.shell(
        f'for try in $(seq {int(PATIENCE * 5)}); do file=$({look}); [ -n "$file" ] && '
        f'mode=$(stat -c "%a %U:%G" "$file") && {REMOVED} && echo "$mode" && break; sleep 0.2; done',
        may_fail=True,
        timeout=PATIENCE + 10,
    )
    if not answer:
        raise Failed(f"no file of it below {folder} after {PATIENCE:.0f} s")
    return answer


@check(
    "postgresql.restart.maildir",
    "A stranger's letter to foo becomes a file in the Maildir",
    needs=("ssh", "smtp", "postgresql"),
    remedy=TRACE,
    elsewhere=True,
)
def maildir(target: Target) -> str:
    foo = target.account(0)[0]
    return f"{foo}: {on_disk(target, foo, foo)}"


@check(
    "postgresql.restart.private",
    "The delivered file is the mail owner's, and private",
    negative=True,
    needs=("ssh", "smtp", "postgresql"),
    elsewhere=True,
    remedy="Look at virtual_uid_maps, virtual_gid_maps and the umask of the delivery.",
)
def private(target: Target) -> str:
    bar = target.account(1)[0]
    mode, owner = on_disk(target, bar, bar).split()
    if owner.split(":")[0] != target.mail_owner or int(mode, 8) & 0o007:
        raise Failed(f"{mode} {owner}")
    return f"{mode} {owner}"


@check(
    "postgresql.restart.postmaster",
    "Mail for postmaster, abuse and root reaches somebody",
    needs=("ssh", "smtp", "postgresql"),
    remedy=TRACE,
    elsewhere=True,
)
def postmaster(target: Target) -> str:
    foo = target.account(0)[0]
    reached = [f"postmaster@{target.domain}", f"abuse@{target.domain}", f"root@{target.hostname}"]
    for address in reached:
        on_disk(target, address, foo)
    return f"{', '.join(reached)} reach {foo}"


@check(
    "postfix.restart.first_mail",
    "Postfix takes a first letter from a stranger",
    needs=("ssh", "smtp", "postgresql"),
    remedy=TRACE,
    elsewhere=True,
)
def first_mail(target: Target) -> str:
    mark, message = letter(target, STRANGER, f"postmaster@{target.hostname}")
    with smtp(target) as session:
        for command in ("MAIL FROM:<>", f"RCPT TO:<postmaster@{target.hostname}>"):
            expect(session.docmd(command), "250")
        reply = session.data(message)
    answer = expect(reply, "250 2.0.0")
    # It goes on to the postmaster's mailbox, which chapter 2 makes. Until then it waits in the
    # queue, for nobody and under a new id (local(8) sends it on): take it out, wherever it is.
    find = f"find {target.mail_base} -newermt '-1 minute' -type f -exec grep -lF -- '{mark}' {{}} +"
    # Only what has been put off: an id with a star is being worked on this moment.
    queued = "mailq | sed -nE 's/^([0-9A-Za-z]+) .*/\\1/p'"
    left = target.shell(
        f"end=$(($(date +%s) + {PATIENCE:.0f})); while [ $(date +%s) -lt $end ]; do file=$({find} 2>/dev/null | head -n 1); "
        f'[ -n "$file" ] && {REMOVED} && exit; '
        f"for id in $({queued}); do "
        f"postcat -qh $id 2>/dev/null | grep -qF -- '{mark}' && postsuper -d $id && exit; "
        "done; sleep 0.2; done; echo lost",
        may_fail=True,
        timeout=PATIENCE + 10,
    )
    if left.endswith("lost"):
        raise Warned(f"{answer}, but it is neither in a mailbox nor in the queue")
    return answer
