"""Thunderbird is given a name, an address and a password by a person's hands, and reads and writes. `make clients` runs it: it takes
some minutes, most of them for its packages."""

from __future__ import annotations

import os
import re

import pytest

from lab import Host
from tests.live import thunderbird, traffic
from tests.live.test_discovery import CA, FOO, desk, logins
from tests.live.traffic import password, submitted, until

__all__ = ["desk"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("MAILROOM_CLIENTS" not in os.environ, reason="`make clients` runs it"),
]


@pytest.mark.usefixtures("no_mail")
def test_thunderbird_needs_an_address_and_a_password(desk: Host, mailserver: Host) -> None:
    since = mailserver.run("date +%s").stdout.strip()
    traffic.delivered(mailserver, submitted(mailserver, FOO, sender="bar@example.test"))
    with thunderbird.running(desk, CA) as program:
        try:
            told(program)
            saved = until(
                lambda: found if "mail.smtpserver.smtp1.hostname" in (found := program.saved()) else "", "an account"
            )
            assert set(re.findall(r'(?:hostname|port|socketType|try_ssl)", "?([^)"]+)"?\);', saved)) >= {
                mailserver.fqdn,
                "993",
                "465",
                "3",
            }
            assert not re.search(
                r'"mail\.(?:smtp)?server\.\w+\.(?:socketType|try_ssl)", [012]\)', saved.replace("server3", "")
            )
            until(lambda: (FOO, "imap") in logins(mailserver, since), "it reads")
            program.settled()
            program.do("key", "Escape")
            program.settled()
            written(program)
            read = "grep -rl 'Typed by hand' /home/mail/example.test/bar"
            until(lambda: mailserver.run(read, check=False).stdout, "bar has the letter")
            assert (FOO, "smtps") in logins(mailserver, since)
        finally:
            program.picture("thunderbird")


def told(program: thunderbird.Thunderbird) -> None:
    """The name, which it knows from the system, the address, and, when it has found the servers, the password."""
    program.window("Mozilla Thunderbird")
    program.settled()
    program.do("mousemove", "575", "594", "click", "1")
    program.type(FOO)
    program.do("key", "Return")
    program.settled()
    program.do("key", "Return")  # "Account settings found automatically"
    program.settled()
    program.type(password(FOO))
    program.do("key", "Return")


def written(program: thunderbird.Thunderbird) -> None:
    program.do("mousemove", "165", "70", "click", "1")  # New Message
    program.window("^Write:")
    program.settled()
    program.type("bar@example.test")
    program.do("key", "Tab")
    program.do("mousemove", "500", "159", "click", "1")  # Subject
    program.type("From Thunderbird")
    program.do("key", "Tab")
    program.type("Typed by hand.")
    program.do("key", "ctrl+Return")
