"""python -m postmaster dns: what to write down, and whether it is there."""

import argparse
import ipaddress
import json
from dataclasses import replace
from typing import Any

from checks.engine.inventory import Server
from checks.engine.target import Target, domain_of
from checks.engine.vantage import Direct
from checks.engine.verdicts import CannotStart
from postmaster.zone import ask, host, port25, promise, records, told
from postmaster.zone.host import Facts
from postmaster.zone.need import LATER

RECEIVER = "gmail.com"


def arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("action", nargs="?", choices=("print", "check"), default="check")
    one.add_argument("--hostname", default="", metavar="NAME", help="a server by its name alone: no inventory, no SSH")
    one.add_argument("--domain", action="append", default=[], metavar="NAME", help="its mail domain, again for more")
    one.add_argument(
        "--address",
        action="append",
        default=[],
        metavar="IP",
        help="what others see it by, where the host does not know (NAT)",
    )
    one.add_argument("--resolver", default="", metavar="IP", help="whom to ask which servers are responsible")
    one.add_argument("--receiver", default="", metavar="DOMAIN", help=f"at whose port 25 to knock ({RECEIVER})")
    one.add_argument("--table", action="store_true", help="print: as a provider's form asks for it, not as a zone file")


def alone(options: argparse.Namespace) -> bool:
    """Whether only a name was given: then no host is asked."""
    return bool(options.hostname)


def by_name(options: argparse.Namespace) -> Target:
    name = options.hostname.rstrip(".").lower()
    domains = tuple(one.rstrip(".").lower() for one in options.domain) or (domain_of(name),)
    if not domains[0] or "." not in name:
        raise CannotStart(f"{options.hostname} is no whole name, like mail.example.org.")
    return Target(hostname=name, address=name, domain=domains[0], domains=domains)


def command(target: Target, options: argparse.Namespace, server: Server | None = None) -> int:
    """0 where all that is required is right, 1 where something is not, 2 where nobody could be asked."""
    for one in (*options.address, *([options.resolver] if options.resolver else [])):
        try:
            ipaddress.ip_address(one)
        except ValueError:
            raise CannotStart(f"{one} is no IP address.") from None
    facts = facts_of(target, options)
    if options.action == "print":
        return printed(facts, options)
    names = ask.Authorities(ask.over(target.vantage if server and server.lab else Direct()), resolver(options, server))
    rows = [need.judged(names) for need in records.needs(facts)]
    if len(causes := {row["says"] for row in rows}) == 1 and rows[0]["sign"] == "unknown":
        raise CannotStart(f"Nobody could be asked: {causes.pop()}. {LATER}.")
    if facts.known:
        receiver = options.receiver or (elsewhere(server) if server and server.lab else RECEIVER)
        rows += promise.rows(target, facts, names)
        rows += [port25.row(target, facts, names, receiver)]
    if options.json:
        print(as_json(facts, rows))
    else:
        told.verdicts(facts, rows, told.console())
    return code(rows)


def code(rows: list[dict[str, Any]]) -> int:
    required = {row["sign"] for row in rows if row["required"]}
    return 1 if "wrong" in required else 2 if "unknown" in required else 0


def printed(facts: Facts, options: argparse.Namespace) -> int:
    rows = [need.row() for need in records.needs(facts) if need.want]
    if options.json:
        print(as_json(facts, rows))
    elif options.table:
        told.table(rows, told.console())
    else:
        print(records.bind(facts))
    return 0


def as_json(facts: Facts, rows: list[dict[str, Any]]) -> str:
    found = {"host": facts.name, "domains": list(facts.domains), "records": rows}
    return json.dumps(found, indent=2, ensure_ascii=False)


def facts_of(target: Target, options: argparse.Namespace) -> Facts:
    if alone(options):
        return Facts(target.hostname, target.domains, tuple(options.address))
    found = host.facts(target, tuple(options.address))
    if options.domain:
        found = replace(found, domains=tuple(options.domain))
    return found


def resolver(options: argparse.Namespace, server: Server | None) -> str:
    if options.resolver:
        return str(options.resolver)
    if server and server.lab:
        worlds = [one["address"] for one in server.lab["hosts"].values() if one["role"] == "world"]
        if not worlds:
            raise CannotStart("This lab has no world, and so no DNS; `python -m lab add world` makes it.")
        return str(worlds[0])
    return ask.here()


def elsewhere(server: Server) -> str:
    """The world's mail domain."""
    world = next(one for one in server.lab["hosts"].values() if one["role"] == "world")
    return domain_of(world["fqdn"])
