"""An account as a profile that Apple's devices take: the settings card with the address in it, and without a password.

https://developer.apple.com/documentation/devicemanagement/mail
"""

import plistlib
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from checks.clients import card
from checks.clients.card import Card, Way
from postmaster.model import NotFound


def profile(found: Card) -> bytes:
    """The device asks for the password. Raises NotFound where a server has no port with TLS from the first byte."""
    incoming, outgoing = (_wrapped(ways) for ways in (found.incoming, found.outgoing))
    account = {
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAccountDescription": found.user,
        "EmailAddress": found.user,
        **_server("Incoming", incoming, found.user),
        **_server("Outgoing", outgoing, found.user),
        "OutgoingPasswordSameAsIncomingPassword": True,
        **_payload("com.apple.mail.managed", f"mailroom.{found.user}.account", found.user),
    }
    whole = _payload("Configuration", f"mailroom.{found.user}", f"Mail for {found.user}")
    return plistlib.dumps({**whole, "PayloadContent": [account]})


def _wrapped(ways: list[Way]) -> Way:
    for way in ways:
        if way.security == card.TLS:
            return way
    raise NotFound(
        f"{ways[0].server} has no {ways[0].protocol} port with TLS from the first byte, and a profile names no other."
    )


def _server(kind: str, way: Way, user: str) -> dict[str, Any]:
    return {
        f"{kind}MailServerHostName": way.server,
        f"{kind}MailServerPortNumber": way.port,
        f"{kind}MailServerUseSSL": True,
        f"{kind}MailServerAuthentication": "EmailAuthPassword",
        f"{kind}MailServerUsername": user,
    }


def _payload(kind: str, identifier: str, title: str) -> dict[str, Any]:
    """With the same id each time, a second profile takes the place of the first."""
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": str(uuid5(NAMESPACE_URL, identifier)),
        "PayloadDisplayName": title,
    }
