"""What a stranger's letter looks like to its last receiver when it leaves here again: by an alias, or by a user's Sieve script.

The world's judge says it, and he shares no code with us. Why aliases get no envelope sender of ours (SRS): docs/defaults.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from checks.clients.managesieve import NAME, session
from checks.engine.target import Target
from lab import Host
from tests.live import traffic
from tests.live.test_signatures import OURS
from tests.live.test_strangers import SQL
from tests.live.traffic import ALICE, delivered, folder, judged, message, out_there, read, send, settled, until

CAROL, EVE, FOO, BAR, ALIAS = (
    "carol@example.net",
    "eve@example.com",
    "foo@example.test",
    "bar@example.test",
    "out@example.test",
)
FORGED = (("List-Id", "<belts.example.com>"),)  # a list with an SPF record of its own: no sign of a forgery, up to here
pytestmark = pytest.mark.usefixtures("no_mail")


@pytest.fixture
def alias(mailserver: Host) -> Iterator[str]:
    """An alias that leads outside."""
    mailserver.run(SQL, stdin=f"INSERT INTO aliases (alias, email) VALUES ('{ALIAS}', '{ALICE}')")
    yield ALIAS
    mailserver.run(SQL, stdin=f"DELETE FROM aliases WHERE alias = '{ALIAS}'")


@pytest.fixture
def redirected(target: Target) -> Iterator[str]:
    """A user whose script sends all mail on."""
    with session(target, 1) as client:
        assert client.putscript(NAME, f'redirect "{ALICE}";') and client.setactive(NAME), client.words()
        yield BAR


def sent_on(world: Host, to: str, author: str, *headers: tuple[str, str], sender: str) -> tuple[dict[str, Any], str]:
    """A letter from the world, as it is once it has come back there: the judge's findings, and its text."""
    mark, text = message(to, *headers, sender=author)
    send(world, text, to, sender=sender)
    path = out_there(world, mark)
    return judged(world, path), read(world, path)


def test_an_alias_that_leads_outside_breaks_spf_and_not_dkim(mailserver: Host, world: Host, alias: str) -> None:
    found, text = sent_on(world, alias, CAROL, sender=CAROL)
    assert found["envelope_sender"] == CAROL and found["spf"]["result"] == "fail"
    assert [(one["domain"], one["result"]) for one in found["dkim"]] == [("example.net", "pass")]
    assert found["dmarc"]["result"] == "pass" and found["dmarc"]["aligned"] == {"spf": False, "dkim": True}
    assert found["verdict"]["few"]["place"] == "inbox", found["verdict"]
    assert not re.search(OURS, text)


def test_a_redirect_is_under_the_users_own_address(mailserver: Host, world: Host, redirected: str) -> None:
    found, text = sent_on(world, redirected, CAROL, sender=CAROL)
    assert found["envelope_sender"] == redirected
    assert (found["spf"]["domain"], found["spf"]["result"]) == ("example.test", "pass")
    assert found["dmarc"]["result"] == "pass" and found["dmarc"]["aligned"] == {"spf": False, "dkim": True}
    assert not re.search(OURS, text)


def test_its_bounce_comes_to_the_user_and_not_to_the_stranger(mailserver: Host, world: Host, target: Target) -> None:
    script = (
        'require "copy"; redirect :copy "nobody-at-all@example.net";'  # without a copy the bounce would be sent on, too
    )
    with session(target, 1) as client:
        assert client.putscript(NAME, script) and client.setactive(NAME), client.words()
        mark, text = message(BAR, sender=CAROL)
        send(world, text, BAR, sender=CAROL)
        find = f"grep -rlF -- {mark} /home/mail/example.test/bar | xargs -r grep -l '^Subject: Undelivered Mail'"
        until(lambda: mailserver.run(find, check=False).stdout, "the bounce comes to bar")
        settled(mailserver, world)
    assert traffic.mail_out_there(world) == []


def test_a_stranger_in_our_name_is_not_believed_by_way_of_an_alias(mailserver: Host, world: Host, alias: str) -> None:
    """With an envelope sender of ours (SRS) it would be: SPF would pass for the domain in From."""
    for headers in ((), FORGED):
        found, text = sent_on(world, alias, FOO, *headers, sender=EVE)
        assert found["dmarc"]["result"] == "fail" and found["verdict"]["few"]["place"] == "refused", found
        assert not re.search(OURS, text)


@pytest.mark.xfail(
    strict=True, reason="SPF for the name in HELO counts for DMARC where there is no sender: docs/security.md"
)
def test_nor_without_an_envelope_sender(mailserver: Host, world: Host, alias: str) -> None:
    found, _ = sent_on(world, alias, FOO, *FORGED, sender="")
    assert found["dmarc"]["result"] == "fail", found


def test_nor_by_way_of_a_users_script(mailserver: Host, world: Host, redirected: str) -> None:
    """It would be under the user's own address. But the door files it, as our DMARC record asks for, and no script sees it."""
    for sender in (EVE, ""):
        mark, text = message(redirected, *FORGED, sender=FOO)
        send(world, text, redirected, sender=sender)
        assert folder(delivered(mailserver, mark)) == "Junk"
    settled(mailserver, world)
    assert traffic.mail_out_there(world) == []
