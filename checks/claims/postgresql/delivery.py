"""Which recipients and senders port 25 takes, now that it asks the tables."""

from checks.clients import mail, sql
from checks.engine import Target, Warned, claim, negative


@claim(
    "A stranger may write to every account and alias",
    needs="elsewhere smtp postgresql",
    remedy="See virtual_mailbox_maps and virtual_alias_maps in main.cf.",
)
def known(target: Target) -> str:
    there = [target.foo, target.bar, *(f"{name}@{target.domain}" for name in ("postmaster", "abuse", "PostMaster"))]
    for recipient in (*there, "postmaster"):
        answer = mail.expect(mail.asked(target, target.stranger, recipient), "250 2.1.5", what=recipient)
    return f"{', '.join(there)}: {answer.partition(': ')[2]}"


@claim(
    "A stranger of a subdomain of ours is no one of us",
    needs="elsewhere smtp postgresql",
    remedy="parent_domain_matches_subdomains = in main.cf: empty.",
)
def subdomain(target: Target) -> str:
    return mail.expect(mail.asked(target, f"news@lists.{target.domain}", target.foo), "250 2.1.5")


@negative(
    "No row of transports leads our domains' mail to another server",
    needs="ssh postgresql",
    remedy="DELETE the row from transports and run the deploy again, if it is not meant.",
)
def nothing_beside(target: Target) -> str:
    rows = sql.as_postgres(target, "SELECT domain, transport FROM transports", target.database).splitlines()
    if found := [row for row in rows if row.partition("|")[2] not in ("virtual:", "lmtp:unix:private/dovecot-lmtp")]:
        raise Warned(", ".join(row.partition("|")[0] for row in found))
    return f"{len(rows)} domains, delivered here"


@negative(
    "An unknown recipient is refused for good, at once",
    needs="elsewhere smtp postgresql",
    remedy="virtual_mailbox_maps is missing, or matches too much.",
)
def unknown(target: Target) -> str:
    return mail.expect(mail.asked(target, target.stranger, f"no-such-user@{target.domain}"), "550 5.1.1")


@negative(
    "A stranger cannot write as one of us",
    needs="elsewhere smtp postgresql",
    remedy="check_sender_access for our domains in smtpd_sender_restrictions.",
)
def no_forged_sender(target: Target) -> str:
    foo = target.foo
    for sender in (f"no-such-user@{target.domain}", foo.upper(), foo, f"root@{target.hostname}", "root@localhost"):
        answer = mail.expect(mail.asked(target, sender, target.bar), "553 5.7.1", what=f"as {sender}")
    return answer
