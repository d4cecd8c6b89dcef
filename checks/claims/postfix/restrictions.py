"""The conveyor belt on port 25: what it takes from a stranger, and what it does not."""

from __future__ import annotations

from shlex import quote

from checks.mail import ELSEWHERE, STRANGER, Reply, ehlo_name, envelope, expect, said, smtp
from checks.model import Failed, check
from checks.target import Target

# PostgreSQL too: from chapter 2 on, every recipient is looked up there, and a dead one answers 451.
BELT = ("smtp", "postgresql")
RESTRICTIONS = "See smtpd_relay_restrictions and smtpd_recipient_restrictions in main.cf."


def asked(target: Target, sender: str, recipient: str) -> Reply:
    with smtp(target) as session:
        return envelope(session, sender, recipient)


@check(
    "postfix.host_name.fqdn",
    "The host knows its full name",
    needs=("ssh",),
    remedy="hostnamectl set-hostname the FQDN, and let it resolve.",
)
def fqdn(target: Target) -> str:
    found = target.shell("hostname -f")
    if found != target.hostname:
        raise Failed(f"hostname -f says {found}, not {target.hostname}")
    return found


@check(
    "postfix.host_name.no_placeholder",
    "It is not called localhost, nor by a short name",
    negative=True,
    needs=("ssh",),
    remedy="hostnamectl set-hostname the FQDN.",
)
def no_placeholder(target: Target) -> str:
    name = target.shell("uname -n")
    if "." not in name or name.startswith("localhost") or name.endswith((".localdomain", ".local")):
        raise Failed(f"the kernel's name of it is {name}")
    return name


@check("postfix.install.greeting", "Postfix greets a client from elsewhere", needs=("smtp",))
def greeting(target: Target) -> str:
    with smtp(target) as session:
        return expect(session.noop(), "250 2.0.0", what="NOOP")


@check(
    "postfix.identity.name",
    "Postfix goes by the mail host's name",
    needs=("smtp",),
    remedy="myhostname = the FQDN in main.cf.",
)
def name(target: Target) -> str:
    with smtp(target) as session:
        found = ehlo_name(session)
    if found != target.hostname:
        raise Failed(f"EHLO is answered by {found}")
    return found


@check(
    "postfix.identity.origin",
    "Mail of the host itself comes from the mail domain",
    needs=("ssh",),
    remedy="myorigin = $mydomain in main.cf.",
)
def origin(target: Target) -> str:
    found = target.shell("postconf -x -h myorigin")
    if found != target.domain:
        raise Failed(f"myorigin is {found}")
    return f"root@{found}"


@check(
    "postfix.identity.no_subdomains",
    "Names that only look like ours are not ours",
    negative=True,
    needs=BELT,
    elsewhere=True,
    remedy="parent_domain_matches_subdomains, mydestination and relay_domains in main.cf.",
)
def no_subdomains(target: Target) -> str:
    for domain in (f"sub.{target.domain}", f"not-{target.domain}", f"{target.domain}.example.org"):
        answer = expect(asked(target, STRANGER, f"postmaster@{domain}"), "554 5.7.1", "454 4.7.1")
    return answer


@check("postfix.restrictions.stranger", "A stranger may write to us", needs=BELT, elsewhere=True, remedy=RESTRICTIONS)
def stranger(target: Target) -> str:
    return expect(asked(target, STRANGER, f"postmaster@{target.hostname}"), "250 2.1.5")


@check(
    "postfix.restrictions.no_relay",
    "A stranger cannot send through us",
    negative=True,
    needs=BELT,
    elsewhere=True,
    remedy="reject_unauth_destination in smtpd_relay_restrictions; defer_… only says 454.",
)
def no_relay(target: Target) -> str:
    first = expect(asked(target, STRANGER, ELSEWHERE), "554 5.7.1")
    # The old tricks too: a percent hack, a quoted address, and a source route.
    for trick in (
        ELSEWHERE.replace("@", "%") + f"@{target.domain}",
        ELSEWHERE.replace("@", "%") + f"@{target.hostname}",
        f'"{ELSEWHERE}"@{target.domain}',
        f"@{target.domain}:{ELSEWHERE}",
    ):
        reply = asked(target, STRANGER, trick)
        if not 500 <= reply[0] < 600:
            raise Failed(f"RCPT TO:<{trick}>: {said(reply)}")
    return first


@check(
    "postfix.restrictions.no_vrfy",
    "VRFY does not tell who exists",
    negative=True,
    needs=("smtp",),
    remedy="disable_vrfy_command = yes in main.cf.",
)
def no_vrfy(target: Target) -> str:
    with smtp(target) as session:
        return expect(session.docmd("VRFY", f"postmaster@{target.domain}"), "502 5.5.1")


@check(
    "postfix.restrictions.hello_first",
    "A client that does not say who it is gets nowhere",
    negative=True,
    needs=("smtp",),
    remedy="smtpd_helo_required = yes in main.cf.",
)
def hello_first(target: Target) -> str:
    with smtp(target, hello=False) as session:
        return expect(session.docmd("MAIL", f"FROM:<{STRANGER}>"), "503 5.5.1")


@check(
    "postfix.aliases.root",
    "postmaster and root of the host itself are known",
    needs=BELT,
    remedy="root and postmaster in /etc/aliases, then newaliases.",
)
def root(target: Target) -> str:
    for recipient in (f"root@{target.hostname}", f"PostMaster@{target.hostname}"):
        # A bounce's sender is empty: these addresses have to take mail from anybody.
        answer = expect(asked(target, "", recipient), "250 2.1.5", what=recipient)
    return answer


@check(
    "postfix.aliases.to_a_person",
    "What the host writes to root goes to the postmaster",
    needs=("ssh",),
    remedy="root: postmaster@… in /etc/aliases, then newaliases.",
)
def to_a_person(target: Target) -> str:
    maps = target.shell("postconf -x -h alias_database").replace(",", " ").split()
    found = [answer for one in maps if (answer := target.shell(f"postmap -q root {quote(one)}", may_fail=True))]
    if not any("@" in answer for answer in found):
        raise Failed(f"root leads to {', '.join(found) or 'nobody: the mail stays on the host'}")
    return f"root: {', '.join(found)}"


@check(
    "postfix.aliases.unknown",
    "A name that nobody has at the host is refused at once",
    negative=True,
    needs=BELT,
    elsewhere=True,
    remedy="local_recipient_maps must not be empty: it would take all and bounce it later.",
)
def unknown_alias(target: Target) -> str:
    return expect(asked(target, STRANGER, f"postmistress@{target.hostname}"), "550 5.1.1")
