"""After our 250 no word goes to the sender that a stranger's message names."""

import re
from shlex import quote

from checks.clients import mail
from checks.engine import Failed, Target, claim, negative


@claim(
    "A stranger may ask for a delivery report: the letter is taken all the same",
    needs="elsewhere smtp postgresql",
    remedy=mail.NO_REPORT,
)
def asks(target: Target) -> str:
    with mail.smtp(target) as session:
        mail.expect(session.docmd("MAIL", f"FROM:<{target.stranger}>"), "250")
        return mail.expect(session.docmd("RCPT", f"TO:<postmaster@{target.hostname}> NOTIFY=SUCCESS"), "250 2.1.5")


@claim(
    "The postmaster is told of what could not be delivered",
    needs="ssh",
    remedy="notify_classes = bounce, 2bounce, resource, software in main.cf.",
)
def told(target: Target) -> str:
    found = target.shell("postconf -h notify_classes")
    if missing := {"bounce", "2bounce"} - set(found.replace(",", " ").split()):
        raise Failed(f"notify_classes = {found}: {', '.join(sorted(missing))} is missing")
    return found


@negative("He gets none, and no bounce either, however he writes it", needs="ssh", remedy=mail.NO_REPORT)
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


@negative(
    "A recipient whom a door refuses makes no letter to the postmaster",
    needs="ssh",
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
