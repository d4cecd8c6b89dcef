"""The letters of a whole mail server before the world's judge, as notebook 05 asks him."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from checks.clients import signature
from lab import Host
from lab.cli import main
from notebooks.workbench.message import judged, published, world
from notebooks.workbench.message.letters import Letter
from notebooks.workbench.show.html import Findings
from tests.live.support import sending
from tests.notebooks.test_broken import at_work_on

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]


@pytest.fixture
def whole(mailserver: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A mail host with all chapters on it, which this process's runbook works on."""
    yield from at_work_on(mailserver, monkeypatch)


def asked(letter: object) -> tuple[str, str]:
    """The signs of the five questions, and all that is shown."""
    assert isinstance(letter, Letter) and not letter.refused, letter
    shown = judged.judged(letter)
    assert isinstance(shown, Findings)
    return "".join(row[0] for row in shown.rows), str(shown)


def test_a_letter_of_foos_lacks_a_key_and_nothing_else(whole: Host) -> None:
    """As before chapter 6: a signature that nobody can check is none."""
    signs, told = asked(world.to_world("foo", "alice", "How do we look?"))
    assert signs == "✓✖✓✓✓", told
    assert told.startswith("Gmail would put it into the inbox today.") and "letters a day, it would refuse it" in told
    assert f"is called {whole.fqdn}, and that name leads to it" in told and "yes: TLSv1.3" in told


def test_once_the_key_is_published_it_is_believed(whole: Host) -> None:
    try:
        assert str(published.publish()).startswith("The world's DNS has the other half")
        signs, told = asked(world.to_world("foo", "zoe@example.org", "Believed"))
    finally:
        for name in signature.read(whole.run("amavisd showkeys 2>/dev/null").stdout):
            main(["publish", name])
    assert signs == "✓✓✓✓✓", told
    assert "letters a day, it would put it into the inbox" in told and "(key mailroom) holds" in told


def test_a_letter_in_foos_name_from_elsewhere_would_be_refused(whole: Host) -> None:
    signs, told = asked(world.from_world("foo@example.test", "zoe@example.org", "It is really me", by="ash"))
    assert signs == "✖✖✖✖✓", told
    assert told.startswith("Gmail would refuse it today.") and "neither SPF nor DKIM" in told


def test_a_letter_without_tls_would_be_refused(whole: Host) -> None:
    with sending(whole, "smtp_tls_security_level=none"):
        signs, told = asked(world.to_world("foo", "alice", "An open postcard"))
    assert signs == "✓✖✓✖✓", told
    assert told.startswith("Gmail would refuse it today.") and "without TLS" in told
