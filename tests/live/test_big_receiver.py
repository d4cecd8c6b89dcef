"""A big receiver out there believes our letters, and believes them no longer with any one of the proofs taken away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lab import Host, names
from lab.cli import main
from tests.live.support import sending
from tests.live.traffic import judged, out_there, read, settled, submitted, until

ZOE = "zoe@big.example"
pytestmark = pytest.mark.usefixtures("no_mail")


@pytest.fixture
def nameless(mailserver: Host, world: Host, world_client: Host) -> Iterator[str]:
    """One address more of the mail host, without a PTR record, and not in SPF."""
    net, _, _ = mailserver.address.rpartition(".")
    taken = {int(host.address.rpartition(".")[2]) for host in (mailserver, world, world_client)}
    address = f"{net}.{names.octet('nameless', taken)}"
    card = "$(ip -o -4 address show scope global | awk '{print $2; exit}')"
    mailserver.run(f"ip address replace {address}/24 dev {card}")
    yield address
    mailserver.run(f"ip address del {address}/24 dev {card}")


@contextmanager
def also(name: str, text: str) -> Iterator[None]:
    assert main(["publish", name, text]) == 0
    try:
        yield
    finally:
        assert main(["publish", name]) == 0


def refused(host: Host, mark: str) -> str:
    """What the big receiver has answered, as foo reads it in the bounce."""
    found = f"grep -rlF -- {mark} /home/mail/example.test/foo/new /home/mail/example.test/foo/cur"
    path = until(lambda: host.run(found, check=False).stdout.strip(), f"the bounce of {mark}").splitlines()[0]
    said = re.search(r"said: (550[ -]5\.\d\.\d+ .*?)\(in\s+reply", " ".join(read(host, path).split()))
    assert said, read(host, path)
    return said[1]


def verdict(world: Host, mark: str) -> str:
    path = out_there(world, mark)
    said = re.search(r"^X-Verdict: (.*)", read(world, path), re.MULTILINE)
    assert said and "/big/" in path, path
    return said[1]


def believed(found: dict[str, Any]) -> bool:
    """All that is asked for, also of those who send many: SPF and DKIM for the domain in From, DMARC, TLS, a name that leads back."""
    proved = (found["spf"]["result"], found["dmarc"]["result"], found["dmarc"]["aligned"])
    places = {one["place"] for one in found["verdict"].values()}
    return proved == ("pass", "pass", {"spf": True, "dkim": True}) and bool(found["tls"]) and places == {"inbox"}


@pytest.mark.usefixtures("published")
def test_foos_letter_is_believed_until_its_proofs_are_taken_away(mailserver: Host, world: Host, nameless: str) -> None:
    mark = submitted(mailserver, ZOE)
    assert verdict(world, mark).startswith("inbox; SPF has passed")
    found = judged(world, out_there(world, mark))
    assert believed(found) and found["ptr"]["leads_back"] == [mailserver.fqdn], found
    with sending(mailserver, "smtp_tls_security_level=none"):
        assert refused(mailserver, submitted(mailserver, ZOE)).startswith("550 5.7.29")
    # two records are as none (RFC 7208, 4.5); the signature is enough
    with also("example.test", "v=spf1 -all"):
        assert verdict(world, submitted(mailserver, ZOE)).startswith("inbox; DKIM has passed")
    with sending(mailserver, f"smtp_bind_address={nameless}", "inet_protocols=ipv4"):
        assert refused(mailserver, submitted(mailserver, ZOE)).startswith("550 5.7.25")
        settled(mailserver)


def test_without_a_record_for_the_signature_spf_alone_is_all_there_is(mailserver: Host, world: Host) -> None:
    with also("example.test", "v=spf1 -all"):
        assert "neither SPF nor DKIM" in refused(mailserver, submitted(mailserver, ZOE))
    assert verdict(world, submitted(mailserver, ZOE)).startswith("inbox; SPF has passed")


@pytest.mark.usefixtures("published")
def test_what_we_send_in_the_name_of_another_domain_is_refused(mailserver: Host) -> None:
    """alice's own domain asks for it (p=reject). The envelope is ours, and so is the bounce."""
    mark = "0" * 31 + "1"
    letter = f"From: alice@example.net\nTo: {ZOE}\nSubject: A letter\nMessage-ID: <{mark}@example.net>\n\nHello.\n"
    mailserver.run(["sendmail", "-i", "-f", "foo@example.test", ZOE], stdin=letter)
    assert "asks to refuse such letters" in refused(mailserver, mark)


@pytest.mark.usefixtures("published")
def test_a_bounce_of_ours_is_believed_by_the_name_of_its_greeting(mailserver: Host, world: Host) -> None:
    """Postfix's own bounces are not signed; SPF of the greeting's name is all they have."""
    mark = "0" * 31 + "2"
    letter = (
        f"From: {ZOE}\nTo: nobody-at-all@example.test\nSubject: A letter\nMessage-ID: <{mark}@example.net>\n\nHello.\n"
    )
    mailserver.run(["sendmail", "-i", "-f", ZOE, "nobody-at-all@example.net"], stdin=letter)
    path = out_there(world, mark)
    text = read(world, path)
    assert "/big/new/" in path and "Return-Path: <>" in text and "X-Verdict: inbox; SPF has passed" in text
    found = judged(world, path)
    # another name than From's: with aspf=s in the DMARC record it would be no proof (docs/security.md)
    assert (found["from"], found["spf"]["domain"]) == (["MAILER-DAEMON@example.test"], mailserver.fqdn), found
    assert found["dmarc"]["aligned"] == {"spf": True, "dkim": False} and found["dmarc"]["result"] == "pass"
