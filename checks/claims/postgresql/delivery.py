"""Which recipients and senders port 25 takes, now that it asks the tables."""

from checks.clients import mail
from checks.engine.check import check
from checks.engine.target import Target
from checks.engine.verdicts import Warned


@check(
    "A stranger may write to every account and alias",
    elsewhere=True,
    needs="smtp postgresql",
    remedy="See virtual_mailbox_maps and virtual_alias_maps in main.cf.",
)
def known(target: Target) -> str:
    there = [
        target.account(0)[0],
        target.account(1)[0],
        *(f"{name}@{target.domain}" for name in ("postmaster", "abuse", "PostMaster")),
    ]
    for recipient in (*there, "postmaster"):
        answer = mail.expect(mail.asked(target, mail.STRANGER, recipient), "250 2.1.5", what=recipient)
    return f"{', '.join(there)}: {answer.partition(': ')[2]}"


@check(
    "A stranger of a subdomain of ours is no one of us",
    elsewhere=True,
    needs="smtp postgresql",
    remedy="parent_domain_matches_subdomains = in main.cf: empty.",
)
def subdomain(target: Target) -> str:
    return mail.expect(mail.asked(target, f"news@lists.{target.domain}", target.account(0)[0]), "250 2.1.5")


@check(
    "No row of transports leads our domains' mail to another server",
    negative=True,
    needs="ssh postgresql",
    remedy="DELETE the row from transports and run the deploy again, if it is not meant.",
)
def nothing_beside(target: Target) -> str:
    inside = f"cd / && runuser -u postgres -- psql -XAtd {target.database}"
    rows = target.shell(f"{inside} -c 'SELECT domain, transport FROM transports'").splitlines()
    if found := [row for row in rows if row.partition("|")[2] not in ("virtual:", "lmtp:unix:private/dovecot-lmtp")]:
        raise Warned(", ".join(row.partition("|")[0] for row in found))
    return f"{len(rows)} domains, delivered here"


@check(
    "An unknown recipient is refused for good, at once",
    negative=True,
    elsewhere=True,
    needs="smtp postgresql",
    remedy="virtual_mailbox_maps is missing, or matches too much.",
)
def unknown(target: Target) -> str:
    return mail.expect(mail.asked(target, mail.STRANGER, f"no-such-user@{target.domain}"), "550 5.1.1")


@check(
    "A stranger cannot write as one of us",
    negative=True,
    elsewhere=True,
    needs="smtp postgresql",
    remedy="check_sender_access for our domains in smtpd_sender_restrictions.",
)
def no_forged_sender(target: Target) -> str:
    foo, bar = target.account(0)[0], target.account(1)[0]
    for sender in (f"no-such-user@{target.domain}", foo.upper(), foo, f"root@{target.hostname}", "root@localhost"):
        answer = mail.expect(mail.asked(target, sender, bar), "553 5.7.1", what=f"as {sender}")
    return answer
