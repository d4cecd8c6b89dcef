"""Mail programs that know an address and a password, and are told all else on the web."""

import plistlib
import re
import smtplib
import ssl
from uuid import uuid4
from xml.parsers.expat import ExpatError

from imapclient.exceptions import IMAPClientError

from checks.clients import card, discovery, pinned, tls, web
from checks.clients.card import Way
from checks.engine import Failed, Target, claim, negative
from checks.engine.verdicts import words

NEEDS = "ssh autoconfig"
PAGE, WELL_KNOWN, OUTLOOK, APPLE = discovery.PAGE, discovery.WELL_KNOWN, discovery.OUTLOOK, "/mail.mobileconfig"
AGAIN = discovery.AGAIN
LEADS = "autoconfig.DOMAIN and autodiscover.DOMAIN have to lead here, and be in the certificate: python -m postmaster dns check"


@claim(
    "A program that has {foo}'s address and password alone finds its servers and logs in (autoconfig)",
    needs="imap submission submissions sasl",
    remedy=LEADS,
)
def found(target: Target) -> str:
    user, password = target.account(0)
    for way in discovery.ways(target):
        context = tls.careful(target, way.server)
        ask = pinned.reader if way.protocol == "IMAP" else pinned.sender
        try:
            with ask(target, way, context, user, password):
                pass
        except (OSError, ssl.SSLError, IMAPClientError, smtplib.SMTPException) as error:
            raise Failed(
                f"it is told {way.server}, port {way.port}, and gets no further: {words(error)}", AGAIN
            ) from error
    return ", ".join(f"{way.protocol} {way.port} {way.security}" for way in discovery.ways(target))


@claim("Each mail domain has such a page, with its own name and no other's", remedy=LEADS)
def domains(target: Target) -> str:
    every = target.domains or (target.domain,)
    for domain in every:
        names = [one.text for one in discovery.page(target, domain).iter("domain")]
        if names != [domain]:
            raise Failed(f"autoconfig.{domain} speaks for {', '.join(map(str, names)) or 'no domain'}", AGAIN)
    return ", ".join(every)


@claim("Outlook is told the same servers, and that the whole address is the login (autodiscover)", remedy=LEADS)
def outlook(target: Target) -> str:
    status, text = discovery.posted(target, target.foo)
    if status != 200:
        raise Failed(f"it is answered with {status}")
    told = set()
    for protocol in discovery.parsed(text).iter(f"{discovery.SAYS}Protocol"):
        has = {one.tag.removeprefix(discovery.SAYS): one.text for one in protocol}
        if (has.get("LoginName"), has.get("SSL"), has.get("SPA")) != (target.foo, "on", "off"):
            raise Failed(f"it is told {has}", AGAIN)
        told.add(Way(str(has["Type"]), str(has["Server"]), int(str(has["Port"])), card.TLS))
    if missing := [way for way in discovery.ways(target) if way.security == card.TLS and way not in told]:
        raise Failed(f"it is not told {missing[0].server}, port {missing[0].port}", AGAIN)
    return ", ".join(sorted(f"{way.protocol} {way.port}" for way in told))


@claim("An Apple device is offered the same servers, and asks for the address and the password itself", remedy=LEADS)
def apple(target: Target) -> str:
    status, text, _ = web.asked(target, APPLE, name=f"autoconfig.{target.domain}", port=443)
    try:
        account = plistlib.loads(text.encode())["PayloadContent"][0]
    except (ExpatError, ValueError, LookupError, plistlib.InvalidFileException) as error:
        raise Failed(f"{status}, and no profile: {words(error)}", AGAIN) from error
    if given := [
        name for name in account if "Password" in name and not name.endswith("PasswordSameAsIncomingPassword")
    ]:
        raise Failed(f"the profile has {', '.join(given)}", AGAIN)
    told = {
        Way(protocol, account[f"{kind}MailServerHostName"], account[f"{kind}MailServerPortNumber"], card.TLS)
        for protocol, kind in (("IMAP", "Incoming"), ("SMTP", "Outgoing"))
        if account[f"{kind}MailServerUseSSL"]
    }
    if not told <= set(discovery.ways(target)) or len(told) != 2:
        raise Failed(f"it is offered {account}", AGAIN)
    return ", ".join(sorted(f"{way.protocol} {way.port}" for way in told))


@negative("No program is led to a server without TLS, nor away from this host", remedy=AGAIN)
def encrypted(target: Target) -> str:
    for way in discovery.ways(target):
        if way.security not in discovery.SECURITY.values() or way.server != target.hostname:
            raise Failed(f"{way.server}, port {way.port}, {way.security}")
    return f"{len(discovery.ways(target))} ways, all of them with TLS"


@negative("No password is asked for there, and nothing that is asked comes back", remedy=AGAIN)
def nothing_back(target: Target) -> str:
    """Nobody listens to a password in a URL; what a stranger posts is repeated only where it is an address of ours, and like one."""
    mark = uuid4().hex
    first = f"autoconfig.{target.domain}"
    status, text, _ = web.asked(
        target, f"{PAGE}?emailaddress={mark}%40{target.domain}&password={mark}", name=first, port=443
    )
    if status != 200 or mark in text:
        raise Failed(f"{status}, and the page repeats what was in its URL" if mark in text else f"{status}")
    for address in (f"{mark}@elsewhere.example", f"<b>{mark}@{target.domain}", f"{mark}&amp;@{target.domain}", mark):
        status, text = discovery.posted(target, address)
        if status == 401 or status < 400 or mark in text:
            raise Failed(f"{address} is answered with {status}: {text[:60]}")
    return "400 for whoever is not of this server"


@negative("Nothing else is there: no list of files, no other domain's page, and none of it without TLS", remedy=AGAIN)
def nothing_else(target: Target) -> str:
    first, second = f"autoconfig.{target.domain}", f"autodiscover.{target.domain}"
    asked = [
        *(
            (path, first, 443)
            for path in ("/", "/mail/", "/mail", "/.well-known/", OUTLOOK, "/autodiscover.xml", "/../clients.conf")
        ),
        *((path, second, 443) for path in ("/", "/autodiscover/", PAGE, "/autodiscover.xml", OUTLOOK)),
        *((path, target.hostname, 443) for path in (PAGE, WELL_KNOWN, OUTLOOK, APPLE)),
        *(
            (path, name, 80)
            for path in (PAGE, WELL_KNOWN, APPLE)
            for name in (first, "elsewhere.example")
            if listens(target, 80)
        ),
    ]
    for path, name, port in asked:
        status, _, server = web.asked(target, path, name=name, port=port)
        if status not in (400, 404):
            raise Failed(f"{path} of {name}, port {port}, is answered with {status}")
        if re.search(r"\d", server):
            raise Failed(f"it says that it is {server}")
    return f"404 or 400, {len(asked)} times"


@negative("Who asks for which address is written down nowhere", remedy="access_log off; in /etc/nginx/mailroom.conf.")
def forgotten(target: Target) -> str:
    mark = uuid4().hex
    web.asked(target, f"{PAGE}?emailaddress={mark}@{target.domain}", name=f"autoconfig.{target.domain}", port=443)
    discovery.posted(target, f"{mark}@{target.domain}")
    where = target.shell(
        f"grep -rlF {mark} /var/log/nginx /run/mailroom-web 2>/dev/null; journalctl --since -2min -o cat -u mailroom-web | grep -F {mark}",
        may_fail=True,
    )
    if where:
        raise Failed(where.splitlines()[0])
    return "neither in a log nor in the journal"


def listens(target: Target, port: int) -> bool:
    return bool(target.once(f"ss -Hltn sport = :{port}"))
