"""Which names and domains Postfix takes for its own."""

from checks.clients import mail
from checks.engine import Failed, Target, claim, negative


@claim("Postfix goes by the mail host's name", needs="smtp", remedy="myhostname = the FQDN in main.cf.")
def name(target: Target) -> str:
    with mail.smtp(target) as session:
        found = mail.ehlo_name(session)
    if found != target.hostname:
        raise Failed(f"EHLO is answered by {found}")
    return found


@claim("Mail of the host itself comes from the mail domain", needs="ssh", remedy="myorigin = $mydomain in main.cf.")
def origin(target: Target) -> str:
    found = target.shell("postconf -x -h myorigin")
    if found != target.domain:
        raise Failed(f"myorigin is {found}")
    return f"root@{found}"


@negative(
    "Names that only look like ours are not ours",
    needs="elsewhere smtp postgresql",
    remedy="parent_domain_matches_subdomains, mydestination and relay_domains in main.cf.",
)
def no_subdomains(target: Target) -> str:
    for domain in (f"sub.{target.domain}", f"not-{target.domain}", f"{target.domain}.example.org"):
        answer = mail.expect(mail.asked(target, target.stranger, f"postmaster@{domain}"), "554 5.7.1", "454 4.7.1")
    return answer
