"""Names, addresses and ports, derived from where the lab's files are, so that two checkouts never meet."""

import hashlib
import os
import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITES = ("trixie", "bookworm")
DEFAULT_SUITE = "trixie"
STAND_INS = ("el9", "el9-yum")  # a Debian below, AlmaLinux 9 above: see lab/standin.py
CHOICES = (*SUITES, *STAND_INS)
WORLD = "world"  # the host that plays the Internet, and its system: see lab/world.py
DEFAULT_HOSTS = ("mx1", "client")
DOMAIN = "example.test"  # the factory's own domain
ELSEWHERE = "example.net"  # where strangers live: the same lab network, another domain
CLASS = "class.json"  # in the folder of a lab that is a class: who is in it (classroom/folder.py)
PLACE = "place"  # an empty file in the folder of one learner of a class: see lab/places.py
MAIL_PORTS = (25, 143, 465, 587, 993, 4190)
HUB = "hub"  # the host on which a class works in the browser, and its role (classroom/hub)
HTTPS = 443

CLIENTS = 224  # a /28 of the lab's network from here on: people in the world
OF_WORLD = 254  # the world's own address

# RFC 2544 set this range aside for test networks: no Internet route covers it.
TEST_RANGE = IPv4Network("198.18.0.0/15")
# Below the kernel's ephemeral ports, so that no outgoing connection sits on one of ours by chance.
PORTS = range(20000, 30000)


def directory() -> Path:
    """The lab's own files: .lab in the checkout, or MAILROOM_LAB_DIR for a second lab beside it."""
    return (ROOT / (os.environ.get("MAILROOM_LAB_DIR") or ".lab")).resolve()


def home() -> Path:
    """The folder of the whole lab. For the place of one learner, that is the class's; for any other lab, its own."""
    here = directory()
    return here.parent.parent if (here / PLACE).exists() else here


# What the world's DNS can be given: a name, with labels like _domainkey, and a text that needs no quoting there.
RECORD = re.compile(r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]+")
TEXT = re.compile(r"[ !#-&(-\[\]-~]{0,4000}")


def cache() -> Path:
    """The cache that labs and checkouts share: root file systems and Debian packages."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mailroom"


def fingerprint() -> int:
    return int(hashlib.sha256(str(home()).encode()).hexdigest()[:8], 16)


def prefix() -> str:
    """The beginning of all names that the engine has for this lab."""
    return f"mailroom-{fingerprint():08x}"


def subnets() -> list[IPv4Network]:
    """Every candidate network, the checkout's own first."""
    every = list(TEST_RANGE.subnets(new_prefix=24))
    start = fingerprint() % len(every)
    return every[start:] + every[:start]


def six(address: str) -> str:
    """The IPv6 address beside an IPv4 one of a lab, with the same digits: 198.18.3.10 has 2001:db8:18:3::10.

    RFC 3849 set 2001:db8::/32 aside for documentation: no Internet route covers it.
    """
    _, second, third, last = str(IPv4Address(address)).split(".")
    return str(IPv6Address(f"2001:db8:{second}:{third}::{last}"))  # as everybody writes it: a group of 0 is left out


def subnet_six(subnet: IPv4Network) -> IPv6Network:
    """The IPv6 network beside an IPv4 one."""
    return IPv6Network(f"{six(str(subnet[0]))}/64")


def ports() -> list[int]:
    """Every candidate port for 127.0.0.1, the checkout's own hundred first."""
    start = fingerprint() % (len(PORTS) // 100) * 100
    return list(PORTS[start:]) + list(PORTS[:start])


def valid(name: str) -> bool:
    return bool(re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name))


def role(name: str) -> str:
    """ "mail", "client" or "world"."""
    if name == WORLD:
        return WORLD
    return "mail" if re.fullmatch(r"mx\d*", name) else "client"


def fqdn(name: str, role: str, domain: str = "") -> str:
    """A host's name in the DNS. `domain` is its own one, where it does not share the factory's."""
    return f"mx.{domain}" if domain else f"{name}.{DOMAIN if role == 'mail' else ELSEWHERE}"


def octet(name: str, taken: set[int]) -> int:
    """mx1 is always .10, mx2 .11 and so on; the others follow from .100; the world is .254, below it are its clients."""
    if name == WORLD and OF_WORLD not in taken:
        return OF_WORLD
    number = re.fullmatch(r"mx([1-9]|[1-8]\d)", name)
    if number and 9 + int(number[1]) not in taken:
        return 9 + int(number[1])
    return next(n for n in range(100, CLIENTS) if n not in taken)


def mac(address: str) -> str:
    """A host's network card follows from its address: made anew, it is not taken for another.

    With a card of a new number, this machine goes on talking to the old one for half a minute.
    """
    return "02:42:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def slug(title: str) -> str:
    """A snapshot's title as an image tag: "chapter 4, TLS" becomes chapter-4-tls."""
    return re.sub(r"[^a-z0-9_.]+", "-", title.lower()).strip("-.")[:100]
