"""Port 465, with TLS from the first byte."""

from checks.clients import host, tls
from checks.engine import Target, claim, negative


@claim(
    "Submissions, TLS from the start, answers on port 465",
    needs="smtp",
    provides="submissions",
    remedy="See `submissions` in master.cf.",
)
def listens(target: Target) -> str:
    return host.listens(target, 465, "postfix")


@negative(
    "Port 465 does not talk in the clear",
    needs="submissions",
    remedy="smtpd_tls_wrappermode=yes for submissions in master.cf.",
)
def no_cleartext(target: Target) -> str:
    return tls.no_cleartext(target, 465, f"EHLO {target.helo}")
