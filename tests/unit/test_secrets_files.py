"""The two files with passwords: refused with a sentence that tells none of them."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.inventories import GOOD, SERVICES, good, problems, put


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ({**GOOD, "foo@example.test": ""}, 0o600, "the password of foo@example.test is empty"),
        ({**GOOD, "foo@example.test": "short"}, 0o600, "shorter than 8"),
        ({**GOOD, "foo@example.test": "with\nnewline"}, 0o600, "control character"),
        (GOOD, 0o644, "may be read by others (mode 644); run: chmod 600"),
        ("{", 0o600, "cannot be read"),
        (["foo"], 0o600, "one JSON object"),
        ({**GOOD, "foo@example.test": 12345678}, 0o600, "the value of 'foo@example.test' is a number"),
        ({**GOOD, "foo@example.test": None}, 0o600, "the value of 'foo@example.test' is null"),
        ({**GOOD, "foo@example.test": {"password": "sh0rt"}}, 0o600, "is an object; it has to be a text"),
        ({**GOOD, "FOO@example.test": "another one"}, 0o600, "'foo@example.test' is in it twice"),
        ('{"foo@example.test": "one one one", "foo@example.test": "two two two"}', 0o600, "is in it twice"),
        ({**GOOD, "a secret, the wrong way round": 1}, 0o600, "the value of one entry is a number"),
        ({**GOOD, "foo@example.test": "with\0nul here"}, 0o600, "control character"),
        ({**GOOD, "foo@example.test": "half \ud800 of it"}, 0o600, "beyond ASCII"),
        ("\ufeff{}", 0o600, "begins with a byte order mark"),
        ("", 0o600, "is empty; it has to be one JSON object"),
        (b'{"foo@example.test": "\xff\xfe good password"}', 0o600, "is not UTF-8 (byte 22)"),
        ("[" * 100_000, 0o600, "or its nesting too deep"),
        ('{"a": ' + "9" * 5000 + "}", 0o600, "cannot be read"),
        ("NaN", 0o600, "one JSON object"),
    ],
)
def test_accounts_file_refused(knobs: dict[str, Any], tmp_path: Path, content: Any, mode: int, said: str) -> None:
    found = problems(knobs, accounts_file=put(tmp_path / "bad.json", content, mode))
    assert any(said in problem for problem in found)
    assert not any("with\nnewline" in problem or "short'" in problem for problem in found)


def test_missing_secrets_file(knobs: dict[str, Any]) -> None:
    assert any("there is no secrets file" in problem for problem in problems(knobs, secrets_file="/nowhere"))


def test_what_is_no_file(knobs: dict[str, Any], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert any("is a directory" in problem for problem in problems(knobs, accounts_file=str(tmp_path)))
    assert any("is not a regular file" in problem for problem in problems(knobs, accounts_file=str(tmp_path / "pipe")))
    assert any("cannot be read" in problem for problem in problems(knobs, accounts_file="/" + "x" * 5000))
    assert any("write the whole path" in problem for problem in problems(knobs, accounts_file="~/nowhere.json"))
    same = knobs["accounts_file"]
    assert any("a file each" in problem for problem in problems(knobs, accounts_file=same, secrets_file=same))


@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\u0661", "'"])
def test_a_role_password_ends_where_it_ends(knobs: dict[str, Any], tmp_path: Path, end: str) -> None:
    """With a line end behind it, which `$` lets pass, every login and every delivery failed."""
    changed = put(tmp_path / "ends.json", {"mailreader": SERVICES["mailreader"] + end})
    assert any("'mailreader' needs a password" in problem for problem in problems(knobs, secrets_file=changed))


def test_weak_role_password(knobs: dict[str, Any], tmp_path: Path) -> None:
    found = problems(knobs, secrets_file=put(tmp_path / "weak.json", {"mailreader": "it's mine"}))
    assert any("needs a password of at least 16" in problem for problem in found)
    assert not any("it's mine" in problem for problem in found)


def test_secrets_are_not_in_the_repr(knobs: dict[str, Any]) -> None:
    assert "a good password" not in repr(good(knobs)) and SERVICES["mailreader"] not in repr(good(knobs))
