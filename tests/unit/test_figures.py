"""The report of `make faults` says what was counted, and is not green over a figure that has to be zero."""

from pathlib import Path

import pytest
from rich.console import Console

from tests.faults import figures


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "file", lambda: tmp_path / "figures")


def test_a_row_is_shown_with_its_sum() -> None:
    figures.count("attacks", "relay", "trixie", tried=40, refused=40, got_in=0)
    figures.count("attacks", "relay", "bookworm", tried=2, refused=2, got_in=0)
    console = Console(record=True, width=100)
    figures.show(console)
    text = console.export_text()
    assert "bookworm" in text and "42" in text.splitlines()[-2]
    assert figures.not_zero(figures.rows()) == []


def test_what_has_to_be_zero_is_named() -> None:
    figures.count("faults", "kill -9 qmgr", "trixie", injected=3, lost=1, altered=0, duplicated=0, seconds=4)
    assert figures.not_zero(figures.rows()) == ["faults: kill -9 qmgr trixie: lost is 1"]


def test_a_column_that_is_missing_is_an_error() -> None:
    with pytest.raises(ValueError, match="got in"):
        figures.count("attacks", "relay", tried=1, refused=1)
