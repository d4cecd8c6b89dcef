"""The rows that lead to the LMTP socket."""

from checks.clients import incoming
from checks.engine import Failed, Target, claim, negative

WAY = "lmtp:unix:private/dovecot-lmtp"


@claim(
    "The bookkeeper sends our mail to Dovecot",
    needs="ssh postgresql lmtp",
    remedy="UPDATE transports; see chapter 5, delivery.",
)
def way(target: Target) -> str:
    found = target.shell(
        f"postmap -q {target.domain} pgsql:/etc/postfix/pgsql/transport.cf || "
        f"postmap -q {target.foo} pgsql:/etc/postfix/pgsql/transport.cf",
        may_fail=True,
    )
    if found != WAY:
        raise Failed(f"{target.domain}: {found or 'no row'}")
    return f"{target.domain}: {found}"


@claim(
    "A letter was written down by Dovecot",
    needs="elsewhere ssh smtp postgresql lmtp",
    remedy="Look for the letter in Postfix's log: which relay took it?",
)
def by_lmtp(target: Target) -> str:
    top = " ".join(str((incoming.ordinary(target).message.get_all("Received") or ["none"])[0]).split())
    if "LMTP" not in top:
        raise Failed(f"its topmost Received line: {top}")
    return top.partition(";")[0]


@negative(
    "No pipe starts a program for each message",
    needs="ssh",
    remedy="Take the article's dovecot line out of master.cf: LMTP is one process for many, and says 450 while it is away.",
)
def no_lda(target: Target) -> str:
    found = target.shell("postconf -M '*/unix' | grep -E 'pipe .*(dovecot-lda|deliver)'", may_fail=True)
    if found:
        raise Failed(" ".join(found.split()))
    return "neither deliver nor dovecot-lda in master.cf"
