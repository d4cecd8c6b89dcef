"""Debian's NeoMutt is set up with what the server's own page says, an address and a password, and writes and reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote
from uuid import uuid4
from xml.etree import ElementTree

import pytest

from lab import Host
from tests.live.support import packages
from tests.live.test_discovery import BAR, CA, FOO, PAGE, desk, logins
from tests.live.traffic import password, until

__all__ = ["desk"]
FOLDER = "/root/neomutt"
# The whole address is the user name, and @ ends it in a URL. All else is as Debian has it, the authorities too.
SETTINGS = """set from = "{address}"
set imap_user = "{user}"
set imap_pass = "`cat {folder}/password`"
set smtp_pass = $imap_pass
set folder = "imaps://{imap}/"
set spool_file = "imaps://{imap}/INBOX"
unset record
set smtp_url = "smtps://{login}@{smtp}/"
set ssl_force_tls
unset wait_key
set pipe_decode
"""


@dataclass
class NeoMutt:
    """The program of one person, who has an address, a password and a desk."""

    host: Host
    address: str

    def __post_init__(self) -> None:
        self.folder = f"{FOLDER}/{self.address}"

    def set_up(self) -> None:
        """The first of the servers that the page offers; NeoMutt would not ask by itself."""
        page = ElementTree.fromstring(self.host.run(["curl", "-sSf", PAGE]).stdout)
        server = {}
        for kind in ("incomingServer", "outgoingServer"):
            one = {each.tag: str(each.text) for each in next(page.iter(kind))}
            assert (one["socketType"], one["authentication"]) == ("SSL", "password-cleartext"), one
            server[kind] = f"{one['hostname']}:{one['port']}"
            user = one["username"].replace("%EMAILADDRESS%", self.address)
        text = SETTINGS.format(
            address=self.address,
            user=user,
            login=quote(user),
            folder=self.folder,
            imap=server["incomingServer"],
            smtp=server["outgoingServer"],
        )
        self.host.run(f"mkdir -p {self.folder}; umask 077; cat >{self.folder}/settings", stdin=text)
        self.host.run(f"umask 077; cat >{self.folder}/password", stdin=password(self.address))

    def sent(self, to: str, subject: str, text: str) -> bool:
        """Whether the letter has left; Debian 12's does not say why, if not."""
        words = ["timeout", "60", "neomutt", "-F", f"{self.folder}/settings", "-s", subject, "--", to]
        return self.host.run(words, stdin=text, check=False).returncode == 0

    def read(self, subject: str, patience: int = 20) -> str:
        """The letter of this subject, as the program shows it: keys are typed ahead, on a terminal of its own."""
        file = f"{self.folder}/read"
        keys = f"<limit>~s {subject}<enter><pipe-message>cat >{file}<enter><exit><exit>"
        run = f"neomutt -F {self.folder}/settings -e 'push \"{keys}\"'"
        typed = f'rm -f {file}; TERM=xterm timeout {patience} script -qec "$1" /dev/null'
        self.host.run(["sh", "-c", typed, "-", run], check=False)
        return self.host.run(f"cat {file} 2>/dev/null", check=False).stdout


@pytest.fixture
def foo(desk: Host) -> Iterator[NeoMutt]:
    packages(desk, "neomutt")
    yield NeoMutt(desk, FOO)
    desk.run(f"rm -rf {FOLDER}")


def test_neomutt_writes_and_reads_with_what_the_page_says(foo: NeoMutt, desk: Host, mailserver: Host) -> None:
    """And a server whose certificate it does not trust gets neither letter nor password."""
    since, subject, other = mailserver.run("date +%s").stdout.strip(), uuid4().hex, uuid4().hex
    foo.set_up()
    assert foo.sent(BAR, subject, "Written without a mouse.\n")
    bar = NeoMutt(desk, BAR)
    bar.set_up()
    shown = until(lambda: bar.read(subject), "bar's program shows it")
    assert "Written without a mouse." in shown and subject in shown
    assert logins(mailserver, since) >= {(FOO, "smtps"), (BAR, "imap")}

    desk.run(f"rm -f {CA}; update-ca-certificates --fresh")
    since = mailserver.run("sleep 1; date +%s").stdout.strip()
    assert not foo.sent(BAR, other, "Not this one.\n") and not bar.read(subject, 3)
    assert not logins(mailserver, since) and not mailserver.run(f"grep -rl {other} /home/mail", check=False).stdout
