"""Chapter 6, what the server says on the web: an answer to an authority, which signs the certificate for it, and to mail programs."""

import hashlib
import re
from pathlib import Path
from shlex import quote
from uuid import NAMESPACE_DNS, uuid5

from deploys import challenge
from deploys.context import data, platform
from deploys.data import MailData
from deploys.misfits import unsigned
from deploys.paths import NGINX, PROGRAMS, UNITS
from deploys.platforms import Platform
from deploys.restart import SHOWN
from deploys.step import step
from deploys.texts import filled
from facts.mail_host import MailHost
from operations import acme, files, firewall, packages, services

WEB, WEBROOT, SITES = "mailroom-web", "/var/lib/mailroom-web", "/etc/nginx/mailroom.d"
POLICY, POLICY_SITE = f"{WEBROOT}/mta-sts.txt", f"{SITES}/mta-sts.conf"
CLIENTS, CLIENTS_SITE = f"{WEBROOT}/clients", f"{SITES}/clients.conf"
TRUST = services.drop_in_path("certbot.service")
PARTS = ("profile", "account")  # of an Apple profile, each with a number that no other has
PATIENCE = 900  # seconds: Let's Encrypt takes five failed orders an hour for a name


def ports(there: MailHost, known: MailData, system: Platform) -> list[str]:
    """Another program on a port to which others come, beside what speaks against the chapter."""
    if problems := unsigned(there, known, system):
        return problems
    unit, serving = there.units.get(WEB), there.text(NGINX) or ""
    asked = {
        80: (
            known.port_80,
            "with acme = True the authority has to find mailroom there",
            "acme = False and tls_self_signed = False, or acme_dns",
        ),
        443: (
            bool(known.https_names),
            f"{next(iter(known.https_names), None)} has to be found there",
            "mta_sts = None and autoconfig = False",
        ),
    }
    return [
        f"port {port} is taken by {there.listeners[port] or 'another program'}, and {why}; stop that program, or do without: {instead}"
        for port, (needed, why, instead) in asked.items()
        if needed and port in there.listeners and not (unit and unit.active and f"listen {port} " in serving)
    ]


def nginx_runs() -> None:
    """It has read all of its files; SITES, where a step has put a server or taken one away, has the time of that."""
    known = data()
    watched, pair = (NGINX, f"{UNITS}/{WEB}.service", SITES), (known.tls_certificate, known.tls_key)
    services.service(
        name="nginx runs",
        service=WEB,
        files=(*watched, *pair) if known.https_names else watched,
        read_again=pair,
        told_by=SHOWN,
        port=443 if known.https_names else 80,
        check=f"mkdir -p /run/{WEB} && nginx -t -q -e stderr -c {NGINX}",  # where the unit's would be
    )


@step(
    "Chapter 6: a few words on the web",
    today="{{ '' if on_the_web else '# nothing is asked for: ports 80 and 443 are closed' }}",
    now="ss -Hlnt '( sport = :80 or sport = :443 )'",
    needs="postfix.install postfix.certificate",
    fit=ports,
)
def web() -> None:
    """With `acme`, port 80 answers the authority: 404 for all but /.well-known/acme-challenge. With `acme_dns` it is closed. With
    `mta_sts` or `autoconfig`, port 443 has the server's certificate, and answers by the names that later steps add, each with the few
    paths of its own.

    It is an nginx with a configuration and a unit of its own. The distribution's nginx.service does not start: it is masked before its
    package comes. https://letsencrypt.org/docs/challenge-types/#http-01-challenge https://www.rfc-editor.org/rfc/rfc8461#section-3.3
    """
    known, unit = data(), f"{UNITS}/{WEB}.service"
    if not known.on_the_web:
        services.withdrawn(name="Nothing is said on the web", units=(f"{WEB}.service",), files=(NGINX, unit))
        return
    services.service(name="Its own site stays away", service="nginx", running=False, unless_installed="nginx")
    packages.packages(name="Install nginx", packages=platform().packages["web"], managers=platform().managers)
    files.directory(name="What is said there", path=WEBROOT)
    files.directory(name="Other servers on it", path=SITES)
    files.put(name="What it serves", dest=NGINX, text=filled(Path("believed/nginx.conf"), webroot=WEBROOT))
    files.put(name="Its unit", dest=unit, text=filled(Path("believed/mailroom-web.service")))
    nginx_runs()
    opened = [*(["http"] if known.port_80 else []), *(["https"] if known.https_names else [])]
    firewall.services(name=f"The firewall lets in {' and '.join(opened)}", services=tuple(opened))


