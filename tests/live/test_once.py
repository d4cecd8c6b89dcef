"""A hop that died after it had handed a letter on hands it on again: the reader gets it once, and nothing else is taken for it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from lab import Host
from tests.live import traffic
from tests.live.support import applied
from tests.live.traffic import message

FOO, ALIAS = "foo@example.test", "postmaster@example.test"
pytestmark = pytest.mark.usefixtures("no_mail")

# As Postfix's own client hands over to Amavis, which listens for this host alone. Perl is there, as Amavis is written in it.
HAND_OVER = """perl -MNet::SMTP -0777 -e '
    $letter = <STDIN>; $hop = Net::SMTP->new("127.0.0.1", Port => 10024, Hello => "localhost", Timeout => 60) or die "Amavis: $@";
    $hop->mail("alice\\@example.net") or die $hop->message; for (@ARGV) { $hop->to($_) or die $hop->message }
    $hop->data($letter) or die $hop->message; $hop->quit' """


BEGUN = datetime.now(UTC)


def received(queue_id: str, by: str = "mx1.example.test", second: int = 0) -> str:
    """What our first hop writes above a letter. Of the ids, each test takes its own; the time is today's, or the letter is spam."""
    time = format_datetime(BEGUN + timedelta(seconds=second))
    return (
        "Received: from elm.homes.example.net (elm.homes.example.net [198.19.0.9])\n"
        f"\tby {by} (Postfix) with ESMTPS id {queue_id}\n\tfor <{FOO}>; {time} (UTC)\n"
    )


def copies(host: Host, mark: str) -> int:
    """How many of them are in mailboxes, once nothing is on its way."""
    traffic.until(lambda: traffic.places(host, [mark])[mark], "a first one arrives")
    traffic.settled(host)
    return len(traffic.places(host, [mark])[mark])


def test_a_letter_that_is_handed_on_again_arrives_once(mailserver: Host) -> None:
    mark, text = message(FOO)
    for _ in range(3):
        mailserver.run(HAND_OVER + FOO, stdin=received(mark) + text)
        assert copies(mailserver, mark) == 1


OTHERS: dict[str, Callable[[str], str]] = {
    "the same letter, sent again: a Message-ID is the sender's": lambda mark: received(mark[1:]),
    "an id that is used again": lambda mark: received(mark, second=1),
    "below another's line, what the sender wrote": lambda mark: received(mark[1:]) + received(mark),
    "another server's line": lambda mark: received(mark, by="mx1.example.org"),
    "no line": lambda mark: "",
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_letter_is_another(other: str, mailserver: Host) -> None:
    mark, text = message(FOO)
    mailserver.run(HAND_OVER + FOO, stdin=received(mark) + text)
    assert copies(mailserver, mark) == 1
    mailserver.run(HAND_OVER + FOO, stdin=OTHERS[other](mark) + text)
    traffic.until(lambda: copies(mailserver, mark) == 2, "the second is another letter", 20)


def test_the_first_letter_of_all(mailserver: Host) -> None:
    """Into a mailbox that has no home yet but the deploy's; nothing is wrong in Dovecot's journal."""
    home = "/home/mail/.home/example.test/foo"
    applied("deploys.chapters.sieve.lmtp")  # what other tests have left
    mailserver.run(f"rm -rf {home}")
    run = applied("deploys.chapters.sieve.lmtp")
    assert run.changes == 1, run.changed
    assert mailserver.run(f"stat -c '%U %a' {home}").stdout == "vmail 700\n"
    begun = mailserver.run("date '+%F %T'").stdout.strip()
    mark, text = message(FOO)
    for _ in range(2):
        mailserver.run(HAND_OVER + FOO, stdin=received(mark) + text)
        assert copies(mailserver, mark) == 1
    assert mailserver.run(f"journalctl -q -u dovecot --since '{begun}' -g 'Error|Warning'", check=False).stdout == ""


def test_what_could_not_be_stored_is_no_copy(mailserver: Host) -> None:
    """Its scripts have run, the mailbox could not take it: the next try must not find it on the list, or it were lost."""
    box = "/home/mail/example.test/foo/tmp"
    first, text = message(FOO)
    mailserver.run(HAND_OVER + FOO, stdin=received(first) + text)
    assert copies(mailserver, first) == 1  # so the mailbox is there
    mark, text = message(FOO)
    mailserver.run(f"chown root: {box} && chmod 700 {box}")
    try:
        mailserver.run(HAND_OVER + FOO, stdin=received(mark) + text)
        traffic.until(lambda: "dovecot-lmtp" in mailserver.run("postqueue -j").stdout, "it waits", 20)
    finally:
        mailserver.run(f"chown vmail: {box}")
    mailserver.run("postqueue -f")
    assert copies(mailserver, mark) == 1


def test_each_alias_gets_its_copy(mailserver: Host) -> None:
    mark, text = message(FOO)
    for _ in range(2):
        mailserver.run(HAND_OVER + f"{FOO} {ALIAS}", stdin=received(mark) + text)
        traffic.settled(mailserver)
    assert copies(mailserver, mark) == 2
