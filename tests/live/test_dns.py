"""The records that the server prints, loaded by a real server for zones (Knot), are those that it then asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import dns.reversename
import pytest

from checks import Target
from lab import Host
from postmaster.zone import ask, records
from postmaster.zone.host import Facts
from tests.live.passports import postmaster
from tests.live.support import ON_ONE_WITH_WORLD, packages

KNOT = """server:
    listen: {address}@53
    rundir: /run/knot
log:
  - target: syslog
    any: info
zone:
  - domain: example.test
    file: /var/lib/knot/example.test
    zonefile-sync: -1
    zonefile-load: difference-no-serial
    journal-content: all
    dnssec-signing: on
  - domain: test
    file: /var/lib/knot/test
  - domain: arpa
    file: /var/lib/knot/arpa
"""
HEAD = "@ 60 SOA ns1.example.test. hostmaster.example.test. 1 3600 600 86400 1\n@ 60 NS ns1.example.test.\n"
Publish = Callable[[str], None]


def rows(*words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """What `dns check` says: its exit code, and the verdicts by type and name."""
    done = postmaster("dns", "check", "--json", *words)
    assert done.stdout, done.stderr
    return done.returncode, {f"{row['type']} {row['name']}": row for row in json.loads(done.stdout)["records"]}


@pytest.mark.usefixtures("published")
def test_the_worlds_dns_has_what_is_required(mailserver: Host) -> None:
    code, found = rows()
    assert code == 0, [(key, row["sign"], row["says"]) for key, row in found.items() if row["sign"] != "right"]
    required = [row for row in found.values() if row["required"]]
    assert {row["type"] for row in required} == {"A", "PTR", "MX", "TXT", "CNAME", "25"}
    assert {row["sign"] for row in required} <= {"right", "advice"}, required
    assert found["25 to example.net"]["says"] == "world.example.net greets it"
    assert found["MX example.test"]["found"] == ["10 mx1.example.test"]
    assert "the key that signs" in found["TXT mailroom._domainkey.example.test"]["says"]
    shown = postmaster("dns").stdout
    assert "✓ MX    example.test  10 mx1.example.test" in shown and "✖" not in shown, shown


def test_a_key_that_is_not_published_is_seen(mailserver: Host) -> None:
    code, found = rows()
    assert code == 1 and [row["type"] for row in found.values() if row["sign"] == "wrong"] == ["TXT"], found
    assert "mailroom._domainkey.example.test. TXT" in found["TXT mailroom._domainkey.example.test"]["remedy"]


def test_a_closed_port_25_is_seen(mailserver: Host, world: Host) -> None:
    world.run("systemctl stop postfix")
    try:
        code, found = rows()
    finally:
        world.run("systemctl start postfix")
    assert code == 1 and found["25 to example.net"]["sign"] == "wrong", found
    assert "provider" in found["25 to example.net"]["remedy"]


@pytest.fixture
def knot(mailserver: Host, world_client: Host) -> Iterator[Publish]:
    """knot(text): the zone example.test on the client, signed, with this text in it; its parent and the reverse one."""
    packages(world_client, "knot")
    me = world_client.address
    pointers = [dns.reversename.from_address(one) for one in (mailserver.address, mailserver.address6) if one]
    world_client.run("cat > /etc/knot/knot.conf", stdin=KNOT.format(address=me))
    world_client.run(
        "cat > /var/lib/knot/arpa", stdin=HEAD + "".join(f"{one} 60 PTR {mailserver.fqdn}.\n" for one in pointers)
    )
    world_client.run("echo | cat > /var/lib/knot/test; chown knot: /var/lib/knot/*")

    def publish(text: str) -> None:
        world_client.run("cat > /var/lib/knot/example.test", stdin=f"{HEAD}ns1.example.test. 60 A {me}\n{text}\n")
        world_client.run("systemctl restart knot && knotc -b zone-reload example.test")
        ds = world_client.run("keymgr example.test. ds | sed 's/^example.test. DS/example.test. 60 DS/'").stdout
        glue = f"example.test. 60 NS ns1.example.test.\nns1.example.test. 60 A {me}\n"
        world_client.run("cat > /var/lib/knot/test; knotc -b zone-reload test", stdin=f"{HEAD}{glue}{ds}")

    yield publish
    world_client.run("systemctl stop knot; rm -rf /var/lib/knot/*")


@ON_ONE_WITH_WORLD
def test_what_is_printed_is_what_is_asked_for(mailserver: Host, world_client: Host, knot: Publish) -> None:
    text = postmaster("dns", "print").stdout
    key = next(line.removeprefix("; ") for line in text.splitlines() if " TLSA " in line)
    knot(f"{text}\n{key}")
    asked = ("--resolver", world_client.address, "--receiver", "example.test")
    code, found = rows(*asked)
    assert code == 0 and {row["sign"] for row in found.values()} <= {"right", "unneeded"}, found
    six = [] if mailserver.address6 else ["AAAA mx1.example.test"]
    assert [key for key, row in found.items() if row["sign"] == "unneeded"] == six
    assert found["TLSA _25._tcp.mx1.example.test"]["says"] == "the key of the host's certificate"

    knot(text.replace("example.test. 3600 IN MX 10 mx1.example.test.", "") + "\n" + f"{key[:-4]}0000")
    code, found = rows(*asked)
    assert code == 1
    assert found["MX example.test"]["sign"] == found["TLSA _25._tcp.mx1.example.test"]["sign"] == "wrong", found
    assert "delivers nothing" in found["TLSA _25._tcp.mx1.example.test"]["says"]

    world_client.run("systemctl stop knot")
    done = postmaster("dns", "check", *asked)
    assert done.returncode == 2 and "Nobody could be asked" in done.stderr and "Traceback" not in done.stderr


@ON_ONE_WITH_WORLD
def test_a_name_alone_is_enough(target: Target, mailserver: Host, world_client: Host, knot: Publish) -> None:
    knot(postmaster("dns", "print").stdout)
    names = ask.Authorities(ask.over(target.vantage), world_client.address)
    found = [need.judged(names) for need in records.needs(Facts(mailserver.fqdn, ("example.test",)))]
    assert {row["sign"] for row in found} == {"right", "unneeded"}, found
