"""Odd envelopes: senders and recipients that are legal, nearly legal, or none."""

from __future__ import annotations

from tests.faults.doorstep import Odd
from tests.faults.odd import Case, mail

FOO, BAR = "foo@example.test", "bar@example.test"
LETTER = Case(mail())
SENDERS = {
    "nobody": "",
    "64 characters": "a" * 64 + "@example.org",
    "65 characters": "a" * 65 + "@example.org",
    "a domain of 250 characters": "a@" + ".".join(["d" * 60] * 4) + ".example",
    "quoted": '"a b"@example.org',
    "an at in quotes": '"a@b"@example.org',
    "a pipe": '"|id"@example.org',
    "no domain": "alice",
    "an address literal": "alice@[192.0.2.1]",
    "beyond ASCII": "łukasz@example.org",
    "VERP": "list-bounces+foo=example.test@example.org",
    "a hyphen first": "-alice@example.org",
    "upper case": "ALICE@EXAMPLE.ORG",
    "a quote in it": "o'alice@example.org",
    "a percent": "a%b@example.org",
    "an exclamation mark": "host!alice@example.org",
    "a subdomain that is not there": "a@nowhere.example.net",
}
RECIPIENTS = {
    "upper case": ("FOO@EXAMPLE.TEST",),
    "both": (FOO, BAR),
    "the same twice": (FOO, FOO),
    "an extension": ("foo+ext@example.test",),
    "a source route": ("@a.example,@b.example:foo@example.test",),
    "quoted": ('"foo"@example.test',),
    "a dot at the end": ("foo@example.test.",),
    "a percent": ("foo%example.test@example.test",),
    "a quote in it": ("o'foo@example.test",),
    "a wildcard of SQL": ("%@example.test",),
    "one character": ("_oo@example.test",),
    "beyond ASCII": ("fóó@example.test",),
    "nobody": ("nobody.of.that.name@example.test",),
    "300 characters": ("f" * 300 + "@example.test",),
    "the postmaster, without a domain": ("postmaster",),
    "the postmaster of the host": ("postmaster@mx1.example.test",),
    "an alias": ("abuse@example.test",),
}


def letters() -> list[Odd]:
    odd = [Odd(f"from {name}", LETTER, sender=sender) for name, sender in SENDERS.items()]
    odd += [Odd(f"to {name}", LETTER, recipients=recipients) for name, recipients in RECIPIENTS.items()]
    return [*odd, Odd("from nobody to an alias", LETTER, recipients=("postmaster@example.test",), sender="")]
