"""The world: one host that plays the Internet, with the DNS, another mail domain, clients and a clock.

Its image is made by `world/setup`. Two of the mounted files hold what depends on the lab's addresses, so that hosts
which are added later are known too: zones.conf is what unbound answers, clients the addresses that the world itself has.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from lab import names

FOLDER = Path(__file__).resolve().parent / "world"
BASE = "trixie"
PACKAGES = ["bind9-dnsutils", "chrony", "opendkim", "openssl", "postfix", "postfix-pcre", "swaks", "unbound"]
PACKAGES += ["libauthen-sasl-perl", "libnet-dns-perl", "libnet-ssleay-perl"]  # what swaks needs for all it can
ROLE = names.WORLD

# Ordinary households: names that no filter mistakes for dial-up addresses.
HOMES = (
    "ash",
    "beech",
    "cedar",
    "elm",
    "fir",
    "hazel",
    "larch",
    "maple",
    "oak",
    "pine",
    "rowan",
    "spruce",
    "willow",
    "yew",
)
HOMES_DOMAIN = f"homes.{names.ELSEWHERE}"
# Mail to these ends in the sink: RFC 2606 reserved them, so they belong to no one.
SINKS = ("example.org", "example.com")
SINK_TOP = "example"  # and every name below this one
TTL = 60


def clients(subnet: str) -> dict[str, str]:
    """The client network, a /28 of the lab's: names and addresses, all of them on the world host."""
    first = IPv4Address(int(IPv4Network(subnet).network_address) + names.CLIENTS)
    every = IPv4Network(f"{first}/28").hosts()
    return {f"{home}.{HOMES_DOMAIN}": str(address) for home, address in zip(HOMES, every, strict=True)}


def find(hosts: dict[str, Any]) -> dict[str, Any] | None:
    return next((host for host in hosts.values() if host["role"] == ROLE), None)


def zones(subnet: str, hosts: dict[str, Any]) -> list[str]:
    """What the world's DNS says, as lines for unbound: these names, and no others.

    https://unbound.docs.nlnetlabs.nl/en/latest/manpages/unbound.conf.html (local-zone, local-data)
    """
    world = find(hosts)
    if not world:
        return []
    me = world["fqdn"]
    # Without the first, unbound would ask the root servers. Its SOA goes with every "no such name".
    lines = ["server:", zone("."), data(".", f"SOA {me}. postmaster.{names.ELSEWHERE}. 1 3600 600 86400 1")]
    lines += [data(".", f"NS {me}.")]
    gateway = f"gateway.{names.ELSEWHERE}"
    for name, address in {gateway: str(IPv4Network(subnet)[1]), **clients(subnet)}.items():
        lines += both_ways(name, address)
    for host in hosts.values():
        # a greeting by this name may come from this address (RFC 7208, 2.3)
        lines += [*both_ways(host["fqdn"], host["address"]), text(host["fqdn"], "v=spf1 a -all")]
    lines += mail_domain(names.ELSEWHERE, world, "reject")
    if receiver := receiving(hosts):
        lines += mail_domain(names.DOMAIN, receiver, "quarantine")
        lines += [data(f"mail.{names.DOMAIN}", f"A {receiver['address']}")]
    for domain in SINKS:
        lines += [data(domain, f"MX 10 {me}."), text(domain, "v=spf1 mx -all")]
    return [*lines, zone(SINK_TOP, "redirect"), data(SINK_TOP, f"MX 10 {me}.")]


def receiving(hosts: dict[str, Any]) -> dict[str, Any] | None:
    """The host that the factory's mail goes to: mx1, or where there is none, the first mail host."""
    return hosts.get("mx1") or next((host for host in hosts.values() if host["role"] == "mail"), None)


def mail_domain(domain: str, host: dict[str, Any], policy: str) -> list[str]:
    """A domain whose mail goes to this host and comes from it, and what to do with what comes from elsewhere."""
    return [
        data(domain, f"A {host['address']}"),
        data(domain, f"NS {host['fqdn']}."),
        data(domain, f"MX 10 {host['fqdn']}."),
        text(domain, "v=spf1 mx -all"),
        text(f"_dmarc.{domain}", f"v=DMARC1; p={policy}"),
    ]


def both_ways(name: str, address: str) -> list[str]:
    return [data(name, f"A {address}"), data(IPv4Address(address).reverse_pointer, f"PTR {name}.")]


def zone(name: str, kind: str = "static") -> str:
    return f'local-zone: "{name}" {kind}'


def text(name: str, value: str) -> str:
    return data(name, f'TXT "{value}"')


def data(name: str, record: str) -> str:
    return f"local-data: '{name.rstrip('.')}. {TTL} IN {record}'"
