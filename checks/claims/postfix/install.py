"""Postfix is there, and no rival of it."""

from checks.clients import host, mail
from checks.engine import Failed, Target, claim, negative

OTHER_MAILERS = "exim4|exim|sendmail|opensmtpd|nullmailer-send|qmail-send|citserver"


@claim("Postfix greets a client from elsewhere", needs="smtp", remedy="On the host: journalctl -u 'postfix*' -n 20.")
def greeting(target: Target) -> str:
    with mail.smtp(target) as session:
        return mail.expect(session.noop(), "250 2.0.0", what="NOOP")


@negative("No other mail server is on the host", needs="ssh smtp", remedy="Remove the other mail server.")
def only_postfix(target: Target) -> str:
    other = target.shell(f"ps -eo comm= | grep -xE '{OTHER_MAILERS}'", may_fail=True)
    # Postfix's own master does not let even root see its sockets in a container.
    known = ("", "master")
    other += " ".join(p for _, port, p in host.listeners(target) if port == 25 and p not in known)
    if other:
        raise Failed(other)
    target.shell("postfix status")
    return "Postfix runs, and none of its rivals"
