"""Password hashes as Dovecot stores them: {SCHEME}hash, made on the controller with passlib.

ARGON2ID with 19 MiB, 2 passes, 1 lane is what OWASP asks for at least (https://cheatsheetseries.owasp.org, Password
Storage) and costs a login about 25 ms here. passlib's own default (64 MiB, 3 passes, 4 lanes) would cost seven times
that, and Dovecot could not verify it at all: libsodium knows one lane only.
"""

import re
from functools import cache

from passlib.hash import argon2, sha512_crypt
from passlib.ifc import PasswordHash

from operations import hashes

MEMORY, PASSES, ROUNDS = 19_456, 2, 100_000
HASHES: dict[str, PasswordHash] = {
    "ARGON2ID": argon2.using(type="ID", memory_cost=MEMORY, time_cost=PASSES, parallelism=1),
    "SHA512-CRYPT": sha512_crypt.using(rounds=ROUNDS),
}
FORMS = {  # what these make
    "ARGON2ID": re.compile(rf"\$argon2id\$v=19\$m={MEMORY},t={PASSES},p=1\$[A-Za-z0-9+/]{{22}}\$[A-Za-z0-9+/]{{43}}"),
    "SHA512-CRYPT": re.compile(rf"\$6\$rounds={ROUNDS}\${hashes.CRYPT64}{{16}}\${hashes.CRYPT64}{{86}}"),
}
LOCKED = "{CRYPT}*"  # an account without a password yet: no password hashes to a star
SHORTEST = 8  # characters
# crypt(3) takes 511 bytes; Dovecot's login processes read 1,024 of a command, with an address of up to 254 in it, and in
# LOGIN each " and \\ of a password is two. Seen: an address of 254 with 480 times " gets in everywhere, 512 of anything nowhere.
LONGEST = 256


def schemes() -> tuple[str, ...]:
    """The names a `password_scheme` may have."""
    return tuple(HASHES)


def is_hash(secret: str) -> bool:
    """Whether a secret is a hash already ({SCHEME}…), to be stored as it is. A password never begins with braces."""
    return hashes.split(secret) is not None


def scheme_of(secret: str) -> str:
    """The scheme of a ready-made hash; "" of a password."""
    return (hashes.split(secret) or ("", ""))[0]


def problem(secret: str) -> str:
    """Why an account cannot have this password or hash, with the remedy; "" when it can. The secret is not quoted."""
    if is_hash(secret):
        return hashes.problem(secret)
    if hashes.bare(secret):
        return "is a hash without its {SCHEME}: its own text would log in. Write {BLF-CRYPT}, {SHA512-CRYPT} or what it is in front"
    if len(secret) < SHORTEST:
        return f"is shorter than {SHORTEST} characters; take a longer one"
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in secret):
        return "has a control character; a client cannot send it. Take printable ones"
    if not secret.isascii():
        return (
            "has characters beyond ASCII: IMAP's LOGIN knows none, and programs send one letter as different bytes. "
            "Take letters, digits and signs of ASCII"
        )
    if len(secret) > LONGEST:
        return f"has {len(secret)} characters; IMAP and SMTP clients get {LONGEST} through. Take a shorter one"
    return ""


@cache  # a run predicts, looks again and executes: one hash for all three
def stored(secret: str, scheme: str) -> str:
    """What goes into the database for a password, or for a hash that the operator made himself."""
    if ready := hashes.split(secret):
        return f"{{{ready[0]}}}{ready[1]}"
    return f"{{{scheme}}}{HASHES[scheme].hash(secret)}"


def current(secret: str, made: str, scheme: str) -> bool:
    """Whether this hash of the secret is in this scheme and at its cost; a ready-made one always is."""
    prefix, value = f"{{{scheme}}}", made.partition("}")[2]
    return is_hash(secret) or (made.startswith(prefix) and FORMS[scheme].fullmatch(value) is not None)


@cache
def verifies(secret: str, found: str) -> bool:
    """Whether the database's value was made of this secret, in a scheme of ours; of a ready-made hash, whether it is that one."""
    if is_hash(secret):
        return found == stored(secret, "")
    scheme, value = hashes.split(found) or ("", "")
    # a hash with a cost out of bounds is not even tried: it may take for ever
    return scheme in HASHES and not hashes.problem(found) and bool(HASHES[scheme].verify(secret, value))
