"""The Dovecot on the host is the judge of a stored value: what we accept verifies, also in lower case, and no hash's text logs in."""

import shlex

import pytest
from passlib.hash import argon2, sha256_crypt, sha512_crypt

from lab import Host
from operations import passwords

PASSWORD = "the right password"
# In the forms that operators bring along: doveadm's, passlib's, and another spelling of the scheme
MADE = {
    "{SHA512-CRYPT}": sha512_crypt.using(rounds=100_000).hash(PASSWORD),
    "{SHA256-CRYPT}": sha256_crypt.using(rounds=100_000).hash(PASSWORD),
    "{CRYPT}": sha512_crypt.using(rounds=5_000).hash(PASSWORD),
    "{sha512-crypt}": sha512_crypt.using(rounds=1_000).hash(PASSWORD),
    "{ARGON2ID}": argon2.using(type="ID", memory_cost=19456, time_cost=2, parallelism=1).hash(PASSWORD),
    "{argon2id}": argon2.using(type="ID", memory_cost=7168, time_cost=1, parallelism=1).hash(PASSWORD),
}


def verifies(host: Host, stored: str, password: str = PASSWORD) -> bool:
    words = shlex.join(["doveadm", "pw", "-t", stored, "-p", password])
    return host.run(words, check=False).stdout.strip().endswith("(verified)")


@pytest.mark.parametrize("prefix", MADE)
def test_what_is_accepted_verifies(server: Host, prefix: str) -> None:
    given = prefix + MADE[prefix]
    assert passwords.problem(given) == ""
    stored = passwords.stored(given, "ARGON2ID")
    assert verifies(server, stored)
    assert not verifies(server, stored, "another password")
    assert not verifies(server, stored, stored) and not verifies(server, stored, given)


@pytest.mark.parametrize("scheme", ["BLF-CRYPT", "SHA512-CRYPT", "SHA256-CRYPT", "ARGON2ID"])
def test_what_doveadm_makes_is_accepted(server: Host, scheme: str) -> None:
    made = server.run(["doveadm", "pw", "-s", scheme, "-p", PASSWORD]).stdout.strip()
    assert passwords.problem(made) == "" and passwords.stored(made, "ARGON2ID") == made
    assert verifies(server, made)
    lower = made.replace(scheme, scheme.lower(), 1)
    assert passwords.is_hash(lower) and passwords.stored(lower, "ARGON2ID") == made


@pytest.mark.parametrize("scheme", ["MD5-CRYPT", "PLAIN-MD5", "SHA512", "SSHA512", "PLAIN", "CRAM-MD5"])
def test_what_is_weak_is_refused_though_doveadm_makes_it(server: Host, scheme: str) -> None:
    made = server.run(["doveadm", "pw", "-s", scheme, "-p", PASSWORD], check=False).stdout.strip()
    given = made if made.startswith("{") else f"{{{scheme}}}{PASSWORD}"  # 2.4 does not even make some of them
    assert "weak" in passwords.problem(given) and PASSWORD not in passwords.problem(given)


def test_a_hash_that_dovecot_cannot_verify_is_refused(server: Host) -> None:
    """Four lanes: libsodium knows one, and not every Dovecot has another library for them."""
    lanes = "{ARGON2ID}" + argon2.using(type="ID", memory_cost=19456, time_cost=2, parallelism=4).hash(PASSWORD)
    assert "p=4" in passwords.problem(lanes)
    cut = "{SHA512-CRYPT}" + sha512_crypt.using(rounds=5_000).hash(PASSWORD)[:-1]
    assert not verifies(server, cut) and passwords.problem(cut)
