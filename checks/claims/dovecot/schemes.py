"""The schemes of the stored passwords."""

from checks.clients import sql
from checks.engine import Failed, Target, claim, negative

NEEDS = "ssh"


@claim("This Dovecot knows the scheme of the stored passwords", remedy="Choose a scheme that `doveadm pw -l` lists.")
def known(target: Target) -> str:
    found = target.shell("doveadm pw -l").split()
    if "ARGON2ID" not in found and "SHA512-CRYPT" not in found:
        raise Failed(" ".join(found))
    return " ".join(name for name in ("ARGON2ID", "BLF-CRYPT", "SHA512-CRYPT") if name in found)


@negative(
    "No stored password uses a weak scheme",
    needs="postgresql",
    remedy="Store it hashed again, as {ARGON2ID}; SHA512 is one unsalted pass.",
)
def no_weak(target: Target) -> str:
    return sql.schemes(target)
