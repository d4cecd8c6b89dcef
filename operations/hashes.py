"""Ready-made password hashes, as an operator brings them along: which of them Dovecot can verify, and which are worth it.

What each scheme may look like is held against `doveadm pw -t` of both Dovecots in tests/live/test_passwords.py. Schemes that are not here
are either weak (one pass, no salt: Dovecot 2.4 refuses some of them at every login,
https://doc.dovecot.org/latest/core/config/auth/schemes.html) or no schemes.
"""

import re
from base64 import b64decode, b64encode

# As Dovecot reads a stored value: whatever stands in braces in front is the scheme, in any case, with .b64 or .hex behind.
PREFIX = re.compile(r"\{([^}]*)\}(.*)", re.DOTALL)
# Without braces these are hashes too, and nobody's password.
BARE = re.compile(
    r"\$(1|2[abxy]?|5|6|7|y|gy|md5|sha1|apr1|P|H|scrypt|argon2(id|i|d)|pbkdf2[a-z0-9-]*|SCRAM-SHA-\w+)[$,].+|SCRAM-SHA-\d+\$.+"
)

# The last sign of a salt or a digest has bits left over. libcrypt writes them as zero: a hash with others never verifies.
CRYPT64 = "[./A-Za-z0-9]"
BCRYPT = re.compile(rf"\$2[aby]\$(\d\d)\${CRYPT64}{{21}}[.Oeu]{CRYPT64}{{30}}[.CGKOSWaeimquy26]", re.ASCII)
SHA_CRYPT = re.compile(
    rf"\$([56])\$(?:rounds=([1-9]\d{{0,9}})\$)?{CRYPT64}{{1,16}}\$({CRYPT64}{{42}}[./0-9A-D]|{CRYPT64}{{85}}[./01])",
    re.ASCII,
)
YESCRYPT = re.compile(rf"\$y\$j9T\${CRYPT64}{{4,86}}\${CRYPT64}{{42}}[./0-9A-D]")  # at the cost that passwd(1) takes
ARGON2 = re.compile(
    r"\$argon2(id|i)\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)", re.ASCII
)
SHA_LENGTH = {"5": 43, "6": 86}

# Dovecot's auth does one after the other, and Postfix waits 10 s for it: an expensive hash makes everybody wait. The upper ends
# take about half a second on an idle machine; with 2,000,000 rounds on a busy one, logins at submission were lost (454).
BCRYPT_COST = (5, 13)  # 5 is doveadm's own
SHA_ROUNDS = (1_000, 1_000_000)  # libcrypt's least; passlib's own is 656,000
ARGON2_MEMORY = (
    7_168,
    131_072,
)  # KiB: what OWASP asks for at least; Dovecot's auth has 256 MB, for all logins at a time
ARGON2_PASSES = (1, 20)
ARGON2_WORK = (7_168, 524_288)  # memory times passes; doveadm's own is 196,608

SCHEMES = ("ARGON2ID", "ARGON2I", "BLF-CRYPT", "SHA512-CRYPT", "SHA256-CRYPT", "CRYPT")
MAKE_ONE = "make one with: doveadm pw -s SHA512-CRYPT"


def split(secret: str) -> tuple[str, str] | None:
    """Scheme (in upper case) and hash; None for a password."""
    found = PREFIX.fullmatch(secret)
    return (found[1].upper(), found[2]) if found else None


def problem(secret: str) -> str:
    """Why a secret that begins with {…} cannot be stored, with the remedy; "" when it can. Never quotes the hash."""
    scheme, value = split(secret) or ("", secret)
    plain = scheme.partition(".")
    if plain[0] in SCHEMES and plain[2] in ("B64", "HEX", "BASE64"):
        return (
            f"has an encoded hash ({{{plain[0]}.{plain[2].lower()}}}); write the hash as it is, behind {{{plain[0]}}}"
        )
    if scheme not in SCHEMES:
        name = f"{{{scheme}}}" if re.fullmatch(r"[A-Z0-9.-]{1,20}", scheme) else "braces"
        return (
            f"begins with {name}, and so Dovecot takes it for a hash of a scheme that is weak or that it does not know; accepted are "
            f"{', '.join(SCHEMES)}. A password that is to be hashed must not begin with braces"
        )
    wrong = _form(scheme, value)
    return f"{wrong}; {MAKE_ONE}" if wrong else ""


def bare(secret: str) -> bool:
    """Whether this is a hash that lacks its {SCHEME}: taken for a password, its own text would log in."""
    return BARE.fullmatch(secret) is not None


def _form(scheme: str, value: str) -> str:
    form = scheme
    if scheme == "CRYPT":
        form = "BLF-CRYPT" if value.startswith("$2") else "YESCRYPT" if value.startswith("$y$") else "SHA-CRYPT"
    if form == "BLF-CRYPT":
        return _bcrypt(value)
    if form == "YESCRYPT":
        return "" if YESCRYPT.fullmatch(value) else "is no whole yescrypt hash: $y$j9T$, the salt, $, and 43 signs"
    if form.startswith("ARGON2"):
        return _argon2(scheme, value)
    return _sha_crypt({"SHA512-CRYPT": "6", "SHA256-CRYPT": "5"}.get(form, "56"), value)


def _bcrypt(value: str) -> str:
    found = BCRYPT.fullmatch(value)
    if not found:
        return "is no whole bcrypt hash: $2y$, the cost in two digits, $, and 53 signs"
    return _between("cost", int(found[1]), BCRYPT_COST)


def _sha_crypt(kinds: str, value: str) -> str:
    found = SHA_CRYPT.fullmatch(value)
    if not found or found[1] not in kinds or len(found[3]) != SHA_LENGTH[found[1]]:
        length = SHA_LENGTH[kinds[-1]]
        return f"is no whole hash of its scheme: ${kinds[-1]}$, a salt of 1 to 16 signs, $, and {length} signs"
    return _between("rounds", int(found[2] or 5000), SHA_ROUNDS)


def _argon2(scheme: str, value: str) -> str:
    found = ARGON2.fullmatch(value)
    if not found or found[1].upper() != scheme.removeprefix("ARGON2"):
        return f"is no whole hash of its scheme: ${scheme.lower()}$v=19$m=…,t=…,p=1$, the salt, $, and the hash"
    if found[4] != "1":
        return f"has p={found[4]}; Dovecot's libsodium knows one lane only (p=1)"
    try:
        salt, digest = map(_decoded, (found[5], found[6]))
    except ValueError:
        return "is damaged: its salt or its hash is no base64"
    if len(salt) < 8 or len(digest) < 16:
        return "is cut off: a salt has at least 8 bytes, the hash 16"
    memory, passes = int(found[2]), int(found[3])
    return (
        _between("memory (m)", memory, ARGON2_MEMORY)
        or _between("passes (t)", passes, ARGON2_PASSES)
        or _between("memory times passes (m × t)", memory * passes, ARGON2_WORK)
    )


def _decoded(part: str) -> bytes:
    found = b64decode(part + "=" * (-len(part) % 4), validate=True)
    if b64encode(found).decode().rstrip("=") != part:
        raise ValueError("bits left over")
    return found


def _between(what: str, value: int, limits: tuple[int, int]) -> str:
    if limits[0] <= value <= limits[1]:
        return ""
    return (
        f"has {what} {value}; it has to be from {limits[0]} to {limits[1]}, or a login takes nothing, or takes for ever"
    )
