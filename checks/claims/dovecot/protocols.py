"""IMAP is served, and nothing else."""

from checks.clients import mail
from checks.engine import Failed, Target, claim, negative


@claim("IMAP is served, on 143 and on 993", needs="imap", remedy="protocols = imap … in dovecot.conf.")
def imap(target: Target) -> str:
    with mail.imap_bare(target) as client:
        found = [item.decode().upper() for item in client.capabilities()]
    if "IMAP4REV1" not in found:
        raise Failed(" ".join(found))
    return "IMAP4rev1 on 143, and 993 is open"


@negative("POP3, which nobody asked for, is not served", needs="elsewhere imap", remedy="Take pop3 out of protocols.")
def nothing_else(target: Target) -> str:
    if found := [port for port in (110, 995) if not target.vantage.probe(target.address, port)]:
        raise Failed(f"port {' and '.join(map(str, found))} answers")
    return "110 and 995 are closed"