@step(
    "Chapter 6: a certificate that others vouch for",
    today="{{ '' if acme else '# acme = False: the self-signed certificate of chapter 1, or your own' }}",
    needs="believed.web dovecot.certificate",
    fit=unsigned,
    now="openssl x509 -in {{ tls_certificate }} -noout -issuer -enddate -ext subjectAltName; cat /var/lib/mailroom-acme/failed",
)
def certificate() -> None:
    """With `acme`, an authority signs the certificate, and certbot's timer renews it with the same key. Until the authority has
    answered, and whenever it does not, the pair that is there goes on serving; the host itself asks again.

    certbot keeps its files to itself: a program of ours copies what is new to where both daemons read, and has them read it. They do
    not show it as clients (smtp_tls_cert_file): Let's Encrypt signs for servers alone.
    https://eff-certbot.readthedocs.io/en/stable/using.html#renewing-certificates

    With `acme_dns`, certbot puts the answer into the DNS (DNS-01), by a nameserver that takes it with a key. No name has to lead
    here then, and port 80 is closed. https://certbot-dns-rfc2136.readthedocs.io/en/stable/
    """
    known = data()
    program, units = f"{PROGRAMS}/acme", ("mailroom-acme.service", "mailroom-acme.timer")
    paths = tuple(f"{UNITS}/{unit}" for unit in units)
    if not known.acme:
        gone = (program, *paths, TRUST, challenge.CREDENTIALS, acme.PROVED)
        acme.withdrawn(name="Nobody asks an authority", files=gone, units=units[1:])
        return
    packages.packages(name="Install certbot", packages=platform().packages["acme"], managers=platform().managers)
    credentials = _credentials(known)
    if credentials is None:
        for path in (challenge.CREDENTIALS, acme.PROVED):
            files.file(name=f"No {Path(path).name}", path=path, present=False)
    else:
        packages.packages(
            name="certbot's way into the DNS", packages=platform().packages["acme_dns"], managers=platform().managers
        )
        files.put(name="The key for the nameserver", dest=challenge.CREDENTIALS, text=credentials, mode="600")
    words = {name: quote(value) for name, value in _words(known).items()}
    text = filled(Path("believed/acme.sh"), programs=PROGRAMS, patience=PATIENCE, **words)
    files.put(name="What asks for a certificate", dest=program, text=text, mode="755")
    for unit, path in zip(units, paths, strict=True):
        files.put(name=f"Unit {unit}", dest=path, text=filled(Path("believed", unit)))
    trusted = filled(Path("believed/certbot.conf"))
    services.drop_in(name="Whom certbot's timer believes", service="certbot.service", text=trusted)
    services.service(name="certbot renews", service="certbot.timer")
    services.service(name="The host asks again", service=units[1], files=paths)
    names = known.certificate_names
    acme.signed(
        name=f"A certificate for {', '.join(names)}",
        names=names,
        server=known.acme_directory,
        certificate=known.tls_certificate,
        program=program,
        way=acme.HTTP if credentials is None else acme.DNS,
        credentials="" if credentials is None else hashlib.sha256(credentials.encode()).hexdigest(),
        _ignore_errors=True,  # the old one serves; what the authority said is told, and the rest of the run is not its business
    )


