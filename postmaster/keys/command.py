"""python -m postmaster dkim: which key signs, and how the next one takes over without a letter that nobody can verify."""

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from checks.engine.inventory import Server
from checks.engine.target import Target
from checks.engine.vantage import Direct
from postmaster.keys import hands, state, told
from postmaster.keys.hands import Refused
from postmaster.keys.records import recent, record, row
from postmaster.keys.state import Domain, State, minute
from postmaster.model import NotFound
from postmaster.zone import ask
from postmaster.zone.ask import Authorities
from postmaster.zone.command import resolver
from postmaster.zone.need import LATER

APART = timedelta(hours=1)  # of two clocks
NAMES = 253 - len("m20261201-99._domainkey.")  # of a domain, so that its record's name fits (RFC 1035, 2.3.4)


def arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("action", nargs="?", choices=("state", "rotate", "switch", "retire"), default="state")
    one.add_argument("--domain", action="append", default=[], metavar="NAME", help="only this one, again for more")
    one.add_argument("--resolver", default="", metavar="IP", help="whom to ask which servers are responsible")


def command(target: Target, options: argparse.Namespace, server: Server | None = None) -> int:
    """0 done or all is well, 1 refused or something is to be done, 2 nobody could say."""
    found = state.read(target)
    domains = chosen(found, options.domain)
    names = Authorities(ask.over(target.vantage if server and server.lab else Direct()), resolver(options, server))
    try:
        if options.action == "state":
            return shown(target, found, domains, names, options)
        same_clock(found)
        sound(domains)
        lines = ACTIONS[options.action](target, found, domains, names)
    except Refused as error:
        raise NotFound(str(error)) from error
    if not options.json:
        print("\n".join(lines), end="\n\n" if lines else "")
        if options.action == "rotate":
            return 0
    found = state.read(target)
    return shown(target, found, chosen(found, options.domain), names, options)


def chosen(found: State, only: Sequence[str]) -> list[Domain]:
    wanted = [one.rstrip(".").lower() for one in only]
    there = [one.name for one in found.domains]
    if missing := [one for one in wanted if one not in there]:
        raise NotFound(
            f"The host does not sign for {', '.join(missing)}, but for {', '.join(there)}; nothing was changed."
        )
    return [one for one in found.domains if not wanted or one.name in wanted]


def same_clock(found: State) -> None:
    """Dates decide when an old key may go, so both clocks have to agree."""
    here = datetime.now(UTC)
    if abs(here - found.now) > APART:
        raise Refused(
            f"The host's clock says {minute(found.now)} and this machine's {minute(here)}; dates decide when a key may go, so nothing "
            "was changed. Set the wrong one right: timedatectl; on the host, chronyc tracking"
        )


def sound(domains: list[Domain]) -> None:
    if broken := [f"{one.name}: {one.trouble}" for one in domains if one.trouble]:
        raise Refused("\n".join([*broken, "Nothing was changed. The others alone: --domain NAME"]))


def rotate(target: Target, found: State, domains: list[Domain], names: Authorities) -> list[str]:
    """The next key of each domain that has none, and the record that has to be published for it."""
    if long := [one.name for one in domains if len(one.name) > NAMES]:
        raise Refused(
            f"The record's name would be longer than the DNS takes (253), for {', '.join(long)}; nothing was changed."
        )
    lacking = [one.name for one in domains if not one.next]
    if lacking:
        hands.run(target, hands.ROTATE, *lacking)
    there = {one.name: one.next for one in state.read(target).domains if one.next}
    keys = [there[one.name] for one in domains if one.name in there]
    return told.records(keys, made={name for name in lacking if name in there})


def switch(target: Target, found: State, domains: list[Domain], names: Authorities) -> list[str]:
    """The next keys sign, of all these domains or of none: each record has to be at each responsible server, and right."""
    ready = [one for one in domains if one.next]
    asked = [record(one.next, names) for one in ready if one.next]
    if bad := [one for one in asked if one.verdict.sign != "right"]:
        lines = [f"{one.key.name}: {one.verdict.says}.\n  → {one.verdict.remedy or LATER}" for one in bad]
        good = [one.key.domain for one in asked if one not in bad]
        alone = f" These are right, and can go alone: {' '.join(f'--domain {name}' for name in good)}" if good else ""
        raise Refused(
            "\n".join(
                ["Not yet; nothing was changed.", *lines, f"Then again: python -m postmaster dkim switch.{alone}"]
            )
        )
    cut_off = any(one.stale for one in domains)
    if not ready and not cut_off:
        return ["Nothing to switch: no domain has a next key. `python -m postmaster dkim rotate` makes one."]
    rows = [
        (one.name, one.signs.selector, one.next.selector, one.next.public) for one in ready if one.next and one.signs
    ]
    hands.run(target, hands.SWITCH, rows=rows)
    until = minute(found.now + found.waits)
    lines = [f"{name}: {new} signs now, and {old} no longer." for name, old, new, _ in rows]
    if rows:
        lines.append(
            f"Leave the old record where it is until {until}: letters that it has signed may be on their way for {days(found)}."
        )
    return lines or ["Amavis was restarted: a switch had been cut off before that."]


def retire(target: Target, found: State, domains: list[Domain], names: Authorities) -> list[str]:
    """The private keys that no letter on its way needs go, and it is said which records go with them."""
    if behind := [one.name for one in domains if one.stale]:
        raise Refused(
            f"Amavis was started before the last switch of {', '.join(behind)}, and may sign with the old key; nothing was changed. "
            "First: python -m postmaster dkim switch"
        )
    old = [key for one in domains for key in one.those("old")]
    early = [key for key in old if key.keep and found.now < key.keep]
    late = [key for key in old if key not in early]
    why = f"Letters may be on their way for {days(found)}. Who verifies one needs the record."
    soon = [f"{key.name} has signed until {minute(key.until)}; not before {minute(key.keep)}." for key in early]
    if not late:
        if early:
            raise Refused("\n".join(["Too early; nothing was changed.", *soon, why]))
        return ["Nothing to retire: no domain has an old key."]
    hands.run(target, hands.RETIRE, rows=[(key.domain, key.selector) for key in late])
    lines = []
    for key in late:
        lines.append(
            f"{key.domain}: {key.selector}.pem is gone from the host. Take its record away, or empty it to p= (revoked):"
        )
        lines.append(f"  {key.name}. TXT")
    return [*lines, *soon]


def days(found: State) -> str:
    """How long, and why."""
    queue = (found.waits - state.KEPT) / timedelta(days=1)
    return (
        f"{found.waits / timedelta(days=1):g} days: {queue:g} in a queue, ours or a forwarder's (maximal_queue_lifetime), and "
        f"{state.KEPT.days} for what resolvers remember (TTL)"
    )


def shown(
    target: Target, found: State, domains: list[Domain], names: Authorities, options: argparse.Namespace
) -> int:  # fmt: skip
    asked = {one.name: [record(key, names) for key in recent(one)] for one in domains}
    rows = [row(found, one, asked[one.name]) for one in domains]
    if options.json:
        print(json.dumps({"host": target.hostname, "domains": rows}, indent=2, ensure_ascii=False))
    else:
        told.state(target.hostname, rows)
    signs = [one["sign"] for each in rows for one in each["keys"] if one["role"] in ("signs", "old")]
    if any(one["trouble"] for one in rows) or "wrong" in signs:
        return 1
    return 2 if "unknown" in signs else 0


ACTIONS = {"rotate": rotate, "switch": switch, "retire": retire}
