"""Password hashes as Dovecot stores them: {SCHEME}hash, made on the controller with passlib.

ARGON2ID with 19 MiB, 2 passes, 1 lane is what OWASP asks for at least (https://cheatsheetseries.owasp.org, Password
Storage) and costs a login about 25 ms here. passlib's own default (64 MiB, 3 passes, 4 lanes) would cost seven times
that, and Dovecot could not verify it at all: libsodium knows one lane only.
"""

import re

from passlib.hash import argon2, sha512_crypt
from passlib.ifc import PasswordHash

HASHES: dict[str, PasswordHash] = {
    "ARGON2ID": argon2.using(type="ID", memory_cost=19456, time_cost=2, parallelism=1),
    "SHA512-CRYPT": sha512_crypt.using(rounds=100_000),
}
PREFIX = re.compile(r"^\{([A-Z0-9.-]+)\}")
LOCKED = "{CRYPT}*"  # an account without a password yet: no password hashes to a star


def schemes() -> tuple[str, ...]:
    """The names a `password_scheme` may have."""
    return tuple(HASHES)


def is_hash(secret: str) -> bool:
    """Whether a secret is a hash already ({SCHEME}…), to be stored as it is."""
    return PREFIX.match(secret) is not None


def stored(secret: str, scheme: str) -> str:
    """What goes into the database for a password, or for a hash that the operator made himself."""
    return secret if is_hash(secret) else f"{{{scheme}}}{HASHES[scheme].hash(secret)}"


def matches(secret: str, found: str, scheme: str) -> bool:
    """Whether the database's value stands for this secret in this scheme and at this cost: nothing to change then."""
    if is_hash(secret):
        return found == secret
    prefix = f"{{{scheme}}}"
    if not found.startswith(prefix):
        return False
    value = found.removeprefix(prefix)
    try:
        return not HASHES[scheme].needs_update(value) and HASHES[scheme].verify(secret, value)
    except ValueError:  # damaged: replace it
        return False
