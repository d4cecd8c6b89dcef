"""Hashes that Dovecot can verify, and that a second run leaves alone."""

import pytest
from passlib.hash import argon2

from operations import passwords, scram


@pytest.mark.parametrize("scheme", passwords.schemes())
def test_a_stored_password_verifies_and_is_salted(scheme: str) -> None:
    first, second = (passwords.stored(secret, scheme) for secret in ("correct horse", "correct horse "))
    passwords.stored.cache_clear()
    assert first != passwords.stored("correct horse", scheme) and first.startswith(f"{{{scheme}}}$")
    assert passwords.verifies("correct horse", first) and passwords.current("correct horse", first, scheme)
    assert not passwords.verifies("correct horse", second)


def test_argon2_has_the_one_lane_that_libsodium_knows() -> None:
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in passwords.stored("correct horse", "ARGON2ID")


@pytest.mark.parametrize(
    "found",
    [
        passwords.LOCKED,
        "{SHA512}abc",
        "{ARGON2ID}damaged",
        "",
        "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$jsEqXcWFRe4uZ4+4p3l2Tg",
    ],
)
def test_damage_and_a_cost_out_of_bounds_verify_nothing(found: str) -> None:
    assert not passwords.verifies("correct horse", found)


def test_another_scheme_or_cost_is_not_current() -> None:
    cheap = "{ARGON2ID}" + argon2.using(type="ID", memory_cost=8192, time_cost=2, parallelism=1).hash("correct horse")
    assert passwords.verifies("correct horse", cheap)
    assert not passwords.current("correct horse", cheap, "ARGON2ID")
    assert not passwords.current("correct horse", passwords.stored("correct horse", "ARGON2ID"), "SHA512-CRYPT")


def test_a_ready_hash_is_stored_as_it_is() -> None:
    ready = "{BLF-CRYPT}$2y$05$3B2zJx6CdR9EEAHWQ0moeO2w55WSHo.YWU4bZMh8Fil1pRJZizuae"
    assert passwords.stored(ready, "ARGON2ID") == ready
    assert passwords.verifies(ready, ready) and passwords.current(ready, ready, "ARGON2ID")
    assert not passwords.verifies(ready, passwords.stored("other", "ARGON2ID"))


