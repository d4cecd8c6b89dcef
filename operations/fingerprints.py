"""Which passwords the data has changed: a keyed fingerprint for each row says so, and no hash has to be verified.

The table password_fingerprints keeps, for each mailbox, the hash that was made of its declared password, and an HMAC-SHA256 of
address, hash and declared password. The key is on the controller only (deploys/secrets.py): on the host a fingerprint without a
key would be a fast way to guess passwords. As the address is in it, a row fits no other mailbox; as the hash is in it, a row
fits no other scheme. A users.password that is another good hash is its user's own: it stays until the declared one changes.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from operations import hashes, passwords

TABLE = "password_fingerprints"
COLUMNS = (
    "email text PRIMARY KEY REFERENCES users ON UPDATE CASCADE ON DELETE CASCADE, hash text NOT NULL, "
    "key text NOT NULL, fingerprint text NOT NULL"
)


@dataclass(frozen=True)
class Key:
    """The controller's key. Never shown by repr(); `id` says which one made a fingerprint, and may be seen."""

    secret: str = field(repr=False)

    @property
    def id(self) -> str:
        return self._digest("id")[:16]

    def fingerprint(self, email: str, made: str, declared: str) -> str:
        """Of this declared password, hashed like this, for this address."""
        return self._digest("\0".join((email, made, declared)))

    def _digest(self, text: str) -> str:
        return hmac.digest(self.secret.encode(), text.encode(), "sha256").hex()


@dataclass(frozen=True)
class Wanted:
    """What a row needs: `password` for users, or None where that stays; `made` is the declared password's hash."""

    password: str | None
    made: str


def wanted(
    row: dict[str, Any], email: str, declared: str, scheme: str, key: Key, able: Collection[str] = ()
) -> Wanted | None:
    """What this row of users with its fingerprint needs to say what the data says; None when it does already.

    `able` are the schemes that the host's Dovecot can verify, all where it is empty. A row without a fingerprint, or with one
    of another key, is verified: that is the slow way, and it is gone once.
    """
    found, made = row["password"], row.get("hash")
    fingerprinted = made is not None and row["key"] == key.id
    if made is None:
        made = found
    if fingerprinted:
        unchanged = hmac.compare_digest(row["fingerprint"], key.fingerprint(email, made, declared))
    else:
        unchanged = passwords.verifies(declared, made)
    if not unchanged or (found != made and not _lets_in(found, able)):
        new = passwords.stored(declared, scheme)
        return Wanted(new, new)
    if not passwords.current(declared, made, scheme):  # of the data is the scheme alone new
        new = passwords.stored(declared, scheme)
        return Wanted(new if found == made else None, new)
    return None if fingerprinted else Wanted(None, made)


def _lets_in(found: str, able: Collection[str]) -> bool:
    """Whether a hash that somebody else has made is one that an operator might have declared, too."""
    scheme = passwords.scheme_of(found)
    return bool(scheme) and not hashes.problem(found) and (not able or scheme in able)
