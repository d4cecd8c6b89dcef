"""Which rows of users a run writes: what the data has changed, and what lets nobody in. Everything else is its user's."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from passlib.hash import argon2, sha512_crypt

from deploys.secrets import SecretsError, fingerprint_key, load
from facts.mail_host import MailHost
from operations import accounts, fingerprints, passwords
from operations.fingerprints import Key, Wanted

FOO, DECLARED, SCHEME = "foo@example.test", "the declared one", "ARGON2ID"
KEY, ANOTHER = Key("a key" * 8), Key("another" * 8)
MADE = passwords.stored(DECLARED, SCHEME)
OWN = "{ARGON2ID}" + argon2.using(type="ID", memory_cost=65536, time_cost=3, parallelism=1).hash("foo's own")
OWN_SHA = "{SHA512-CRYPT}" + sha512_crypt.using(rounds=5_000).hash("foo's own")
READY = "{BLF-CRYPT}$2y$05$3B2zJx6CdR9EEAHWQ0moeO2w55WSHo.YWU4bZMh8Fil1pRJZizuae"


def row(
    password: str = MADE, made: str = MADE, declared: str = DECLARED, email: str = FOO, key: Key = KEY
) -> dict[str, str]:
    return {"password": password, "hash": made, "key": key.id, "fingerprint": key.fingerprint(email, made, declared)}


def wanted(there: dict[str, Any], declared: str = DECLARED, scheme: str = SCHEME, **more: Any) -> Wanted | None:
    return fingerprints.wanted(there, FOO, declared, scheme, KEY, **more)


def written(needed: Wanted | None, declared: str = DECLARED, scheme: str = SCHEME) -> bool:
    """Whether the row gets the declared password."""
    return needed == Wanted(passwords.stored(declared, scheme), passwords.stored(declared, scheme))


@pytest.fixture
def no_verifying(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str) -> bool:
        raise AssertionError("a hash was verified")

    monkeypatch.setattr(passwords, "verifies", refuse)


@pytest.mark.usefixtures("no_verifying")
@pytest.mark.parametrize(
    "password", [MADE, OWN, OWN_SHA], ids=["ours", "own", "own SHA"]
)  # a salt in a test's name: no two workers agree
def test_a_fingerprint_that_fits_is_enough(password: str) -> None:
    """The declared password, or a good one that its user has set since: nothing to do, and nothing is verified."""
    assert wanted(row(password)) is None


@pytest.mark.usefixtures("no_verifying")
@pytest.mark.parametrize("password", [MADE, OWN], ids=["ours", "own"])
def test_a_new_declared_password_is_written(password: str) -> None:
    assert written(wanted(row(password), "a new one"), "a new one")


@pytest.mark.usefixtures("no_verifying")
@pytest.mark.parametrize(
    "password",
    [passwords.LOCKED, "", "{PLAIN}secretsecret", "secretsecret", "{MD5-CRYPT}$1$Fo6vG6H6$wX5YsJY18fA5vFS1tztZm1", OWN[:-30], MADE[:-30]],
    ids=["locked", "empty", "plain", "bare", "MD5", "half of his own", "half of ours"],
)  # fmt: skip
def test_what_lets_nobody_in_or_is_weak_is_replaced(password: str) -> None:
    assert written(wanted(row(password)))


@pytest.mark.usefixtures("no_verifying")
def test_a_users_own_hash_that_this_dovecot_cannot_verify_is_replaced() -> None:
    assert written(wanted(row(OWN_SHA), able=("ARGON2ID",)))
    assert wanted(row(OWN_SHA), able=("ARGON2ID", "SHA512-CRYPT")) is None


@pytest.mark.usefixtures("no_verifying")
def test_another_scheme_is_written_and_a_users_own_password_stays() -> None:
    new = passwords.stored(DECLARED, "SHA512-CRYPT")
    assert wanted(row(), scheme="SHA512-CRYPT") == Wanted(new, new)
    assert wanted(row(OWN), scheme="SHA512-CRYPT") == Wanted(None, new)
    assert wanted(row(OWN, new), scheme="SHA512-CRYPT") is None
    cheap = "{ARGON2ID}" + argon2.using(type="ID", memory_cost=8192, time_cost=1, parallelism=1).hash(DECLARED)
    assert written(wanted(row(cheap, cheap)))  # an earlier release's cost


@pytest.mark.usefixtures("no_verifying")
def test_a_row_fits_no_other_user_and_no_other_hash() -> None:
    assert written(wanted(row(email="bar@example.test")))
    assert written(wanted({**row(), "hash": OWN, "password": OWN}))


def test_an_old_row_is_verified_and_gets_its_fingerprint() -> None:
    assert wanted({"password": MADE}) == Wanted(None, MADE)
    assert wanted({"password": MADE, "hash": None, "key": None, "fingerprint": None}) == Wanted(None, MADE)
    for found in (OWN, passwords.LOCKED, "{PLAIN}the declared one", OWN_SHA):
        assert written(wanted({"password": found})), found


def test_a_row_of_another_key_is_verified_and_keeps_its_users_own_password() -> None:
    assert wanted(row(key=ANOTHER)) == wanted(row(OWN, key=ANOTHER)) == Wanted(None, MADE)
    assert written(wanted(row(OWN, key=ANOTHER), "a new one"), "a new one")
    assert written(wanted(row("{PLAIN}x", key=ANOTHER)))


def test_a_ready_made_hash_is_declared_like_a_password() -> None:
    assert wanted(row(READY, READY, READY), READY) is None
    assert wanted(row(OWN, READY, READY), READY) is None
    assert wanted({"password": READY}, READY) == Wanted(None, READY)
    assert wanted(row(), READY) == Wanted(READY, READY)


def test_the_statements(ask: Callable[..., list[str]]) -> None:
    """What a host without the table gets, and what shows of it."""
    there = MailHost(sql={"tables": {"users": {}}, "users": {FOO: {"password": MADE}}})
    arguments = ({FOO: DECLARED}, SCHEME, KEY, "mailreader")
    (command,) = ask(there, accounts.user_passwords, *arguments)
    assert "CREATE TABLE password_fingerprints" in command and "GRANT" not in command and "UPDATE users" not in command
    assert KEY.secret not in command and KEY.id in command
    right = {"owner": "postgres", "acl": ""}
    there.sql = {"tables": {"users": {}, fingerprints.TABLE: right}, "users": {FOO: row()}}
    assert ask(there, accounts.user_passwords, *arguments) == []
    there.sql["tables"][fingerprints.TABLE] = {**right, "acl": "{postgres=arwdDxt/postgres,mailreader=r/postgres}"}
    (command,) = ask(there, accounts.user_passwords, *arguments)
    assert "REVOKE ALL ON password_fingerprints FROM PUBLIC, mailreader" in command and "GRANT" not in command


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "fingerprint.key"
    made = fingerprint_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and len(made.secret) == 64 and made.secret not in repr(made)
    assert fingerprint_key(path) == made and [one.name for one in tmp_path.iterdir()] == [path.name]
    path.chmod(0o644)
    with pytest.raises(SecretsError, match="may be read by others"):
        fingerprint_key(path)
    path.chmod(0o600)
    path.write_text("damaged")
    with pytest.raises(SecretsError, match="is damaged"):
        fingerprint_key(path)
    with pytest.raises(SecretsError, match="cannot be made: No such file"):
        fingerprint_key(tmp_path / "nowhere" / "fingerprint.key")


def test_the_key_is_beside_the_secrets(tmp_path: Path) -> None:
    for name in ("accounts.json", "secrets.json"):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(json.dumps({"mailreader": "x"}))
    found = load(str(tmp_path / "accounts.json"), str(tmp_path / "secrets.json"))
    assert found.key == fingerprint_key(tmp_path / "fingerprint.key") and found.key.secret not in repr(found)
