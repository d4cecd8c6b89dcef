"""The world plays the Internet for the other hosts: names, mail, strangers' addresses and a clock; nothing behind it."""

from __future__ import annotations

import base64
import re
import time

import pytest

from lab import Host, names
from lab.cli import main
from tests.lab.test_guest import OUTSIDE

INSTALL_DIG = (
    "command -v dig || { apt-get update -q && apt-get install -q --yes --no-install-recommends bind9-dnsutils; }"
)


@pytest.fixture
def asking(world_client: Host) -> Host:
    """A host of the lab that has dig, and asks whom its resolv.conf names."""
    world_client.run(INSTALL_DIG)
    return world_client


def dig(host: Host, *words: str) -> list[str]:
    return host.run(["dig", "+short", *words]).stdout.splitlines()


def status(host: Host, *words: str) -> str:
    found = re.search(r"status: (\w+)", host.run(["dig", *words]).stdout)
    assert found
    return found[1]


def until(host: Host, command: str, wanted: str) -> str:
    """What the command says once that is in it; mail takes a moment."""
    deadline = time.monotonic() + 20
    while wanted not in (said := host.run(command, check=False).stdout) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert wanted in said
    return said


@pytest.mark.parametrize("over", ["+notcp", "+tcp"])
def test_names_and_addresses_both_ways(asking: Host, world_mx: Host, world: Host, over: str) -> None:
    for host in (asking, world_mx, world):
        both_ways(asking, over, host.fqdn, host.address, host.address6)
    assert len(world.record["clients"]) == 14
    for name, address in world.record["clients"].items():
        both_ways(asking, over, name, address, names.six(address) if world.address6 else "")


def both_ways(asking: Host, over: str, name: str, four: str, six: str) -> None:
    assert (dig(asking, over, name), dig(asking, over, "-x", four)) == ([four], [f"{name}."])
    assert dig(asking, over, "AAAA", name) == ([six] if six else [])
    assert not six or dig(asking, over, "-x", six) == [f"{name}."]


def test_where_mail_goes_and_comes_from(asking: Host, world_mx: Host, world: Host) -> None:
    assert dig(asking, "MX", "example.test") == ["10 mx1.example.test."]
    for domain in ("example.net", "example.org", "example.com", "anything.at.all.example"):
        assert dig(asking, "MX", domain) == ["10 world.example.net."]
    assert dig(asking, "mail.example.test") == dig(asking, "example.test") == [world_mx.address]
    assert dig(asking, "TXT", "example.net") == dig(asking, "TXT", "example.test") == ['"v=spf1 mx -all"']
    assert dig(asking, "TXT", "_dmarc.example.net") == ['"v=DMARC1; p=reject"']
    assert status(asking, "MX", "example.nets") == "NXDOMAIN"


def test_the_key_in_the_dns_is_the_one_that_signs(asking: Host, world: Host) -> None:
    (record,) = dig(asking, "TXT", "world._domainkey.example.net")
    assert all(len(part) <= 255 for part in re.findall(r'"([^"]*)"', record))
    told = "".join(re.findall(r'"([^"]*)"', record))
    key = world.run("openssl rsa -in /etc/dkimkeys/world.private -pubout -outform DER | base64 -w0").stdout
    assert told == f"v=DKIM1; k=rsa; p={key}" and len(base64.b64decode(key)) > 256
    assert world.run("stat -c %U:%a /etc/dkimkeys/world.private").stdout == "opendkim:600\n"


def test_a_text_is_published_and_taken_back(asking: Host, world: Host) -> None:
    name = "key._domainkey.example.test"
    try:
        for letter in "ABCDEFG":  # more often than systemd likes
            text = f"v=DKIM1; p={400 * letter}"
            assert main(["publish", f"{name.title()}.", text]) == 0
            (record,) = dig(asking, "TXT", name)
            assert "".join(re.findall(r'"([^"]*)"', record)) == text
        assert dig(asking, "MX", "example.test") == ["10 mx1.example.test."]
    finally:
        assert main(["publish", name]) == 0
    assert dig(asking, "TXT", name) == []


@pytest.mark.parametrize(
    "name",
    [
        "2.0.0.127.zen.spamhaus.org",
        "2.0.0.127.list.dnswl.org",
        "debian.org",
        "nobody.example.test",
        "nobody.example.net",
    ],
)
def test_no_other_name_exists(asking: Host, name: str) -> None:
    for kind in ("A", "TXT", "MX"):
        assert status(asking, kind, name) == "NXDOMAIN"


def test_a_name_that_exists_has_only_what_it_has(asking: Host) -> None:
    """No data is no error: a program that asks for IPv6 first goes on to IPv4."""
    assert (status(asking, "AAAA", "example.org"), dig(asking, "AAAA", "example.org")) == ("NOERROR", [])