def test_scram_is_what_rfc_7677_says() -> None:
    """The salt, count and password of RFC 7677's example; PostgreSQL gives the same verifier for them."""
    from base64 import b64decode

    found = scram.verifier("pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    assert found == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
    assert scram.verify("pencil", found) and not scram.verify("pen", found)


@pytest.mark.parametrize("found", [None, "", "md5abc", "SCRAM-SHA-256$broken", "SCRAM-SHA-256$x:y$z:z"])
def test_scram_of_nothing(found: str | None) -> None:
    assert not scram.verify("pencil", found)


BCRYPT = "$2y$05$3B2zJx6CdR9EEAHWQ0moeO2w55WSHo.YWU4bZMh8Fil1pRJZizuae"
SHA512 = "$6$yHwHSYg9diKKYRa3$2mmQWtatNnlFZbu6se42yZifdltZh4quRwkfgZUiHboXYVAUD1dzatwB80XIl4cnWwfbB6ndljLglsbxsjnpU0"
SHA256 = "$5$xzL4zkM1/t1i37rI$A7Geuhda2n.pxfwyij7YLdOPCPkrn1MfhQsA2iZAgV6"
ARGON2 = "$argon2id$v=19$m=65536,t=3,p=1$YJ40WVNWTGgWpY1UMmntHg$mhuZsosjJ7+1vJI6kfhbJM4rT3WHxFRazdD9nV4j6y8"


@pytest.mark.parametrize(
    "ready",
    [
        *(f"{{{name}}}{BCRYPT}" for name in ("BLF-CRYPT", "blf-crypt", "Blf-Crypt", "CRYPT", "crypt")),
        *(f"{{BLF-CRYPT}}{kind}{BCRYPT[3:]}" for kind in ("$2a", "$2b")),
        *("{SHA512-CRYPT}" + SHA512, "{sha512-crypt}" + SHA512, "{CRYPT}" + SHA512, "{SHA256-CRYPT}" + SHA256),
        *("{ARGON2ID}" + ARGON2, "{argon2id}" + ARGON2),
    ],
)
def test_a_hash_is_one_in_any_case_and_stored_in_one(ready: str) -> None:
    assert passwords.problem(ready) == ""
    stored = passwords.stored(ready, "ARGON2ID")
    assert stored.partition("}")[0].isupper() and stored.partition("}")[2] == ready.partition("}")[2]
    assert passwords.verifies(ready, stored)


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        *(
            (f"{{{name}}}secretsecret", "a hash of a scheme that is weak or that it does not know")
            for name in (
                "MD5-CRYPT",
                "NOSUCH",
                "PLAIN",
                "plain",
                "CLEARTEXT",
                "SHA512",
                "SSHA",
                "SSHA512",
                "SHA",
                "",
                " x",
            )
        ),
        ("{braces} and a password", "must not begin with braces"),
        ("{BLF-CRYPT.b64}JDJ5JDA1", "write the hash as it is"),
        ("{CRYPT}*", "is no whole hash"),
        ("{CRYPT}$1$Fo6vG6H6$wX5YsJY18fA5vFS1tztZm1", "is no whole hash"),
        ("{BLF-CRYPT}" + BCRYPT[:-1], "is no whole bcrypt hash"),
        ("{BLF-CRYPT}" + BCRYPT + "\n", "is no whole bcrypt hash"),
        ("{BLF-CRYPT}" + BCRYPT[:-1] + "f", "is no whole bcrypt hash"),  # bits that are left over
        ("{BLF-CRYPT}" + BCRYPT.replace("$05$", "$31$"), "cost 31; it has to be from 5 to 13"),
        ("{BLF-CRYPT}" + BCRYPT.replace("$05$", "$04$"), "cost 4"),
        ("{SHA512-CRYPT}" + SHA512.replace("$6$", "$6$rounds=999$"), "rounds 999"),
        ("{SHA512-CRYPT}" + SHA512.replace("$6$", "$6$rounds=999999999$"), "rounds 999999999"),
        ("{SHA512-CRYPT}" + SHA256, "86 signs"),
        ("{SHA512-CRYPT}" + SHA512[:-20], "86 signs"),
        ("{SHA512-CRYPT}" + SHA512.replace("$yHw", "$yHwHSYg9diKKYRa3"), "a salt of 1 to 16"),
        ("{ARGON2ID}" + ARGON2.replace("p=1", "p=4"), "one lane only"),
        ("{ARGON2ID}" + ARGON2.replace("m=65536", "m=8"), "memory (m) 8"),
        ("{ARGON2ID}" + ARGON2.replace("m=65536", "m=4194304"), "memory (m) 4194304"),
        ("{ARGON2ID}" + ARGON2.replace("t=3", "t=999"), "passes (t) 999"),
        ("{ARGON2ID}" + ARGON2.replace("t=3", "t=20"), "memory times passes (m × t) 1310720"),
        ("{ARGON2I}" + ARGON2, "is no whole hash"),
        ("{ARGON2ID}" + ARGON2[:-31], "is cut off"),
        ("{ARGON2ID}" + ARGON2[:-22], "damaged"),
        *(
            (bare, "a hash without its {SCHEME}")
            for bare in (BCRYPT, SHA512, ARGON2, "$y$j9T$abcd$efgh", "$1$ab$cdefgh")
        ),
        ("SCRAM-SHA-256$4096:abc", "a hash without its {SCHEME}"),
        ("letmein", "shorter than 8"),
        ("with\0nul here", "control character"),
        ("with a line end\n", "control character"),
        ("p\u00e4ssword", "beyond ASCII"),
        ("half \ud800 a character", "beyond ASCII"),
        ("x" * 257, "257 characters"),
        ("x" * 5000, "5000 characters"),
    ],
)
def test_what_would_never_log_in_is_refused_and_not_quoted(secret: str, said: str) -> None:
    problem = passwords.problem(secret)
    assert said in problem
    assert (secret.partition("}")[2] or secret)[:12] not in problem


@pytest.mark.parametrize(
    "secret", ['"' * 256, " eight..", "{no end of it", "}x{y}abc", "%u%{user}", "a\\'b\"c;--", "x" * 256]
)
def test_odd_passwords_are_passwords(secret: str) -> None:
    assert passwords.problem(secret) == "" and not passwords.is_hash(secret)
