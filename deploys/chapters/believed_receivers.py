"""Chapter 6, receivers that prove who they are: by a key in a signed zone (DANE), or by a certificate that they promise (MTA-STS)."""

import re
from pathlib import Path

from deploys.chapters.believed_roads import SYSTEMS_CAS
from deploys.context import data, platform
from deploys.data import MailData
from deploys.misfits import unsigned
from deploys.paths import UNITS
from deploys.platforms import Platform
from deploys.restart import restart_changed
from deploys.step import step
from deploys.texts import filled
from facts.mail_host import MailHost
from operations import files, packages, postfix, services
from operations.base import mail_host

OUTWARDS = ("smtp/unix", "relay/unix")
RESOLVER, UNBOUND, NAMES = "mailroom-resolver", "/etc/unbound/mailroom.conf", "/etc/unbound/mailroom.resolv.conf"
HOME = "/var/lib/mailroom-resolver"
CHROOT = f"{HOME}/etc"  # what Postfix sees as /var/spool/postfix/etc
LOOPBACK = "127.0.0.25"  # resolv.conf takes no port; 127.0.0.1 may be another resolver's, 127.0.0.53 is systemd's
EVERYWHERE = ("0.0.0.0", "*", "[::]")
# Before Postfix asks it: an end of names that there is everywhere, in a lab too. Perl's Net::DNS, on which Amavis depends.
ANSWERS = f"""perl -MNet::DNS -e 'my $r = Net::DNS::Resolver->new(nameservers => ["{LOOPBACK}"], recurse => 1, udp_timeout => 8);
my $a = $r->send("net", "SOA"); exit !($a && $a->header->rcode =~ /^(NOERROR|NXDOMAIN)$/)' || {{
    echo "the resolver on {LOOPBACK} gets no answers from the world, and Postfix goes on asking as it did: with it, mail would wait." >&2
    echo "Open port 53 outwards (UDP, TCP), or write a forwarder that passes DNSSEC on into /etc/unbound/mailroom.d/own.conf;" >&2
    echo "systemctl restart mailroom-resolver, and run again. journalctl -u mailroom-resolver says more. Or: dane = False" >&2
    exit 1
}}"""
STS_UNIT, STS_CONF = "postfix-mta-sts-resolver.service", "/etc/mailroom-mta-sts.yml"
QUEUE, STS_SOCKET = "/var/spool/postfix", "run/mta-sts/map.sock"


def port_53(there: MailHost, known: MailData, system: Platform) -> list[str]:
    """Another program where Postfix's resolver shall be, beside what speaks against the chapter."""
    unit = there.units.get(RESOLVER)
    if problems := unsigned(there, known, system):
        return problems
    if not known.dane or (unit and unit.active) or not {LOOPBACK, *EVERYWHERE} & {*there.bound.get(53, ())}:
        return []
    return [
        f"port 53 of {LOOPBACK} is taken by {there.listeners[53] or 'another program'}, and with dane = True a resolver of Postfix's own "
        "has to be there; let that program listen on its own addresses only (not on 0.0.0.0), or set dane = False"
    ]


@step(
    "Chapter 6: their key, by DANE",
    needs="amavis.filter",
    fit=port_53,
    today="{{ '' if dane else '# dane = False: TLS is offered to everybody, and nobody is verified' }}",
    now="systemctl is-active mailroom-resolver; cat /var/lib/mailroom-resolver/etc/resolv.conf",
)
def dane() -> None:
    """With `dane`, a letter for a domain that publishes its server's key (TLSA) in a signed zone goes to that key, or waits.

    Whoever sits between two servers can take STARTTLS out of what they say, or show a certificate of his own; to other domains a letter
    goes as before, by TLS if they offer it. Whether an answer of the DNS is signed Postfix believes its resolver, so that one is on this
    host, and Postfix's alone: no other program asks it, and nothing that writes /etc/resolv.conf changes it. The relay has rules of its
    own. https://www.postfix.org/TLS_README.html#client_tls_dane https://www.rfc-editor.org/rfc/rfc7672
    """
    verified = {"smtp_dns_support_level": "dnssec", "smtp_tls_security_level": "dane", "smtp_host_lookup": "dns"}
    unit, postfixs = f"{RESOLVER}.service", f"{platform().postfix_unit}.service"
    beside = services.drop_in_path(postfixs, RESOLVER)
    unit_path = f"{UNITS}/{unit}"
    if not data().dane:
        for service in OUTWARDS:
            postfix.no_overrides(name="Nobody is verified", service=service, settings=verified)
        services.withdrawn(name="Postfix asks as the host does", files=(beside,))
        restart_changed()
        services.withdrawn(name="No resolver of its own", files=(unit_path, UNBOUND, NAMES, HOME), units=(unit,))
        return
    services.service(name="Not for the whole host", service="unbound", running=False, unless_installed="unbound")
    packages.packages(name="Install unbound", packages=platform().packages["dane"], managers=platform().managers)
    files.directory(name="Settings of your own", path="/etc/unbound/mailroom.d")
    text = filled(Path("believed/unbound.conf"), address=LOOPBACK)
    files.put(
        name="What it asks, and whom it answers", dest=UNBOUND, text=text, check='unbound-checkconf "$new" >/dev/null'
    )
    files.put(name="Its unit", dest=unit_path, text=filled(Path("believed/mailroom-resolver.service")))
    services.service(name="The resolver runs", service=RESOLVER, files=(UNBOUND, unit_path), port=53)
    names = f"nameserver {LOOPBACK}\noptions edns0 trust-ad timeout:10"
    files.put(name="Whom Postfix asks, once it answers", dest=NAMES, text=names, check=ANSWERS)
    files.directory(name="Postfix's own copy", path=CHROOT)
    text = filled(Path("believed/mailroom-resolver.conf"), folder=CHROOT, names=NAMES)
    services.drop_in(name="Postfix asks it", service=postfixs, text=text, file=RESOLVER)
    for service in OUTWARDS:
        postfix.overrides(name="Whom Postfix verifies", service=service, settings=verified)
    restart_changed()


