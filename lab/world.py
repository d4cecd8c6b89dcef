"""The world: one host that plays the Internet, with the DNS, another mail domain, clients and a clock.

Its image is made by `world/setup`. Two of the mounted files hold what depends on the lab's addresses, so that hosts
which are added later are known too: zones.conf is what unbound answers, clients the addresses that the world itself has.
"""

from ipaddress import IPv4Address, IPv4Network, ip_address
from pathlib import Path
from typing import Any

from lab import names

FOLDER = Path(__file__).resolve().parent / "world"
BASE = "trixie"
PACKAGES = ["bind9-dnsutils", "chrony", "opendkim", "openssl", "postfix", "postfix-pcre", "swaks", "unbound"]
PACKAGES += ["libsasl2-modules", "sasl2-bin"]  # what a provider's relay lets its customers in with
PACKAGES += ["libauthen-sasl-perl", "libnet-dns-perl", "libnet-ssleay-perl"]  # what swaks needs for all it can
# what judges a letter that has arrived, and opendkim's own word beside it
PACKAGES += ["opendkim-tools", "python3-authheaders", "python3-dkim", "python3-dnspython", "python3-milter"]
PACKAGES += ["python3-spf", "pebble"]  # pebble is the certificate authority
PACKAGES += ["python3-cryptography"]  # what python3-dnspython signs zones with
ROLE = names.WORLD
PUBLIC = (
    "/etc/mailroom-authority/public.pem"  # on the world: an authority that mail hosts trust as they trust any other
)
AUTHORITY = "/etc/mailroom-authority/authority.pem"  # on the world: who signed the certificate of pebble's own port
ANCHORS = "/etc/mailroom-signed/anchors.conf"  # on the world: the keys of its signed zones, which no root vouches for
# The ends of all names here, the reserved ones among them. Their root is not signed, and who verifies has to be told so.
UNSIGNED = ("arpa", "com", "example", "invalid", "net", "org", "test")

# Ordinary households: names that no filter mistakes for dial-up addresses.
_HOMES = "ash beech cedar elm fir hazel larch maple oak pine rowan spruce willow yew"
HOMES = tuple(_HOMES.split())
HOMES_DOMAIN = f"homes.{names.ELSEWHERE}"
# Mail to these ends in the sink: RFC 2606 reserved them, so they belong to no one.
SINKS = ("example.org", "example.com")
# These promise TLS with a certificate that holds (MTA-STS), as /usr/local/sbin/mailroom-policies on the world says. Theirs does, that
# of the second is another server's, and the third, with none at all, only tries.
PROMISING = ("sts.example", "sts-broken.example", "sts-testing.example")
SINK_TOP = "example"  # and every name below this one
# The pointers of the documentation's addresses: unbound has that zone as nobody's, led by localhost (RFC 6303).
POINTERS6 = "8.b.d.0.1.0.0.2.ip6.arpa"
# Names in the factory's domain that lead to its mail host: clients, and other servers, ask there what they want to know.
RECEIVERS_NAMES = ("mail", "mta-sts", "autoconfig", "autodiscover")
TTL = 60


def clients(subnet: str) -> dict[str, str]:
    """The client network, a /28 of the lab's: names and addresses, all of them on the world host."""
    first = IPv4Address(int(IPv4Network(subnet).network_address) + names.CLIENTS)
    every = IPv4Network(f"{first}/28").hosts()
    return {f"{home}.{HOMES_DOMAIN}": str(address) for home, address in zip(HOMES, every, strict=True)}


