"""What chapter 6 claims, over IPv6 alone: between the mail host and the world there is no other way for TCP.

The checks over IPv6 are in test_mailserver.py; the records AAAA and PTR in test_dns.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import Host, names
from tests.live import test_certificate as certificate
from tests.live.sealing import Made, published
from tests.live.support import sending
from tests.live.test_big_receiver import ZOE, believed, refused, verdict
from tests.live.test_door import ALICE, BAR, BOSS, LISTED, SEEN, SIGNED, line
from tests.live.test_sts import log
from tests.live.traffic import INBOX, delivered, folder, judged, message, out_there, read, send, submitted

DOMAIN = names.DOMAIN
POLICIES = "/var/lib/mta-sts/mailroom.db"
LETTERS = {
    "SPF of the author": Made(ALICE, INBOX, "spf=pass smtp.mailfrom=example.net", sender=ALICE, at=""),
    "a bounce": Made("MAILER-DAEMON@example.net", INBOX, "spf=pass smtp.helo=world.example.net", sender="", at=""),
    "none, and SPF fails": Made("dave@example.com", INBOX, "spf=fail smtp.mailfrom=example.com"),
    "forged": Made(BOSS, "Junk", "dmarc=fail (p=reject) header.from=example.net"),
    "forged in our name": Made(f"foo@{DOMAIN}", "Junk", "dmarc=fail (p=quarantine) header.from=example.test"),
    "a forward with its signature": Made(ALICE, INBOX, "dmarc=pass (p=reject)", SIGNED),
    "sealed, and changed": Made(
        ALICE, "Junk", "arc=fail", f"{LISTED}seal(LISTS, {SEEN!r})\nchange('A letter.', 'A lie.')"
    ),
}
pytestmark = pytest.mark.usefixtures("no_mail", "only_six")


@pytest.fixture
def only_six(mailserver: Host, world: Host) -> Iterator[None]:
    """TCP between the mail host and the world, and its people, goes over IPv6 or not at all. The DNS, by UDP, stays where it is."""
    if not mailserver.address6:
        pytest.skip("this machine has IPv6 switched off")
    net, _, _ = mailserver.address.rpartition(".")
    ways = (f"{world.address}/32", f"{net}.{names.CLIENTS}/28")
    mailserver.run("".join(f"ip rule add to {one} ipproto tcp prohibit;" for one in ways))
    yield
    mailserver.run("".join(f"ip rule del to {one} ipproto tcp prohibit;" for one in ways))


@pytest.fixture
def nameless(mailserver: Host) -> Iterator[str]:
    """One address more of the mail host, without a PTR record, and not in SPF."""
    net, _, _ = mailserver.address6.rpartition(":")
    address = f"{net}:bad"
    card = "$(ip -o -6 address show scope global | awk '{print $2; exit}')"
    mailserver.run(f"ip address replace {address}/64 dev {card} nodad preferred_lft 0")
    yield address
    mailserver.run(f"ip address del {address}/64 dev {card}")


@pytest.mark.usefixtures("published")
def test_the_world_believes_our_letters(mailserver: Host, world: Host, nameless: str) -> None:
    found = judged(world, out_there(world, submitted(mailserver, ZOE)))
    assert found["client"]["address"] == mailserver.address6 and believed(found), found
    with sending(mailserver, f"smtp_bind_address6={nameless}"):
        assert refused(mailserver, submitted(mailserver, ZOE)).startswith("550 5.7.25")


@pytest.mark.usefixtures("published")
def test_a_bounce_is_believed_by_the_name_of_its_greeting(mailserver: Host, world: Host) -> None:
    mark, text = message("nobody-at-all@example.test", sender=ZOE)
    mailserver.run(["sendmail", "-i", "-f", ZOE, "nobody-at-all@example.net"], stdin=text)
    assert verdict(world, mark).startswith("inbox; SPF has passed")
    assert judged(world, out_there(world, mark))["client"]["address"] == mailserver.address6


def test_receivers_are_verified(mailserver: Host, world: Host) -> None:
    """By DANE, and by the promise that is fetched anew for this."""
    mailserver.run(
        f"systemctl stop postfix-mta-sts-resolver; rm -f {POLICIES}; systemctl start postfix-mta-sts-resolver"
    )
    for domain in ("dane.example", "sts.example"):
        out_there(world, submitted(mailserver, f"zoe@{domain}"))
        assert f"Verified TLS connection established to mx.{domain}[{world.address6}]" in log(mailserver)


def test_what_the_world_brings_is_judged(mailserver: Host, world: Host) -> None:
    mark, text = message(BAR)
    send(world, text, BAR)
    path = delivered(mailserver, mark)
    said = line(mailserver, path)
    assert f"[IPv6:{world.address6}]" in read(mailserver, path) and folder(path) == INBOX
    assert all(one in said for one in ("spf=pass", "dkim=pass", "dmarc=pass")), said
    with published(world):
        sent = {name: made.brought(world, BAR, "-6") for name, made in LETTERS.items()}
        wrong = []
        for name, made in LETTERS.items():
            path = delivered(mailserver, sent[name], 120)
            said, ends = line(mailserver, path), folder(path)
            if ends != made.ends or made.said not in said or "[IPv6:" not in read(mailserver, path):
                wrong.append(f"{name}: {ends}, not {made.ends}: {said}")
    assert not wrong, "\n".join(wrong)


def test_a_certificate_is_renewed(mailserver: Host, world: Host) -> None:
    before = certificate.one_shown(world, mailserver, "-6")
    certificate.renewed(mailserver)
    assert certificate.one_shown(world, mailserver, "-6") != before
    certificate.settled()


# Visitors from four ends of a network of 64 bits, one after the other; none of them goes.
VISITORS = """import socket, subprocess, sys
net, server = sys.argv[1:]
card = subprocess.run("ip -o -6 address show scope global", shell=True, capture_output=True, text=True).stdout.split()[1]
homes = [f"{net}:f00{n}::1" for n in range(4)]
def change(word, *more):
    for home in homes: subprocess.run(["ip", "address", word, f"{home}/64", "dev", card, *more], check=True)
change("replace", "nodad", "preferred_lft", "0")
try:
    kept = [socket.create_connection((server, 25), 10, (homes[n % 4], 0)) for n in range(22)]
    print(*[one.recv(3).decode() for one in kept])
finally:
    change("del")
"""


def test_a_network_is_one_visitor(mailserver: Host, world: Host) -> None:
    """Debian 12's Postfix counts addresses, of which everybody has any number."""
    net = mailserver.address6.partition("::")[0]
    said = world.run(["python3", "-c", VISITORS, net, mailserver.address6]).stdout.split()
    assert said == ["220"] * 22 if mailserver.suite == "bookworm" else said == ["220"] * 20 + ["421"] * 2, said
