"""Our signatures as the world sees them: OpenDKIM judges, which is not what signed, with the key from the DNS."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from checks.clients.managesieve import NAME, session
from checks.engine.target import Target
from lab import Host
from tests.live import traffic
from tests.live.support import MAILSERVER, ON_ONE_WITH_WORLD, applied
from tests.live.test_big_receiver import believed
from tests.live.traffic import (
    ALICE,
    INBOX,
    delivered,
    folder,
    judged,
    message,
    out_there,
    read,
    send,
    settled,
    submitted,
    until,
)

FOO, BAR = "foo@example.test", "bar@example.test"
KEYS = "/etc/amavis/mailroom-dkim"
NAMES = ("mailroom._domainkey.example.test", "world._domainkey.example.net")
OURS = r"(?m)^DKIM-Signature:(?:.|\n\s)*?\bd=example\.test;"
ASKED = r"""for name in $NAMES; do
text=$(dig +short TXT $name | sed 's/" "//g; s/"//g'); [ -z "$text" ] || echo "$name $text"; done >/run/judge.keys
echo 'TestDNSData /run/judge.keys' >/run/judge.conf"""
pytestmark = pytest.mark.usefixtures("no_mail")


def verdict(world: Host, path: str, names: Iterable[str] = NAMES) -> str:
    """What OpenDKIM says of each signature of a letter. It is given the keys that the DNS has: to judge a file it would ask the root
    servers itself, by a resolver that opendkim.conf cannot lead elsewhere then."""
    return world.run(
        f"NAMES='{' '.join(names)}'; {ASKED}; opendkim -x /run/judge.conf -t {path} 2>&1", check=False
    ).stdout


def valid(world: Host, path: str, domain: str = "example.test") -> bool:
    said = verdict(world, path)
    assert re.search(rf"d={re.escape(domain)}\b", said), said
    return bool(re.search(rf"\bd={re.escape(domain)}\b[^\n]*succeeded", said))


@pytest.mark.usefixtures("published")
def test_a_letter_of_foos_is_believed_until_a_word_changes(mailserver: Host, world: Host) -> None:
    path = out_there(world, submitted(mailserver, ALICE))
    assert valid(world, path), verdict(world, path)
    for change in ("s/^A letter[.]/A promise./", "s/^Subject: A/Subject: No/", "s/^To: .*/To: carol@example.net/"):
        world.run(f"sed '{change}' {path} >/tmp/changed && ! cmp -s {path} /tmp/changed")
        assert not valid(world, "/tmp/changed"), change
    world.run(f"sed '1iFrom: The Boss <boss@example.test>' {path} >/tmp/changed")
    assert not valid(world, "/tmp/changed"), "a second From"
    world.run(f"sed '1iReceived: from a by b; Sun, 29 Nov 2026 22:00:00 +0000' {path} >/tmp/changed")
    assert valid(world, "/tmp/changed"), "one hop more"


def test_without_the_record_nobody_believes_it(mailserver: Host, world: Host) -> None:
    path = out_there(world, submitted(mailserver, ALICE))
    assert not valid(world, path)


@pytest.mark.usefixtures("published")
def test_what_programs_of_the_host_write_is_signed(mailserver: Host, world: Host) -> None:
    for user in ("root", "www-data"):
        mark, text = message(ALICE, sender=f"{user} (Cron Daemon)")
        text = re.sub(r"(?m)^From: .*", f"From: {user} (Cron Daemon)", text)
        mailserver.run(f"cd /; runuser -u {user} -- /usr/sbin/sendmail -i {ALICE}", stdin=text)
        path = out_there(world, mark)
        assert valid(world, path), verdict(world, path)
        assert believed(found := judged(world, path)), found


@pytest.mark.usefixtures("published")
def test_a_vacation_answer_is_signed_for_whoever_is_away(mailserver: Host, world: Host, target: Target) -> None:
    with session(target, 0) as client:
        assert client.putscript(NAME, 'require "vacation"; vacation :days 1 "Away.";') and client.setactive(NAME)
        mark, text = message(FOO)
        send(world, text, FOO)
        delivered(mailserver, mark)
        (path,) = until(lambda: traffic.mail_out_there(world), "the answer")
    target.shell("rm -f /home/mail/.home/example.test/foo/.dovecot.lda-dupes")
    assert valid(world, path), verdict(world, path)
    assert "Auto-Submitted: auto-replied" in read(world, path)
    found = judged(world, path)  # it has no sender: SPF is asked for the name of the greeting
    assert believed(found) and found["spf"]["domain"] == mailserver.fqdn, found


@pytest.mark.usefixtures("published")
def test_what_is_only_sent_on_keeps_its_own_signature_and_gets_none_of_ours(
    mailserver: Host, world: Host, target: Target
) -> None:
    with session(target, 1) as client:
        assert client.putscript(NAME, f'redirect "{ALICE}";') and client.setactive(NAME), client.words()
        mark, text = message(BAR, sender="carol@example.net")
        send(world, text, BAR, sender="carol@example.net")
        path = out_there(world, mark)
        settled(mailserver, world)
    assert valid(world, path, "example.net"), verdict(world, path)
    assert not re.search(OURS, read(world, path))


@pytest.mark.usefixtures("published")
def test_our_letter_that_a_forwarder_brings_back_is_no_forgery(mailserver: Host, world: Host) -> None:
    mark = submitted(mailserver, ALICE)
    send(world, read(world, out_there(world, mark)), BAR)
    assert folder(delivered(mailserver, mark)) == INBOX


def test_postfixs_own_bounce_is_not_signed(mailserver: Host, world: Host) -> None:
    """As documented: it passes no filter. A receiver asks SPF for the name of HELO."""
    mark = submitted(mailserver, "nobody-at-all@example.net")
    found = f"grep -rlF -- {mark} /home/mail/example.test/foo/new /home/mail/example.test/foo/cur"
    path = until(lambda: mailserver.run(found, check=False).stdout.strip(), "the bounce").splitlines()[0]
    text = read(mailserver, path)
    assert "Undelivered Mail" in text and not re.search(OURS, text.partition("\n\n")[0])


@ON_ONE_WITH_WORLD
def test_another_selector_changes_nothing_and_says_what_does(mailserver: Host) -> None:
    before = mailserver.run(f"sha256sum {KEYS}/*/*").stdout
    run = applied(MAILSERVER, "--data", "dkim_selector=second")
    assert run.changes == 0 and "mailroom signs" in run.output and "postmaster dkim rotate" in run.output
    assert mailserver.run(f"sha256sum {KEYS}/*/*").stdout == before