def homes(world: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and address of each of them, over IPv4 and, where the lab has it, over IPv6."""
    every = list(world.get("clients", {}).items())
    return every + [(name, names.six(address)) for name, address in every if world.get("address6")]


def find(hosts: dict[str, Any]) -> dict[str, Any] | None:
    return next((host for host in hosts.values() if host["role"] == ROLE), None)


def zones(subnet: str, hosts: dict[str, Any], published: dict[str, str]) -> list[str]:
    """What the world's DNS says, as lines for unbound: these names, the texts that were published, and no others.

    https://unbound.docs.nlnetlabs.nl/en/latest/manpages/unbound.conf.html (local-zone, local-data)
    """
    world = find(hosts)
    if not world:
        return []
    me = world["fqdn"]
    # Without the first, unbound would ask the root servers. Its SOA goes with every "no such name".
    lines = ["server:", *begins(".", me)]
    if world.get("address6"):
        lines += begins(POINTERS6, me)
    gateway = f"gateway.{names.ELSEWHERE}"
    first = str(IPv4Network(subnet)[1])
    ways = [(gateway, first), *([(gateway, names.six(first))] if world.get("address6") else [])]
    for name, address in [*ways, *homes(world)]:
        lines += both_ways(name, address)
    for host in hosts.values():
        # a greeting by this name may come from this address (RFC 7208, 2.3)
        lines += [line for address in addresses_of(host) for line in both_ways(host["fqdn"], address)]
        lines += [text(host["fqdn"], "v=spf1 a -all")]
    lines += mail_domain(names.ELSEWHERE, world, "reject", me)
    if receiver := receiving(hosts):
        lines += mail_domain(names.DOMAIN, receiver, "quarantine", me)
        lines += by_other_names(names.DOMAIN, receiver)
    for host in hosts.values():
        if own := host.get("domain"):
            lines += mail_domain(own, host, "quarantine", me) + by_other_names(own, host)
    lines += [text(name, value) for name, value in published.items()]
    lines += promising(world, me)
    for domain in SINKS:
        lines += [data(domain, f"MX 10 {me}."), text(domain, "v=spf1 mx -all")]
    return [*lines, zone(SINK_TOP, "redirect"), data(SINK_TOP, f"MX 10 {me}.")]


def promising(world: dict[str, Any], me: str) -> list[str]:
    """The domains that promise TLS: where their mail goes, and where mailroom-policies serves what they promise.

    https://www.rfc-editor.org/rfc/rfc8461#section-3
    """
    lines = []
    for domain in PROMISING:
        lines += [*begins(domain, me), data(domain, f"MX 10 mx.{domain}."), text(domain, "v=spf1 mx -all")]
        lines += [text(f"_mta-sts.{domain}", "v=STSv1; id=1")]
        lines += [leads(f"{name}.{domain}", address) for name in ("mx", "mta-sts") for address in addresses_of(world)]
    return lines


def believed(there: dict[str, Any], anchors: str) -> list[str]:
    """What a resolver of a host has to know, so that it asks the world and verifies what the world has signed: lines for unbound."""
    lines = ["server:", *(f'domain-insecure: "{top}"' for top in UNSIGNED)]
    lines += [zone(name, "nodefault") for name in ("test", POINTERS6)]  # nobody's by default, and led by localhost
    lines += anchors.splitlines()
    return [*lines, "forward-zone:", 'name: "."', f"forward-addr: {there['address']}"]


def receiving(hosts: dict[str, Any]) -> dict[str, Any] | None:
    """The host that the factory's mail goes to: mx1, or where there is none, the first mail host without a domain of its own."""
    shared = (host for host in hosts.values() if host["role"] == "mail" and not host.get("domain"))
    return hosts.get("mx1") or next(shared, None)


def mail_domain(domain: str, host: dict[str, Any], policy: str, me: str) -> list[str]:
    """A domain whose mail goes to this host and comes from it, and what to do with what comes from elsewhere.

    It is a zone of its own: unbound would have it in "test", which it knows as nobody's, and led by localhost.
    """
    return [
        *begins(domain, me),
        *(leads(domain, address) for address in addresses_of(host)),
        data(domain, f"MX 10 {host['fqdn']}."),
        text(domain, "v=spf1 mx -all"),
        text(f"_dmarc.{domain}", f"v=DMARC1; p={policy}"),
    ]


def by_other_names(domain: str, host: dict[str, Any]) -> list[str]:
    return [leads(f"{name}.{domain}", address) for name in RECEIVERS_NAMES for address in addresses_of(host)]


def begins(name: str, me: str) -> list[str]:
    """A zone that the world is responsible for."""
    return [
        zone(name),
        data(name, f"SOA {me}. postmaster.{names.ELSEWHERE}. 1 3600 600 86400 1"),
        data(name, f"NS {me}."),
    ]


def both_ways(name: str, address: str) -> list[str]:
    return [leads(name, address), data(ip_address(address).reverse_pointer, f"PTR {name}.")]


def leads(name: str, address: str) -> str:
    return data(name, f"{'A' if ip_address(address).version == 4 else 'AAAA'} {address}")


def addresses_of(host: dict[str, Any]) -> list[str]:
    """A host's address, and its IPv6 address where the lab has IPv6."""
    return [one for one in (host["address"], host.get("address6")) if one]


def zone(name: str, kind: str = "static") -> str:
    return f'local-zone: "{name}" {kind}'


def text(name: str, value: str) -> str:
    """A string of the DNS has 255 characters at most; a longer text is several."""
    parts = [value[start : start + 255] for start in range(0, len(value), 255)]
    return data(name, " ".join(["TXT", *(f'"{part}"' for part in parts)]))


def data(name: str, record: str) -> str:
    return f"local-data: '{name.rstrip('.')}. {TTL} IN {record}'"
