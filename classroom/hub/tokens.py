"""Tokens: what a learner signs in with. The class keeps them for the handout, and the hub knows a sum of each."""

import hashlib
import json
import secrets
from collections.abc import Iterable
from pathlib import Path

from lab import names, state

FILE = "tokens.json"
LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # none that looks like another one on paper
GROUPS, EACH = 4, 4  # 78 bits


def folder() -> Path:
    """What the class keeps of its hub: tokens, the certificate's key, the address. For its owner only."""
    here = names.directory() / "hub"
    here.mkdir(parents=True, exist_ok=True, mode=0o700)
    return here


def new() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(EACH)) for _ in range(GROUPS))


def digest(token: str) -> str:
    """What the hub compares: of what was typed, in small letters or without the hyphens too.

    A plain sum is enough for 78 random bits: nobody finds them by trying, however quick a try is.
    """
    plain = "".join(letter for letter in token.upper() if letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def known() -> dict[str, str]:
    file = folder() / FILE
    return dict(json.loads(file.read_text())) if file.exists() else {}


def issue(learners: Iterable[str], again: Iterable[str] = ()) -> dict[str, str]:
    """A token for each of these learners and for no others: the one that they have, a new one for those of `again`."""
    before, anew = known(), set(again)
    found = {name: before[name] if name in before and name not in anew else new() for name in learners}
    if found != before:
        state.write(FILE, state.as_json(found), mode=0o600, folder=folder())
    return found
