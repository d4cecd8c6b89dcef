"""The settings card: what people put into their mail clients, for the terminal. It shows no password."""

import argparse
import json
import re
import shlex
import sys
from collections.abc import Sequence
from textwrap import wrap

from checks.clients import card
from checks.clients.card import Card, Way
from checks.engine.target import Target
from checks.engine.verdicts import Failed
from postmaster import apple
from postmaster.model import NotFound

SECURITY = {card.TLS: "SSL/TLS (from the first byte)", card.STARTTLS: "STARTTLS"}
SENT = "the account's own, as “normal password” (PLAIN inside of TLS)"
NO_FIREWALL = "no firewalld runs on the host; one in front of it is not seen"
AUTHORITY = "an authority: clients that know it ask nothing"
ADDRESS = re.compile(r"[^\s*?@-][^\s*?@]*@[^\s*?@]+")  # doveadm takes * and ? for many users
NO_USER = "67"  # EX_NOUSER
ITSELF = "itself; a client warns: compare the fingerprint, then accept"


def command(target: Target, options: argparse.Namespace) -> int:
    """The card on stdout: as JSON or in words; or a profile of it for Apple's devices, as a file."""
    if options.apple and not options.address:
        raise NotFound("A profile is for one account: python -m postmaster card ADDRESS --apple FILE")
    found = of(target, options.address)
    if options.apple:
        content = apple.profile(found)
        try:
            options.apple.write_bytes(content)
        except OSError as error:
            print(f"The profile cannot be written to {options.apple}: {error.strerror}.", file=sys.stderr)
            return 2
        print(f"The profile is in {options.apple}. It has no password; the device asks for it.", file=sys.stderr)
        return 0
    print(json.dumps(found.as_dict(), indent=2, ensure_ascii=False) if options.json else told(found))
    return 0


def of(target: Target, address: str = "") -> Card:
    """The card for an account, or for any. Raises NotFound where Dovecot knows no such account, Failed where it cannot say."""
    if address and not (ADDRESS.fullmatch(address) and known(target, address)):
        raise NotFound(
            f"{target.hostname} has no account {address}, so there is no card for it.\n"
            "A user name is the whole address. Without an address the card is for anybody: python -m postmaster card"
        )
    return card.read(target, address)


def known(target: Target, address: str) -> bool:
    *said, code = target.shell(f"doveadm user {shlex.quote(address)} 2>&1 >/dev/null; echo $?").split("\n")
    if code not in ("0", NO_USER):  # PostgreSQL is away, for one: then nobody knows whether there is such an account
        raise Failed(f"doveadm user {address}: {' '.join(said).strip() or f'it ended with {code}'}")
    return code == "0"


def rows(found: Card) -> list[tuple[str, list[str]]]:
    """What the card says, part by part, for whoever shows it."""
    halves = found.fingerprint[:47], found.fingerprint[48:]
    return [
        ("user name", [f"{found.user} (the whole address)"]),
        ("password", [SENT if found.authentication else "no server takes one yet: chapter 4, listener"]),
        ("incoming mail", ways(found.incoming)),
        ("outgoing mail", [*ways(found.outgoing), "with the same user name and password"]),
        ("firewall", [lets_in(found), f"firewalld on the host {found.firewall}" if found.firewall else NO_FIREWALL]),
        ("certificate", [f"for {', '.join(found.names) or 'no name'}", f"until {found.until}"]),
        ("signed by", [ITSELF if found.self_signed else f"{found.signer}: {AUTHORITY}"]),
        ("SHA-256", [*halves]),
    ]


def ways(several: Sequence[Way]) -> list[str]:
    first, *others = several
    return [
        f"{first.protocol}, {first.server}, port {first.port}, {SECURITY[first.security]}",
        *(f"or port {way.port}, {SECURITY[way.security]}" for way in others),
    ]


def lets_in(found: Card) -> str:
    best, others = ([str(way.port) for way in ways] for ways in firsts(found))
    return f"has to let in {' and '.join(best)}" + (f"; {' and '.join(others)} for STARTTLS" if others else "")


def firsts(found: Card) -> tuple[list[Way], list[Way]]:
    return [found.incoming[0], found.outgoing[0]], [*found.incoming[1:], *found.outgoing[1:]]


def told(found: Card) -> str:
    lines = [f"Settings for a mail client, as {found.server} has them", ""]
    for name, values in rows(found):
        pieces = [piece for value in values for piece in wrap(value, 64, break_on_hyphens=False)]
        lines += [f"  {'' if number else name:<13} {piece}" for number, piece in enumerate(pieces)]
    return "\n".join([*lines, *(f"  ! {warning}" for warning in found.warnings)])
