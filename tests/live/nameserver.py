"""A nameserver of somebody's own on the world, with the zone of the mail domain; it takes changes of a few names, with a key (RFC 2136).

On one release's world it is knot, on the other's bind: what docs/your-own-server.md says of their configuration is tried here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab import Host
from tests.live.support import packages

DOMAIN, PORT, KEY = "example.test", 5300, "mailroom"
NAMES = [f"{name}.{DOMAIN}" for name in ("mx1", "mta-sts", "autoconfig", "autodiscover")]  # of the lab's certificate
UNBOUND = "/etc/unbound/unbound.conf.d/challenges.conf"
ZONE = f"$ORIGIN {DOMAIN}.\n@ 1 SOA ns hostmaster 1 3600 600 86400 1\n@ 1 NS ns\nns 1 A 198.18.0.1\n"
FOLDERS = {"knot": "/var/lib/knot", "bind9": "/var/lib/bind"}
UNITS = {"knot": "knot", "bind9": "named"}


def knot(secret: str) -> tuple[str, str]:
    allowed = ", ".join(f"_acme-challenge.{name}." for name in NAMES)
    return (
        "/etc/knot/knot.conf",
        f"""server:
    listen: 0.0.0.0@{PORT}
key:
  - id: {KEY}
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: {KEY}
    key: {KEY}
    action: update
    update-type: TXT
    update-owner: name
    update-owner-match: equal
    update-owner-name: [{allowed}]
zone:
  - domain: {DOMAIN}
    file: /var/lib/knot/{DOMAIN}.zone
    acl: {KEY}
""",
    )


def bind9(secret: str) -> tuple[str, str]:
    allowed = "\n".join(f"        grant {KEY} name _acme-challenge.{name}. TXT;" for name in NAMES)
    return (
        "/etc/bind/named.conf",
        f"""options {{ directory "/var/cache/bind"; listen-on port {PORT} {{ any; }}; listen-on-v6 {{ none; }}; recursion no; }};
key "{KEY}" {{
    algorithm hmac-sha256;
    secret "{secret}";
}};
zone "{DOMAIN}" {{
    type primary;
    file "/var/lib/bind/{DOMAIN}.zone";
    update-policy {{
{allowed}
    }};
}};
""",
    )


@contextmanager
def serving(world: Host, which: str, secret: str) -> Iterator[str]:
    """It runs, and the world's resolver asks it for the answers to an authority. What it is asked by, ADDRESS:PORT."""
    unit, zone = UNITS[which], f"{FOLDERS[which]}/{DOMAIN}.zone"
    world.run(f"systemctl mask {unit}")  # or its package would start it, on the resolver's own port
    packages(world, which)
    world.run(f"systemctl unmask {unit}")
    path, text = {"knot": knot, "bind9": bind9}[which](secret)
    lines = ["server:", "do-not-query-localhost: no"]
    lines += [f'local-zone: "_acme-challenge.{name}" transparent' for name in NAMES]
    for name in NAMES:
        stub = (f'name: "_acme-challenge.{name}"', f"stub-addr: 127.0.0.1@{PORT}", "stub-no-cache: yes")
        lines += ["stub-zone:", *stub]
    world.run(f"systemctl stop {unit}; cp {path} /root/nameserver.kept; rm -f {zone}*; cat >{zone}", stdin=ZONE)
    world.run(f"cat >{path}; chmod 644 {path} {zone}; chown --reference={FOLDERS[which]} {zone}", stdin=text)
    try:
        world.run(f"systemctl restart {unit}")
        resolver(world, "\n".join(lines))
        yield f"{world.record['address']}:{PORT}"
    finally:
        world.run(f"systemctl stop {unit}; mv /root/nameserver.kept {path}; rm -f {zone}*", check=False)
        resolver(world, "")


def resolver(world: Host, text: str) -> None:
    world.run(f"cat >{UNBOUND}; systemctl reset-failed unbound; systemctl restart unbound", stdin=f"{text}\n")
