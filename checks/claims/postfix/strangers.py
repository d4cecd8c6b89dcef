"""A stranger's letter after our 250: no word of it to the sender that it names, no byte of it altered; and whom the host's names reach."""

from __future__ import annotations

import re
from shlex import quote

from checks.delivery import PATIENCE, TRACE, letter
from checks.mail import STRANGER, expect, smtp
from checks.model import Failed, check
from checks.post import taken
from checks.postfix import BELT, asked
from checks.target import Target

LONG = "A line of 1,500 bytes, as HTML has them: " + "x" * 1459
REPORT = "smtpd_command_filter of smtp inet in master.cf, with /etc/postfix/port25.regexp."
ACCOUNTS = ("daemon", "nobody", "mail", "double-bounce")


@check(
    "postfix.strangers.asks",
    "A stranger may ask for a delivery report: the letter is taken all the same",
    needs=BELT,
    elsewhere=True,
    remedy=REPORT,
)
def asks(target: Target) -> str:
    with smtp(target) as session:
        expect(session.docmd("MAIL", f"FROM:<{STRANGER}>"), "250")
        return expect(session.docmd("RCPT", f"TO:<postmaster@{target.hostname}> NOTIFY=SUCCESS"), "250 2.1.5")


@check(
    "postfix.strangers.never",
    "He gets none, and no bounce either, however he writes it",
    negative=True,
    needs=("ssh",),
    remedy=REPORT,
)
def never(target: Target) -> str:
    table = target.shell("postconf -P -h smtp/inet/smtpd_command_filter", may_fail=True)
    if not table.startswith("regexp:"):
        raise Failed(f"smtp inet has no filter of its commands: {table}")
    to = f"TO:<postmaster@{target.domain}>"
    quoted = f'TO:<"a NOTIFY=SUCCESS"@{target.domain}>'
    for line in (
        f"RCPT {to}",
        f"rcpt {to} notify=success",
        f'RCPT {to} ORCPT=rfc822;" NOTIFY=FAILURE',
        f"RCPT {quoted}",
    ):
        said = target.shell(f"postmap -q {quote(line)} {quote(table)}", may_fail=True)
        if said != "RCPT" and not re.match(r"RCPT TO:\S+ NOTIFY=NEVER( |$)", said):
            raise Failed(f"{line} is understood as {said or line}")
    return "each RCPT is understood with NOTIFY=NEVER, or refused"


@check(
    "postfix.strangers.told",
    "The postmaster is told of what could not be delivered",
    needs=("ssh",),
    remedy="notify_classes = bounce, 2bounce, resource, software in main.cf.",
)
def told(target: Target) -> str:
    found = target.shell("postconf -h notify_classes")
    if missing := {"bounce", "2bounce"} - set(found.replace(",", " ").split()):
        raise Failed(f"notify_classes = {found}: {', '.join(sorted(missing))} is missing")
    return found


@check(
    "postfix.strangers.not_told",
    "A recipient whom a door refuses makes no letter to the postmaster",
    negative=True,
    needs=("ssh",),
    remedy="notify_classes=resource,software for smtp, submission and submissions in master.cf.",
)
def not_told(target: Target) -> str:
    doors = target.shell("postconf -P | grep /notify_classes", may_fail=True)
    for door in ("smtp/inet", "submission/inet", "submissions/inet"):
        line = next((line for line in doors.splitlines() if line.startswith(f"{door}/")), "")
        if not line or "bounce" in line:
            raise Failed(
                f"{door} writes a note for each recipient that it refuses: {line or 'notify_classes of main.cf'}"
            )
    return "at 25, 587 and 465: resource, software"


@check(
    "postfix.aliases.accounts",
    "Strangers do not reach the accounts of the host",
    negative=True,
    needs=BELT,
    elsewhere=True,
    remedy="local_recipient_maps in main.cf names postmaster, abuse and root, and nobody else.",
)
def accounts(target: Target) -> str:
    for name in ACCOUNTS:
        answer = expect(asked(target, STRANGER, f"{name}@{target.hostname}"), "550 5.1.1", "554 5.7.1", what=name)
    return answer


@check(
    "postgresql.restart.host_mail",
    "What a program of the host writes to an account there reaches the postmaster",
    needs=("ssh", "smtp", "postgresql"),
    remedy="alias_maps in main.cf, virtual_alias_maps of cleanup in master.cf. " + TRACE,
)
def host_mail(target: Target) -> str:
    foo = target.account(0)[0]
    mark, message = letter(target, f"root@{target.domain}", "daemon")
    text = message.decode().replace("\r\n", "\n")
    target.shell(f"printf %s {quote(text)} | /usr/sbin/sendmail -i daemon")
    if not (path := taken(target, mark, foo)[0]):
        raise Failed(f"it did not reach {foo} within {PATIENCE:.0f} s")
    return f"daemon's mail: {path}"


@check(
    "postgresql.delivery.subdomain",
    "A stranger of a subdomain of ours is no one of us",
    needs=BELT,
    elsewhere=True,
    remedy="parent_domain_matches_subdomains = in main.cf: empty.",
)
def subdomain(target: Target) -> str:
    return expect(asked(target, f"news@lists.{target.domain}", target.account(0)[0]), "250 2.1.5")


@check(
    "postgresql.restart.untouched",
    "A stranger's letter with a line of 1,500 bytes becomes a file to the byte",
    needs=("ssh", "smtp", "postgresql"),
    elsewhere=True,
    remedy="smtp_line_length_limit=0 of smtp-amavis in master.cf, lmtp_line_length_limit = 0 in main.cf.",
)
def untouched(target: Target) -> str:
    foo = target.account(0)[0]
    mark, message = letter(target, STRANGER, foo)
    head, _, _ = message.decode().partition("\r\n\r\n")
    message = f"Bcc: kept@example.org\r\n{head}\r\n\r\n{LONG}\r\n".encode()
    with smtp(target) as session:
        for command in (f"MAIL FROM:<{STRANGER}>", f"RCPT TO:<{foo}>"):
            expect(session.docmd(command), "250")
        expect(session.data(message), "250 2.0.0")
    path, text = taken(target, mark, foo)
    if not path:
        raise Failed(f"it did not arrive within {PATIENCE:.0f} s")
    if message.decode().replace("\r\n", "\n").strip() not in text:
        raise Failed("it arrived, but not as it was brought")
    return f"{len(message)} bytes"


@check(
    "postgresql.restart.no_report",
    "No letter of ours comes of it, though the stranger asked for a report",
    negative=True,
    needs=("ssh", "smtp", "postgresql"),
    elsewhere=True,
    remedy=REPORT,
)
def no_report(target: Target) -> str:
    foo = target.account(0)[0]
    mark, message = letter(target, STRANGER, foo)
    with smtp(target) as session:
        expect(session.docmd("MAIL", f"FROM:<{STRANGER}>"), "250")
        expect(session.docmd("RCPT", f"TO:<{foo}> NOTIFY=SUCCESS,FAILURE,DELAY"), "250")
        expect(session.data(message), "250 2.0.0")
    path, text = taken(target, mark, foo)
    ids = re.findall(r"\bid ([0-9A-Za-z]{6,20})\b", text.partition("\n\n")[0])
    if not path or not ids:
        raise Failed(f"it did not arrive within {PATIENCE:.0f} s")
    seen = target.shell(
        "sleep 0.5; journalctl -q --no-pager -o cat --since '-1 min' | "
        f"grep -E '({'|'.join(ids)}): sender (non-)?delivery ' || true"
    )
    if seen:
        raise Failed(seen.splitlines()[0])
    return f"delivered, and nothing was written for {STRANGER}"
