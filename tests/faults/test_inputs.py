"""Bad input: an inventory is refused with value, rule and remedy, or it is right. Nothing in between.

The generators are seeded by the tests' names (derandomize): the same cases in every run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.data import DataError, MailData, mail_data
from deploys.knobs import Knobs
from operations import passwords
from tests.faults import accounts, odd_values
from tests.faults.inputs import Tally, ask, repr_of, sized

Count = Callable[..., None]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Secrets files with a password for each address that there is; both private."""

    for name, content in (("accounts.json", {}), ("secrets.json", {"mailreader": "0123456789abcdef"})):
        (tmp_path / name).write_text(json.dumps(content))
        (tmp_path / name).chmod(0o600)
    return {"accounts_file": str(tmp_path / "accounts.json"), "secrets_file": str(tmp_path / "secrets.json")}


@pytest.mark.parametrize("what", ["inventories", "one_knob"])
def test_an_inventory_is_refused_or_right(what: str, long: bool, count: Count, files: dict[str, str]) -> None:
    tally = Tally()

    @sized(long, 400, 3000)
    @given(getattr(odd_values, what))
    def look(values: dict[str, Any]) -> None:
        ask(files, values, tally)

    look()
    tally.count(count, {"inventories": "whole inventories", "one_knob": "single knobs"}[what])


def test_the_command_line_is_understood_or_refused(long: bool, count: Count, files: dict[str, str]) -> None:
    """`--data KNOB=text`, taken apart by pyinfra."""
    tally = Tally()
    texts = st.one_of(
        odd_values.words, st.text(max_size=12), st.sampled_from(["NaN", "Infinity", "-1", "1_0", "1e999", "9" * 5000])
    )
    whole = st.one_of(texts, odd_values.people.map(as_json), odd_values.aliases.map(as_json))

    @sized(long, 400, 3000)
    @given(st.sampled_from([name for name in Knobs.model_fields if not name.endswith("_file")]), whole)
    def look(knob: str, text: str) -> None:
        ask(files, {knob: handed_over(text)}, tally)
        if knob == "prune_accounts" and text.strip().lower() not in ("yes", "on", "true", "y", "t"):
            try:
                pruned = mail_data({knob: handed_over(text), **files}, "mx1.example.test").prune_accounts
            except DataError as refused:
                assert "prune_accounts" in str(refused)
            else:
                assert not pruned or handed_over(text) == 1

    look()
    tally.count(count, "the command line")


def handed_over(text: str) -> Any:
    """As pyinfra_cli.util.parse_cli_arg does; that package itself would patch this process."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for read in (int, json.loads):
        with suppress(ValueError):
            return read(text)
    return text


def as_json(value: Any) -> str:
    try:
        return json.dumps(value, default=repr_of, skipkeys=True)
    except ValueError:  # a number that Python does not print
        return "[" + "9" * 5000 + "]"


def test_a_secrets_file_is_refused_or_read(long: bool, count: Count, files: dict[str, str]) -> None:
    tally = Tally()
    secret = "Xq7-Sentinel-9z"
    json_values = st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.just(secret), st.text(max_size=10)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
        max_leaves=6,
    )
    keys = st.sampled_from(["foo@example.test", "FOO@example.test", "bar@example.test", "", secret, "é@example.test"])
    accounts = st.dictionaries(keys, st.one_of(json_values, st.just(secret)), max_size=4)
    right = {"foo@example.test": secret, "bar@example.test": secret}
    written = st.one_of(
        st.just(right),
        accounts,
        accounts.map(lambda more: {**more, **right}),
        json_values,
    ).map(lambda value: json.dumps(value).encode())
    mangled = st.tuples(written, st.binary(max_size=3), st.integers(0, 60)).map(
        lambda m: m[0][: m[2]] + m[1] + m[0][m[2] :]
    )

    @sized(long, 300, 4000)
    @given(st.one_of(written, mangled, st.binary(max_size=40)))
    def look(content: bytes) -> None:
        Path(files["accounts_file"]).write_bytes(content)
        found: list[MailData] = []

        def do() -> list[str]:
            try:
                found.append(mail_data(files, "mx1.example.test"))
            except DataError as error:
                assert secret not in str(error), "a secret is quoted"
                return error.problems
            return []

        tally.look(content, do, lambda: [str(v) for v in found[0].secrets.accounts.values() if not isinstance(v, str)])

    look()
    tally.count(count, "secrets files")


def test_a_password_is_refused_or_stored(long: bool, count: Count) -> None:
    """What is accepted verifies as what it is, and the stored text itself is never a password."""
    tally = Tally()
    typed = "a hash's own password"
    plain = st.text(st.characters(max_codepoint=0x250), max_size=300)
    marks = st.sampled_from(
        ["{", "{}", "{PLAIN}", "{argon2id}", "{BLF-CRYPT.hex}", "$6$", "$2y$05$", "{CRYPT}", "}{", "{SHA512-CRYPT}"]
    )
    ready = st.sampled_from(accounts.hashed(typed))
    mangled = st.tuples(ready, st.integers(0, 120), st.text(max_size=2), st.integers(0, 3)).map(
        lambda m: m[0][: m[1]] + m[2] + m[0][m[1] + m[3] :]
    )

    @sized(long, 150, 1500)
    @given(st.one_of(plain, st.tuples(marks, plain).map("".join), ready, mangled))
    def look(secret: str) -> None:
        def do() -> list[str]:
            problem = passwords.problem(secret)
            hidden = secret.partition("}")[2] or secret
            assert len(hidden) < 12 or hidden not in problem or hidden.startswith("{"), "the secret is quoted"
            return [f"accounts.json: the password {problem}"] if problem else []

        def right() -> list[str]:
            stored = passwords.stored(secret, "SHA512-CRYPT")
            if passwords.is_hash(secret):
                return [] if stored.partition("}")[2] == secret.partition("}")[2] else ["the hash was altered"]
            ours = passwords.verifies(secret, stored) and not passwords.verifies("another", stored)
            return [] if ours and secret.isascii() and len(secret) <= passwords.LONGEST else ["it does not verify"]

        tally.look(secret, do, right)

    look()
    tally.count(count, "passwords")
