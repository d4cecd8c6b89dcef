"""PostgreSQL restarted under people's IMAP sessions: they go on or reconnect, and nobody ever sees another's mailbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from checks.clients.mail import imap_bare
from checks.engine.target import Target
from lab import Host
from tests.live import traffic

SUBJECT = "Whose mailbox this is: "


def whose(client: IMAPClient) -> str:
    """The owner that the letter in this mailbox names."""
    client.select_folder("INBOX", readonly=True)
    uids = client.search(["SUBJECT", SUBJECT.strip()])
    found = client.fetch(uids, ["ENVELOPE"])
    return ", ".join(parts[b"ENVELOPE"].subject.decode().removeprefix(SUBJECT) for parts in found.values())


@dataclass
class People:
    """Logins again and again, by both, while something happens."""

    target: Target
    good: int = 0
    strange: list[str] = field(default_factory=list)  # somebody else's mailbox
    rejected: list[str] = field(default_factory=list)  # "wrong password", said to the right one
    stop: threading.Event = field(default_factory=threading.Event)

    def more(self, than: int) -> bool:
        return self.good > than

    def live(self, number: int) -> None:
        user, password = self.target.account(number)
        while not self.stop.wait(0.1):
            try:
                with imap_bare(self.target, 993) as client:
                    client.login(user, password)
                    self.good += 1
                    if (owner := whose(client)) != user:
                        self.strange.append(f"{user} saw the mailbox of {owner or 'nobody'}")
            except LoginError as error:
                if "AUTHENTICATIONFAILED" in str(error):
                    self.rejected.append(f"{user}: {error}")
            except (IMAPClientError, OSError):
                pass  # not available for the moment, or cut off: a client tries again


@pytest.fixture
def named(mailserver: Host, target: Target) -> Iterator[Host]:
    """In each mailbox a letter that says whose it is."""
    traffic.settled(mailserver)
    traffic.empty(mailserver)
    for number in (0, 1):
        user, password = target.account(number)
        with imap_bare(target, 993) as client:
            client.login(user, password)
            client.append("INBOX", f"Subject: {SUBJECT}{user}\r\n\r\nA letter.\r\n".encode())
    yield mailserver
    traffic.empty(mailserver)


@pytest.mark.parametrize("what", ["restart", "kill -9 of every backend"])
def test_postgresql_restarted_under_sessions(
    what: str, named: Host, target: Target, long: bool, count: Callable[..., None]
) -> None:
    times = 4 if long else 1
    command = "systemctl restart postgresql" if what == "restart" else "pkill -9 -f 'postgres: .*mailreader'"
    people, gone, seconds = People(target), 0, 0.0
    threads = [threading.Thread(target=people.live, args=(number % 2,)) for number in range(4)]
    with ExitStack() as stack:
        sessions = []
        for number in (0, 1, 0, 1):
            client = stack.enter_context(imap_bare(target, 993))
            client.login(*target.account(number))
            assert whose(client) == target.account(number)[0]
            sessions.append((number, client))
        for thread in threads:
            thread.start()
        for _ in range(times):
            time.sleep(1)
            named.run(command, check=False)
            before, begun = people.good, time.monotonic()
            traffic.until(partial(people.more, before + 4), "people log in again", 60)
            seconds = max(seconds, time.monotonic() - begun)
        people.stop.set()
        for thread in threads:
            thread.join()
        for number, client in sessions:
            try:
                client.noop()
                if whose(client) != target.account(number)[0]:
                    people.strange.append(f"the session of {target.account(number)[0]} went on as somebody else's")
            except (IMAPClientError, OSError):
                gone += 1  # it may be: whoever reconnects gets in, as those above did
    name = f"PostgreSQL: {what}, under IMAP sessions, {people.good} logins"
    strange = len(people.strange)
    count("faults", name, named.suite, injected=times, lost=0, altered=strange, duplicated=0, seconds=round(seconds, 1))
    assert people.strange == []
    assert people.rejected == [], "the right password was called wrong: a client asks its user for another"
    assert gone == 0, f"{gone} of {len(sessions)} open sessions were cut off, though they need no database"
