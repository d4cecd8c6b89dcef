"""How a mail program finds its servers from an address alone: Thunderbird's page, and Outlook's question.

https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat
"""

from collections.abc import Iterator
from xml.etree import ElementTree

from checks.clients import card, web
from checks.clients.card import Way
from checks.engine import Failed, Target, once_a_run
from checks.engine.verdicts import words

PAGE, WELL_KNOWN = "/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"
OUTLOOK = "/autodiscover/autodiscover.xml"
ASKS = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
SAYS = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
AGAIN = "Run believed.clients again; /etc/nginx/mailroom.d/clients.conf has who is told what."
SECURITY = {"SSL": card.TLS, "STARTTLS": card.STARTTLS}


@once_a_run
def ways(target: Target) -> list[Way]:
    """What the first domain's page says, in its order."""
    return [*read(page(target, target.domain))]


def page(target: Target, domain: str) -> ElementTree.Element:
    status, text, _ = web.asked(target, PAGE, name=f"autoconfig.{domain}", port=443)
    if status != 200:
        raise Failed(f"autoconfig.{domain}{PAGE} is answered with {status}")
    return parsed(text)


def read(tree: ElementTree.Element) -> Iterator[Way]:
    for kind, protocol in (("incomingServer", "IMAP"), ("outgoingServer", "SMTP")):
        servers = tree.findall(f".//{kind}")
        if not servers:
            raise Failed(f"the page has no {kind}", AGAIN)
        for one in servers:
            has = {child.tag: child.text for child in one}
            if has.get("username") != "%EMAILADDRESS%":
                raise Failed(f"it is told to log in as {has.get('username')}", AGAIN)
            security = SECURITY.get(str(has.get("socketType")), str(has.get("socketType")))
            yield Way(protocol, str(has.get("hostname")), int(str(has.get("port"))), security)


def posted(target: Target, address: str) -> tuple[int, str]:
    """As Outlook asks."""
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{ASKS}"><Request><EMailAddress>{address}</EMailAddress>'
        f"<AcceptableResponseSchema>{SAYS[1:-1]}</AcceptableResponseSchema></Request></Autodiscover>"
    )
    status, text, _ = web.asked(target, OUTLOOK, "POST", f"autodiscover.{target.domain}", 443, body)
    return status, text


def parsed(text: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise Failed(f"it is no XML: {words(error)}", AGAIN) from error