def test_every_host_asks_the_world(world_mx: Host, world_client: Host, world: Host) -> None:
    for host in (world_mx, world_client, world):
        assert host.run("grep ^nameserver /etc/resolv.conf").stdout == f"nameserver {world.address}\n"
        assert host.run("getent hosts oak.homes.example.net").stdout.split()[1] == "oak.homes.example.net"


def test_mail_to_people_and_into_the_sink(world: Host) -> None:
    subject = f"letter {time.monotonic_ns()}"
    for to in ("alice@example.net", "someone@example.org", "anyone@far.away.example"):
        world.run(
            ["sendmail", "-f", "carol@example.net", to],
            stdin=f"From: carol@example.net\nSubject: {subject}\n\nHello.\n",
        )
    alice = until(world, "cat /var/mail/example.net/alice/new/*", subject)
    assert "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=example.net; s=world;" in alice
    for to in ("someone@example.org", "anyone@far.away.example"):
        until(world, f"cat $(grep -l '{subject}' /var/mail/sink/new/*)", f"X-Original-To: {to}")
    assert world.run("postqueue -p").stdout == "Mail queue is empty\n"


def test_only_example_nets_people_are_signed_for_and_known(world: Host) -> None:
    subject = f"forged {time.monotonic_ns()}"
    letter = f"From: eve@example.org\nSubject: {subject}\n\nHello.\n"
    world.run(["sendmail", "-f", "eve@example.org", "alice@example.net"], stdin=letter)
    found = until(world, f"cat $(grep -l '{subject}' /var/mail/example.net/alice/new/*)", subject)
    assert "DKIM-Signature" not in found
    to_nobody = world.run("swaks --server localhost --from eve@example.org --to nobody@example.net", check=False)
    assert to_nobody.returncode and " 550 5.1.1 " in to_nobody.stdout


def test_a_stranger_at_home_is_seen_as_such(world: Host) -> None:
    """Over SMTP from an address of the client network, whose name a mail host finds out by itself."""
    address = world.record["clients"]["ash.homes.example.net"]
    subject = f"home {time.monotonic_ns()}"
    world.run(
        f"swaks --server {world.address} --local-interface {address} --helo ash.homes.example.net"
        f" --from eve@example.org --to alice@example.net --header 'Subject: {subject}'"
    )
    found = until(world, f"cat $(grep -l '{subject}' /var/mail/example.net/alice/new/*)", subject)
    assert f"from ash.homes.example.net (ash.homes.example.net [{address}])" in found
    relayed = f"swaks --server {world.address} --local-interface {address} --from eve@example.org --to foo@example.test"
    refused = world.run(relayed, check=False)
    assert refused.returncode and "Relay access denied" in refused.stdout


def test_the_world_tells_the_time(world_client: Host, world: Host) -> None:
    """One packet as a client sends it (RFC 5905: version 4, mode 3), and the answer's first bytes: mode 4, stratum 3."""
    packet = base64.b64encode(b"\x23" + bytes(47)).decode()
    asked = f"exec 3<>/dev/udp/{world.fqdn}/123; base64 -d <<< {packet} >&3; timeout 5 head -c 48 <&3 | base64 -w0"
    answer = base64.b64decode(world_client.run(["bash", "-c", asked]).stdout)
    assert (len(answer), answer[0] & 0b111, answer[1]) == (48, 4, 3)
    seconds = int.from_bytes(answer[40:44], "big") - 2_208_988_800  # from 1900 to 1970
    assert abs(seconds - time.time()) < 5


def test_nothing_is_behind_it(world: Host) -> None:
    refused = world.run(["ip", "route", "get", OUTSIDE], check=False)
    assert "unreachable" in refused.stdout + refused.stderr or "No route" in refused.stderr
    assert "No route to host" in world.run(f"timeout 5 bash -c 'echo > /dev/tcp/{OUTSIDE}/53'", check=False).stderr
    beyond = world.run("ip -4 route").stdout.splitlines()
    assert [line for line in beyond if line.startswith("default")] == []
    # nobody else is asked: every answer was local data, none was looked for in a cache or beyond
    assert status(world, "A", "www.debian.org") == "NXDOMAIN"
    counted = world.run(
        "unbound-control stats_noreset | grep -E '^total.num.(queries|cachemiss|recursivereplies)='"
    ).stdout
    numbers = dict(line.split("=") for line in counted.splitlines())
    assert numbers.pop("total.num.queries") != "0" and set(numbers.values()) == {"0"}, counted
    assert dig(world, "NS", ".") == ["world.example.net."]
    assert world.run("chronyc -c -n sources").stdout == ""


def test_boots_clean(world: Host) -> None:
    assert world.run("systemctl is-system-running").stdout == "running\n"
    assert world.run("journalctl --boot --priority err --no-pager --quiet").stdout == ""
