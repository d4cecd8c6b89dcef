"""The sentinel itself: it finds a secret in every form in which one could slip out, and nothing where there is none."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.notebooks.secrets import leaks

SECRET = "s3cret<&>word"
PLAIN = base64.b64encode(f"\0foo@example.test\0{SECRET}".encode()).decode()


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    (tmp_path / "accounts.json").write_text(json.dumps({"foo@example.test": SECRET}))
    (tmp_path / "secrets.json").write_text(json.dumps({"mailreader": "another"}))
    (tmp_path / "id_ed25519").write_text("-----BEGIN\nfirst\nsecondline\nthirdline\n-----END\n")
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        PLAIN,
        "s3cret&lt;&amp;&gt;word",
        "password=another",
        "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$abc",
        "thirdline",
    ],
)
def test_a_leak_is_found_and_not_repeated(text: str, lab: Path, tmp_path: Path) -> None:
    file = tmp_path / "notebook.ipynb"
    file.write_text(f"before {text} after")
    found = leaks([file], lab)
    assert found and found[0].startswith("notebook.ipynb") and SECRET not in str(found)


def test_what_is_masked_is_no_leak(lab: Path, tmp_path: Path) -> None:
    file = tmp_path / "notebook.ipynb"
    file.write_text("password = (secret) {ARGON2ID}$(hash) '{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$…'")
    assert leaks([file], lab) == []
