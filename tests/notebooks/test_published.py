"""What publish() says where there is nothing to publish, or nobody to publish it."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from notebooks.workbench.host import remote, snapshots, where
from notebooks.workbench.host.remote import Done
from notebooks.workbench.message import published, rotation
from notebooks.workbench.show.errors import NotReady
from postmaster.keys import state
from tests.notebooks.test_outside import LAB, place

SHOWN = 'mailroom._domainkey.example.test.\t3600 TXT (\n  "v=DKIM1; p="\n  "abc")\n'
ALONE = {"hosts": {"mx1": {"name": "mx1", "role": "mail"}}}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The words that the lab was told."""
    words: list[tuple[str, ...]] = []
    monkeypatch.setattr(snapshots, "do", lambda _, *said: words.append(said))
    monkeypatch.setattr(remote, "execute", lambda *_, **__: Done(0, SHOWN, ""))
    return words


def at(monkeypatch: pytest.MonkeyPatch, lab: dict[str, Any]) -> None:
    monkeypatch.setattr(where, "_now", [place(lab)])


def test_the_lab_is_told_the_whole_text(monkeypatch: pytest.MonkeyPatch, told: list[tuple[str, ...]]) -> None:
    at(monkeypatch, LAB)
    assert "mailroom._domainkey.example.test" in str(published.publish())
    assert told == [("publish", "mailroom._domainkey.example.test", "v=DKIM1; p=abc")]
    monkeypatch.setattr(snapshots, "do", lambda *_: "no room")
    with pytest.raises(NotReady, match="did not take") as caught:
        published.publish()
    assert caught.value.why == "no room"


def test_the_next_key_is_published_too(monkeypatch: pytest.MonkeyPatch, told: list[tuple[str, ...]]) -> None:
    keys = [
        "--- host",
        "now=1796083200",
        "served=example.test",
        "--- domain example.test",
        "line=mailroom 2026-11-01T00:00:00Z",
    ]
    printed = "\n".join([*keys, "key=mailroom 1 abc", "key=m20261201 2 def"])
    monkeypatch.setattr(remote, "execute", lambda words, **_: Done(0, printed if words == state.SCRIPT else SHOWN, ""))
    at(monkeypatch, LAB)
    assert "m20261201._domainkey.example.test" in str(published.publish())
    assert told[1] == ("publish", "m20261201._domainkey.example.test", "v=DKIM1; p=def")


def test_a_move_that_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, LAB)
    with pytest.raises(NotReady, match="nothing was changed"):
        rotation.dkim("renew")


def test_what_a_kernel_colours_is_shown_without_its_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jupyter's kernels say FORCE_COLOR to all that they start."""
    at(monkeypatch, LAB)
    monkeypatch.setenv("FORCE_COLOR", "1")
    table = "import sys; from rich.console import Console; Console().print('[bold]m1 signs[/bold]')"
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda words, **more: run([words[0], "-c", table], **more))
    assert "m1 signs" in (shown := str(rotation.dkim()._repr_html_())) and "\x1b" not in shown


def test_elsewhere_a_person_publishes_it(monkeypatch: pytest.MonkeyPatch, told: list[tuple[str, ...]]) -> None:
    at(monkeypatch, {})
    assert "python -m postmaster dns print" in str(published.publish()) and not told
    at(monkeypatch, ALONE)
    with pytest.raises(NotReady, match="no world"):
        published.publish()
    monkeypatch.setattr(remote, "execute", lambda *_, **__: Done(1, "", ""))
    with pytest.raises(NotReady, match="no key") as caught:
        published.publish()
    assert "believed.signing" in caught.value.remedy and not told
