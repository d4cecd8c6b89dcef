"""Whom the host's own names reach."""

from shlex import quote

from checks.clients import mail
from checks.engine import Failed, Target, claim, negative

ACCOUNTS = ("daemon", "nobody", "mail", "double-bounce")


@claim(
    "postmaster and root of the host itself are known",
    needs="smtp postgresql",
    remedy="root and postmaster in /etc/aliases, then newaliases.",
)
def root(target: Target) -> str:
    for recipient in (f"root@{target.hostname}", f"PostMaster@{target.hostname}"):
        # A bounce's sender is empty: these addresses have to take mail from anybody.
        answer = mail.expect(mail.asked(target, "", recipient), "250 2.1.5", what=recipient)
    return answer


@claim(
    "What the host writes to root goes to the postmaster",
    needs="ssh",
    remedy="root: postmaster@… in /etc/aliases, then newaliases.",
)
def to_a_person(target: Target) -> str:
    maps = target.shell("postconf -x -h alias_database").replace(",", " ").split()
    found = [answer for one in maps if (answer := target.shell(f"postmap -q root {quote(one)}", may_fail=True))]
    if not any("@" in answer for answer in found):
        raise Failed(f"root leads to {', '.join(found) or 'nobody: the mail stays on the host'}")
    return f"root: {', '.join(found)}"


@negative(
    "A name that nobody has at the host is refused at once",
    needs="elsewhere smtp postgresql",
    remedy="local_recipient_maps must not be empty: it would take all and bounce it later.",
)
def unknown(target: Target) -> str:
    return mail.expect(mail.asked(target, target.stranger, f"postmistress@{target.hostname}"), "550 5.1.1")


@negative(
    "Strangers do not reach the accounts of the host",
    needs="elsewhere smtp postgresql",
    remedy="local_recipient_maps in main.cf names postmaster, abuse and root, and nobody else.",
)
def accounts(target: Target) -> str:
    for name in ACCOUNTS:
        answer = mail.expect(
            mail.asked(target, target.stranger, f"{name}@{target.hostname}"), "550 5.1.1", "554 5.7.1", what=name
        )
    return answer
