"""`make book` has hosts of its own: bare at first, gone afterwards, and the lab at hand is left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab import host, names
from notebooks import book


@pytest.mark.live
def test_the_book_begins_on_a_bare_host_of_its_own(own_lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "LAB", str(own_lab))
    monkeypatch.setenv("MAILROOM_LAB_DIR", ".lab-test-none")
    monkeypatch.setenv("MAILROOM_INVENTORY", "inventories/none.py")
    with book.fresh_lab():
        assert names.directory() == own_lab and "MAILROOM_INVENTORY" not in os.environ
        mx = host("mx1")
        assert "no" in mx.run("command -v postfix || echo no").stdout
        mx.close()
    assert not (own_lab / "lab.json").exists()
