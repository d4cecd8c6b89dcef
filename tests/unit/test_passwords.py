"""Hashes that Dovecot can verify, and that a second run leaves alone."""

import pytest

from operations import passwords, scram


@pytest.mark.parametrize("scheme", passwords.schemes())
def test_a_stored_password_matches_and_is_salted(scheme: str) -> None:
    first, second = (passwords.stored("correct horse", scheme) for _ in range(2))
    assert first != second and first.startswith(f"{{{scheme}}}$")
    assert passwords.matches("correct horse", first, scheme)
    assert not passwords.matches("Correct horse", first, scheme)


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
def test_another_scheme_cost_or_damage_is_replaced(found: str) -> None:
    assert not passwords.matches("correct horse", found, "ARGON2ID")


def test_a_ready_hash_is_stored_as_it_is() -> None:
    ready = "{BLF-CRYPT}$2y$05$3B2zJx6CdR9EEAHWQ0moeO2w55WSHo.YWU4bZMh8Fil1pRJZizuae"
    assert passwords.stored(ready, "ARGON2ID") == ready
    assert passwords.matches(ready, ready, "ARGON2ID")
    assert not passwords.matches(ready, passwords.stored("other", "ARGON2ID"), "ARGON2ID")


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