@step(
    "Chapter 6: a promise to who writes to us",
    today="{{ '' if mta_sts else '# mta_sts = None: others may send to us without TLS' }}",
    needs="believed.web",
    fit=unsigned,
)
def policy() -> None:
    """With `mta_sts`, who writes to us reads on the web that our server has TLS, and a certificate that holds for its name (MTA-STS).

    A sender that reads it lets nobody on the way talk it out of TLS, or show another certificate. It is at https://mta-sts.DOMAIN, and
    is read where the DNS has `_mta-sts.DOMAIN`, whose id says when it has changed: `python -m postmaster dns print` has the record, and
    `dns check` compares. To take it back: "testing", then the new id, and None when the longest max_age that was published is over.
    https://www.rfc-editor.org/rfc/rfc8461
    """
    known = data()
    if known.mta_sts is None:
        files.file(name="Nobody asks for a promise", path=POLICY_SITE, present=False)
        files.file(name="Nothing is promised", path=POLICY, present=False)
    else:
        names = " ".join(f"mta-sts.{domain}" for domain in known.domains)
        files.put(name="What is promised", dest=POLICY, text=filled(Path("believed/mta-sts.txt")))
        site = filled(Path("believed/mta-sts.conf"), names=names, policy=POLICY)
        files.put(name="Where it is read", dest=POLICY_SITE, text=site)
    if known.on_the_web:
        nginx_runs()


@step(
    "Chapter 6: clients find us",
    today="{{ '' if autoconfig else '# autoconfig = False: people type the settings, from the card' }}",
    needs="believed.certificate",
    fit=unsigned,
    now="cat /etc/nginx/mailroom.d/clients.conf",
)
def clients() -> None:
    """With `autoconfig`, a mail program that was given an address finds the servers and their ports by itself, and asks for a password.

    Thunderbird, Delta Chat, K-9, Evolution and others fetch a file of autoconfig.DOMAIN; Outlook posts the address to autodiscover.DOMAIN;
    an Apple device takes a profile. All of it is over https, says nothing that a port scan would not, and has no password in it. SRV
    records say the same in the DNS, for those that look there: `python -m postmaster dns print` has them.
    https://www.rfc-editor.org/rfc/rfc6186 https://wiki.mozilla.org/Thunderbird:Autoconfiguration
    """
    known = data()
    pages = ("config-v1.1.xml", "autodiscover.xml", "mail.mobileconfig")
    if not known.autoconfig:
        for path in (CLIENTS_SITE, *(f"{CLIENTS}/{page}" for page in pages)):
            files.file(name=f"No {Path(path).name}", path=path, present=False)
        if known.on_the_web:
            nginx_runs()
        return
    files.directory(name="What clients are told", path=CLIENTS)
    for page in pages:
        files.put(name=f"The page {page}", dest=f"{CLIENTS}/{page}", text=filled(Path("believed", page)))
    domains = [
        {"name": one, "pattern": re.escape(one), "signed": known.acme and one in known.acme_names}
        | {part: str(uuid5(NAMESPACE_DNS, f"{part}.{one}")) for part in PARTS}
        for one in known.domains
    ]
    site = filled(Path("believed/clients.conf"), domains=domains, folder=CLIENTS)
    files.put(name="Who asks for them", dest=CLIENTS_SITE, text=site)
    nginx_runs()


def _credentials(known: MailData) -> str | None:
    """certbot's file with the key, or None where port 80 answers."""
    if known.acme_dns is None:
        return None
    address, port = challenge.parts(known.acme_dns)
    secret = known.secrets.services[challenge.SECRET]
    return filled(Path("believed/acme-dns.ini"), address=address, port=port, secret=secret)


def _words(known: MailData) -> dict[str, str]:
    return {
        "names": " ".join(known.certificate_names),
        "directory": known.acme_directory,
        "email": known.acme_email or "",
        "trust": known.acme_trust or "",
        "way": acme.HTTP if known.acme_dns is None else acme.DNS,
        "server": known.acme_dns or "",
        "key_name": known.acme_dns_key or "",
        "credentials": challenge.CREDENTIALS,
        "webroot": WEBROOT,
        "certificate": known.tls_certificate,
        "key": known.tls_key,
    }