def resolver(there: MailHost, known: MailData, system: Platform) -> list[str]:
    """Another administrator's resolver, which main.cf asks already, beside what speaks against the chapter."""
    if problems := unsigned(there, known, system):
        return problems
    unit, tables = there.units.get(STS_UNIT.removesuffix(".service")), there.main_cf.get("smtp_tls_policy_maps", "")
    if not known.obey_mta_sts or STS_CONF in there.files or not (unit and unit.active and "socketmap:" in tables):
        return []
    return [
        f"{STS_UNIT} runs here already, and main.cf asks it (smtp_tls_policy_maps = {tables}); with obey_mta_sts = True it would answer "
        "elsewhere, and all mail for others would wait. Take it out of main.cf and stop it, or set obey_mta_sts = False"
    ]


@step(
    "Chapter 6: what others promise",
    today="{{ '' if obey_mta_sts else '# obey_mta_sts = False: TLS where it is offered, whoever offers it' }}",
    now="postconf -P | grep smtp_tls_policy_maps",
    needs="amavis.filter",
    fit=resolver,
)
def sts() -> None:
    """With `obey_mta_sts`, a letter for a domain that promises TLS with a certificate (MTA-STS, mode enforce) goes to a server that shows
    one, or waits.

    Postfix asks Debian's postfix-mta-sts-resolver, through a socket in its queue's directory, for each domain. Only the services that
    send to others do: while the daemon is away, their mail waits, and that to Amavis and to mailboxes does not. What it says counts more
    than DANE (smtp_dns_support_level): a table before it in smtp_tls_policy_maps may name domains that are to go by DANE.
    https://www.postfix.org/TLS_README.html#client_tls_policy https://www.rfc-editor.org/rfc/rfc8461#section-5
    """
    known, drop_in = data(), services.drop_in_path(STS_UNIT)
    asked = f"socketmap:unix:{STS_SOCKET}:postfix"
    if not known.obey_mta_sts:
        _senders_ask(asked, present=False)
        restart_changed()  # before the daemon goes
        gone = (drop_in, STS_CONF)
        services.withdrawn(name="Nobody asks what others promise", units=(STS_UNIT,), files=gone)
        return
    packages.packages(name="What asks", packages=platform().packages["sts"], managers=platform().managers)
    folder = f"{QUEUE}/{STS_SOCKET.rpartition('/')[0]}"
    files.directory(name="Where it is asked", path=folder, user="_mta-sts", group="postfix", mode="750")
    text = filled(Path("believed/mailroom-mta-sts.yml"), socket=f"{QUEUE}/{STS_SOCKET}")
    files.put(name="How it asks", dest=STS_CONF, text=text)
    unit = filled(Path("believed/mailroom-sts.conf"), config=STS_CONF)
    services.drop_in(name="With this, and again and again", service=STS_UNIT, text=unit)
    services.service(name="It runs", service=STS_UNIT.removesuffix(".service"), files=(STS_CONF, drop_in))
    _senders_ask(asked)
    restart_changed()


def _senders_ask(table: str, present: bool = True) -> None:
    """The services of master.cf that send to others look this table up, after those that the operator has in main.cf."""
    own = mail_host().main_cf
    tables = [*re.split(r"[,\s]+", own.get("smtp_tls_policy_maps", "")), table]
    options = {
        "smtp_tls_policy_maps": ",".join(filter(None, tables)),
        "smtp_tls_CAfile": own.get("smtp_tls_CAfile") or SYSTEMS_CAS,
    }
    for service in OUTWARDS:
        if present:
            postfix.overrides(name="What senders ask", service=service, settings=options)
            continue
        there = mail_host().overrides.get(f"{service}/smtp_tls_policy_maps") or ""
        # the operator's tables may have changed since, and an override that has not ours is the operator's own
        ours = options | {"smtp_tls_policy_maps": there} if table in there else {}
        postfix.no_overrides(name="Senders do not ask", service=service, settings=ours)
