"""A stranger's message, followed to its file: there is no Dovecot yet."""

import re
from shlex import quote

from checks.clients import incoming, mail
from checks.engine.check import check
from checks.engine.target import Target
from checks.engine.verdicts import Failed

LONG = "A line of 1,500 bytes, as HTML has them: " + "x" * 1459


@check(
    "A stranger's letter to foo becomes a file in the Maildir",
    elsewhere=True,
    needs="ssh smtp postgresql",
    remedy=mail.TRACE,
)
def maildir(target: Target) -> str:
    foo = target.account(0)[0]
    return f"{foo}: {incoming.stored(target, foo, foo)}"


@check(
    "Mail for postmaster, abuse and root reaches somebody",
    elsewhere=True,
    needs="ssh smtp postgresql",
    remedy=mail.TRACE,
)
def postmaster(target: Target) -> str:
    foo = target.account(0)[0]
    reached = [f"postmaster@{target.domain}", f"abuse@{target.domain}", f"root@{target.hostname}"]
    for address in reached:
        incoming.stored(target, address, foo)
    return f"{', '.join(reached)} reach {foo}"


@check(
    "What a program of the host writes to an account there reaches the postmaster",
    needs="ssh smtp postgresql",
    remedy="alias_maps in main.cf, virtual_alias_maps of cleanup in master.cf. " + mail.TRACE,
)
def host_mail(target: Target) -> str:
    foo = target.account(0)[0]
    mark, message = mail.compose(target, f"root@{target.domain}", "daemon")
    text = message.decode().replace("\r\n", "\n")
    target.shell(f"printf %s {quote(text)} | /usr/sbin/sendmail -i daemon")
    if not (path := incoming.collect(target, mark, foo)[0]):
        raise Failed(f"it did not reach {foo} within {mail.DELIVERY:.0f} s")
    return f"daemon's mail: {path}"


@check(
    "A stranger's letter with a line of 1,500 bytes becomes a file to the byte",
    elsewhere=True,
    needs="ssh smtp postgresql",
    remedy="smtp_line_length_limit=0 of smtp-amavis in master.cf, lmtp_line_length_limit = 0 in main.cf.",
)
def untouched(target: Target) -> str:
    foo = target.account(0)[0]
    mark, message = mail.compose(target, mail.STRANGER, foo)
    head, _, _ = message.decode().partition("\r\n\r\n")
    message = f"Bcc: kept@example.org\r\n{head}\r\n\r\n{LONG}\r\n".encode()
    with mail.smtp(target) as session:
        for command in (f"MAIL FROM:<{mail.STRANGER}>", f"RCPT TO:<{foo}>"):
            mail.expect(session.docmd(command), "250")
        mail.expect(session.data(message), "250 2.0.0")
    path, text = incoming.collect(target, mark, foo)
    if not path:
        raise Failed(f"it did not arrive within {mail.DELIVERY:.0f} s")
    if message.decode().replace("\r\n", "\n").strip() not in text:
        raise Failed("it arrived, but not as it was brought")
    return f"{len(message)} bytes"


@check(
    "The delivered file is the mail owner's, and private",
    negative=True,
    elsewhere=True,
    needs="ssh smtp postgresql",
    remedy="Look at virtual_uid_maps, virtual_gid_maps and the umask of the delivery.",
)
def private(target: Target) -> str:
    bar = target.account(1)[0]
    mode, owner = incoming.stored(target, bar, bar).split()
    if owner.split(":")[0] != target.mail_owner or int(mode, 8) & 0o007:
        raise Failed(f"{mode} {owner}")
    return f"{mode} {owner}"


@check(
    "No letter of ours comes of it, though the stranger asked for a report",
    negative=True,
    elsewhere=True,
    needs="ssh smtp postgresql",
    remedy=mail.NO_REPORT,
)
def no_report(target: Target) -> str:
    foo = target.account(0)[0]
    mark, message = mail.compose(target, mail.STRANGER, foo)
    with mail.smtp(target) as session:
        mail.expect(session.docmd("MAIL", f"FROM:<{mail.STRANGER}>"), "250")
        mail.expect(session.docmd("RCPT", f"TO:<{foo}> NOTIFY=SUCCESS,FAILURE,DELAY"), "250")
        mail.expect(session.data(message), "250 2.0.0")
    path, text = incoming.collect(target, mark, foo)
    ids = re.findall(r"\bid ([0-9A-Za-z]{6,20})\b", text.partition("\n\n")[0])
    if not path or not ids:
        raise Failed(f"it did not arrive within {mail.DELIVERY:.0f} s")
    seen = target.shell(
        "sleep 0.5; journalctl -q --no-pager -o cat --since '-1 min' | "
        f"grep -E '({'|'.join(ids)}): sender (non-)?delivery ' || true"
    )
    if seen:
        raise Failed(seen.splitlines()[0])
    return f"delivered, and nothing was written for {mail.STRANGER}"
