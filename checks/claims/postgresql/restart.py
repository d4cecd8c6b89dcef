"""A stranger's message, followed to its file: there is no Dovecot yet."""

import re
from shlex import quote

from checks.clients import incoming, mail
from checks.engine import Failed, Target, claim, negative, once_a_run

NEEDS = "ssh smtp postgresql"
LONG = "A line of 1,500 bytes, as HTML has them: " + "x" * 1459


@claim("A stranger's letter to {foo} becomes a file in the Maildir", needs="elsewhere", remedy=mail.TRACE)
def maildir(target: Target) -> str:
    return f"{target.foo}: {incoming.stored(target, target.foo, target.foo)[1]}"


@claim("Mail for postmaster, abuse and root reaches somebody", needs="elsewhere", remedy=mail.TRACE)
def postmaster(target: Target) -> str:
    others = [f"abuse@{target.domain}", f"root@{target.hostname}"]
    whose = dict.fromkeys([postmasters(target), *(incoming.stored(target, address, "")[0] for address in others)])
    return f"{', '.join([f'postmaster@{target.domain}', *others])} reach {', '.join(whose)}"


@once_a_run
def postmasters(target: Target) -> str:
    """Whose mailbox the postmaster's mail reaches: the inventory may name anybody."""
    return incoming.stored(target, f"postmaster@{target.domain}", "")[0]


@claim(
    "What a program of the host writes to an account there reaches the postmaster",
    remedy="alias_maps in main.cf, virtual_alias_maps of cleanup in master.cf. " + mail.TRACE,
)
def host_mail(target: Target) -> str:
    mark, message = mail.compose(target, f"root@{target.domain}", "daemon")
    text = message.decode().replace("\r\n", "\n")
    target.shell(f"printf %s {quote(text)} | /usr/sbin/sendmail -i daemon")
    if not (path := incoming.collect(target, mark, "")[0]):
        raise Failed(f"it reached nobody within {mail.DELIVERY:.0f} s")
    if (owner := incoming.owner_of(target, path)) != postmasters(target):
        raise Failed(f"it reached {owner}, and the postmaster's mail reaches {postmasters(target)}")
    return f"daemon's mail: {path}"


@claim(
    "A stranger's letter with a line of 1,500 bytes becomes a file to the byte",
    needs="elsewhere",
    remedy="smtp_line_length_limit=0 of smtp-amavis in master.cf, lmtp_line_length_limit = 0 in main.cf.",
)
def untouched(target: Target) -> str:
    mark, message = mail.compose(target, target.stranger, target.foo)
    head, _, _ = message.decode().partition("\r\n\r\n")
    message = f"Bcc: kept@example.org\r\n{head}\r\n\r\n{LONG}\r\n".encode()
    mail.bring(target, target.stranger, target.foo, message)
    path, text = incoming.collect(target, mark, target.foo)
    if not path:
        raise Failed(f"it did not arrive within {mail.DELIVERY:.0f} s")
    if message.decode().replace("\r\n", "\n").strip() not in text:
        raise Failed("it arrived, but not as it was brought")
    return f"{len(message)} bytes"


@negative(
    "The delivered file is the mail owner's, and private",
    needs="elsewhere",
    remedy="Look at virtual_uid_maps, virtual_gid_maps and the umask of the delivery.",
)
def private(target: Target) -> str:
    mode, owner = incoming.stored(target, target.bar, target.bar)[1].split()
    if owner.split(":")[0] != target.mail_owner or int(mode, 8) & 0o007:
        raise Failed(f"{mode} {owner}")
    return f"{mode} {owner}"


@negative(
    "No letter of ours comes of it, though the stranger asked for a report", needs="elsewhere", remedy=mail.NO_REPORT
)
def no_report(target: Target) -> str:
    mark, message = mail.compose(target, target.stranger, target.foo)
    mail.bring(target, target.stranger, f"<{target.foo}> NOTIFY=SUCCESS,FAILURE,DELAY", message)
    path, text = incoming.collect(target, mark, target.foo)
    ids = re.findall(r"\bid ([0-9A-Za-z]{6,20})\b", text.partition("\n\n")[0])
    if not path or not ids:
        raise Failed(f"it did not arrive within {mail.DELIVERY:.0f} s")
    seen = target.shell(
        "sleep 0.5; journalctl -q --no-pager -o cat --since '-1 min' | "
        f"grep -E '({'|'.join(ids)}): sender (non-)?delivery ' || true"
    )
    if seen:
        raise Failed(seen.splitlines()[0])
    return f"delivered, and nothing was written for {target.stranger}"
