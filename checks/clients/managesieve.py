"""ManageSieve as a client speaks it (RFC 5804), over TLS with our trust."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sievelib import managesieve

from checks.clients import mail, tls
from checks.engine import Failed, Target

PORT = 4190
NAME = "mailroom-check"


class Client(managesieve.Client):
    """The library's client, that trusts what all our checks trust and verifies the mail host's name."""

    sock: Any

    def __init__(self, target: Target) -> None:
        host, port = target.vantage.endpoint(target.address, PORT)
        super().__init__(host, port, srvhostname=target.hostname)
        self.trust = tls.careful(target)

    # Where the library makes its own context, with no say of ours. Were it renamed there, the system's trust would
    # decide: a self-signed certificate would be refused, never one taken that should not be.
    def _Client__enable_ssl(self, keyfile: str | None = None, certfile: str | None = None) -> None:
        self.sock.settimeout(mail.PATIENCE)
        self.sock = self.trust.wrap_socket(self.sock)

    def words(self) -> str:
        return " ".join((self.errmsg or b"nothing more").decode(errors="replace").split())


@contextmanager
def session(target: Target, number: int) -> Iterator[Client]:
    """Logged in as that account. The script that was active is so again at the end, and ours is gone."""
    client = Client(target)
    user, password = target.account(number)
    if not client.connect(user, password, starttls=True):
        raise Failed(f"login as {user} refused: {client.words()}")
    active, _ = client.listscripts() or ("", [])
    try:
        yield client
    finally:
        client.setactive(active or "")
        client.deletescript(NAME)
        with suppress(managesieve.Error, OSError):
            client.logout()
        client.sock.close()


def answer(lines: Iterator[bytes]) -> list[str]:
    """The lines up to the one that says OK, NO or BYE."""
    found = []
    for raw in lines:
        found.append(raw.decode(errors="replace").strip())
        if found[-1].startswith(("OK", "NO", "BYE")):
            return found
    raise Failed(f"port {PORT} closed the connection after: {found[-1] if found else 'nothing'}")
