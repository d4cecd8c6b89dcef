"""What mail programs are told: who is told what, what goes when nobody shall be told, and what the DNS has to say of it."""

from __future__ import annotations

import plistlib
import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from checks.clients import card
from checks.clients.card import Card, Way
from deploys.data import mail_data
from deploys.platforms import PLATFORMS
from deploys.told import by_step
from facts.mail_host import MailHost
from operations import files, services
from postmaster import apple
from postmaster.model import NotFound
from postmaster.zone import clients, records
from tests.unit.test_zone import DOMAIN, FACTS, FOUR, HOST, SIX, rows

DEBIAN, MX1 = PLATFORMS["debian", "13"], "mx1.example.test"
OURS = {"acme": True, "acme_directory": "https://ca.example.test/dir", "autoconfig": True}
CLIENTS, SITE = "/var/lib/mailroom-web/clients", "/etc/nginx/mailroom.d/clients.conf"
ASKED = replace(FACTS, autoconfig=True)
NAMES = "autoconfig 60 CNAME mail\nautodiscover 60 CNAME mail"


def told(**data: Any) -> list[tuple[Any, dict[str, Any]]]:
    return [*by_step(mail_data(data, MX1, secrets_too=False), DEBIAN, MailHost())["believed.clients"]]


def texts(**data: Any) -> dict[str, str]:
    return {given["dest"]: given["text"] for operation, given in told(**OURS | data) if operation is files.put}


def test_off_takes_all_of_it_away() -> None:
    every = {SITE, *(path for path in texts() if path != SITE)}
    for data, runs in (({}, 0), ({**OURS, "autoconfig": False}, 1)):
        kept = told(**data)
        gone = {given["path"] for operation, given in kept if operation is files.file and not given["present"]}
        assert gone == every and len(gone) == 4
        assert len([one for one, _ in kept if one is services.service]) == runs, "nginx reads it only where it runs"


def test_each_domain_has_its_names_and_its_own_only_where_the_certificate_has_it() -> None:
    domains = ["example.test", "second.test"]
    site = texts(mail_domains=domains, acme_names=["second.test"])[SITE]
    assert re.findall(r"server_name(.*);", site) == [
        " autoconfig.example.test",
        " autoconfig.second.test second.test",
        " autodiscover.example.test autodiscover.second.test",
    ]
    assert len(set(re.findall(r"sub_filter %(?:PROFILE|ACCOUNT)% (\S+);", site))) == 4, "an id that another profile has"
    assert "listen [::]" not in site and site.count("return 404") == 4


def test_only_addresses_of_ours_come_through() -> None:
    """nginx' own expression, as Python reads it."""
    (pattern,) = re.findall(r'"~\*(<EMailAddress>.*)" \$', texts()[SITE])
    allowed = re.compile(pattern.replace("?<", "?P<", 1), re.IGNORECASE)
    for right in ("foo@example.test", "Foo.Bar-9@EXAMPLE.test"):
        assert allowed.search(f"<EMailAddress> {right}\n</EMailAddress>"), right
    for wrong in (
        "foo@exampleXtest",
        "foo@example.test.example",
        "<b>foo@example.test",
        "a&amp;b@example.test",
        "@example.test",
        "foo",
    ):
        assert not allowed.search(f"<EMailAddress>{wrong}</EMailAddress>"), wrong


def test_the_pages_say_the_same() -> None:
    pages = texts()
    page = ElementTree.fromstring(pages[f"{CLIENTS}/config-v1.1.xml"])
    servers = [
        (one.tag, one.findtext("hostname"), one.findtext("port"))
        for one in page.iter()
        if one.find("hostname") is not None
    ]
    assert servers == [
        ("incomingServer", MX1, "993"),
        ("incomingServer", MX1, "143"),
        ("outgoingServer", MX1, "465"),
        ("outgoingServer", MX1, "587"),
    ]
    outlook = ElementTree.fromstring(pages[f"{CLIENTS}/autodiscover.xml"].encode())
    assert [one.text for one in outlook.iter() if one.tag.endswith("}Port")] == ["993", "465"]
    (apple,) = plistlib.loads(pages[f"{CLIENTS}/mail.mobileconfig"].encode())["PayloadContent"]
    assert (apple["IncomingMailServerPortNumber"], apple["OutgoingMailServerPortNumber"]) == (993, 465)
    assert "EmailAddress" not in apple and "IncomingPassword" not in apple, "the device asks its owner"


@pytest.mark.parametrize(
    ("lines", "sign", "says"),
    [
        (NAMES, "right", f"an alias of {HOST}"),
        (f"autoconfig 60 A {FOUR}\nautoconfig 60 AAAA {SIX}", "right", f"where {HOST} leads"),
        (f"autoconfig 60 A {FOUR}", "right", f"where {HOST} leads"),
        ("", "wrong", "there is none"),
        ("autoconfig 60 A 198.18.0.99", "wrong", "198.18.0.99"),
        (f"autoconfig 60 A {FOUR}\nautoconfig 60 A 198.18.0.99", "wrong", "198.18.0.99"),
        ("autoconfig 60 CNAME www\nwww 60 A 198.18.0.99", "wrong", "198.18.0.99"),
        ("autoconfig 60 CNAME nowhere", "wrong", f"nowhere.{DOMAIN}"),
        ("autoconfig.example.test.example.test. 60 CNAME mail", "wrong", "appends example.test"),
    ],
)
def test_the_names_lead_here(lines: str, sign: str, says: str) -> None:
    row = rows({"more": lines}, ASKED)[f"CNAME autoconfig.{DOMAIN}"]
    assert row["required"] and row["sign"] == sign and says in str(row["says"]), row
    assert sign == "right" or row["remedy"]


def test_who_tells_clients_nothing_needs_no_names() -> None:
    assert not [need for need in clients.needs(FACTS, DOMAIN) if need.kind == "CNAME"]
    assert "autoconfig" not in records.bind(FACTS)
    assert f"autodiscover.{DOMAIN}. 3600 IN CNAME {HOST}." in records.bind(ASKED)


WAYS = [Way("IMAP", MX1, 993, card.TLS), Way("IMAP", MX1, 143, card.STARTTLS)], [Way("SMTP", MX1, 465, card.TLS)]


def test_a_profile_for_one_person_has_the_address_and_no_password() -> None:
    told = Card("foo@example.test", *WAYS, ["PLAIN"], "", "", False, [MX1], "", "", [])
    made = plistlib.loads(apple.profile(told))
    (account,) = made["PayloadContent"]
    assert account["EmailAddress"] == account["IncomingMailServerUsername"] == "foo@example.test"
    assert (account["IncomingMailServerHostName"], account["IncomingMailServerPortNumber"]) == (MX1, 993)
    assert not [
        name for name in account if name.endswith("Password") and name != "OutgoingPasswordSameAsIncomingPassword"
    ]
    assert made["PayloadUUID"] != account["PayloadUUID"] and made == plistlib.loads(apple.profile(told))
    with pytest.raises(NotFound, match="no IMAP port with TLS"):
        apple.profile(replace(told, incoming=WAYS[0][1:]))
