"""People's sessions on the mail host's ports: some that last, and some that come and go."""

from __future__ import annotations

import imaplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from checks.clients import managesieve
from checks.engine.target import Target
from lab import Host
from tests.live import stranger
from tests.live.traffic import message, password, submission

FOO, BAR = "foo@example.test", "bar@example.test"


def session(host: Host, port: int = 993) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    where = ("127.0.0.1", host.record["ports"][str(port)])
    if port == 993:
        client: imaplib.IMAP4 = imaplib.IMAP4_SSL(*where, ssl_context=context, timeout=30)
    else:
        client = imaplib.IMAP4(*where, timeout=30)
        client.starttls(context)
    client.login(FOO, password(FOO))
    return client


@contextmanager
def held(host: Host, target: Target) -> Iterator[None]:
    """A conversation on each of the six ports, which goes on afterwards as if nothing had happened."""
    with ExitStack() as open_ones:
        readers = [session(host, port) for port in (993, 143)]
        senders = [open_ones.enter_context(submission(host, FOO, port)) for port in (587, 465)]
        senders.append(open_ones.enter_context(stranger.session(host)))
        scripts = open_ones.enter_context(managesieve.session(target, 0))
        for one in readers:
            one.select()
        yield
        assert [one.noop()[0] for one in readers] == ["OK"] * 2
        assert scripts.listscripts() is not None, scripts.words()
        assert [sender.noop()[0] for sender in senders] == [250] * 3
        for sender in senders[:2]:
            sender.sendmail(FOO, [BAR], message(BAR, sender=FOO)[1])
        for one in readers:
            one.logout()


class Readers:
    """People who log in and out again, one after the other, while something happens."""

    def __init__(self, host: Host) -> None:
        self.host, self.done, self.cut, self.failed = host, 0, 0, list[str]()
        self.going = threading.Event()
        self.threads = [threading.Thread(target=self.read) for _ in range(2)]

    def __enter__(self) -> Readers:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.going.set()
        for thread in self.threads:
            thread.join()

    def read(self) -> None:
        again = False
        while not self.going.is_set() or again:
            try:
                session(self.host).logout()
                self.done, again = self.done + 1, False
            except (OSError, imaplib.IMAP4.abort) as error:
                # who is about to log in while Dovecot reads its certificate is cut off, and tries again, as every client does
                if again:
                    self.failed.append(repr(error))
                self.cut, again = self.cut + 1, not again
            except imaplib.IMAP4.error as error:
                self.failed.append(repr(error))
