"""ManageSieve on 4190: a user's own scripts, over TLS and with the own password alone (RFC 5804)."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sievelib import managesieve

from checks import applied, tls
from checks.mail import PATIENCE
from checks.model import LAST, Failed, check
from checks.reach import listens
from checks.target import Target

PORT = 4190
NAME = "mailroom-check"
NEEDS = ("login", "managesieve")
SCRIPT = 'require "fileinto";\nif header :is "X-Mailroom" "check" { fileinto "Junk"; }\n'
BROKEN = 'require "fileinto";\nkeep;\nfileinto "Junk"\n'


class Desk(managesieve.Client):
    """The library's client, that trusts what all our checks trust and verifies the mail host's name."""

    sock: Any

    def __init__(self, target: Target) -> None:
        host, port = target.vantage.endpoint(target.address, PORT)
        super().__init__(host, port, srvhostname=target.hostname)
        self.trust = tls.careful(target)

    # Where the library makes its own context, with no say of ours. Were it renamed there, the system's trust would
    # decide: a self-signed certificate would be refused, never one taken that should not be.
    def _Client__enable_ssl(self, keyfile: str | None = None, certfile: str | None = None) -> None:
        self.sock.settimeout(PATIENCE)
        self.sock = self.trust.wrap_socket(self.sock)

    def words(self) -> str:
        return " ".join((self.errmsg or b"nothing more").decode(errors="replace").split())


@contextmanager
def desk(target: Target, number: int) -> Iterator[Desk]:
    """Logged in as that account. The script that was active is so again at the end, and ours is gone."""
    client = Desk(target)
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


@check("sieve.managesieve.listens", "ManageSieve answers on port 4190", needs=("dovecot",), provides="managesieve")
def answers(target: Target) -> str:
    applied.sieving(target)
    return listens(target, PORT, "dovecot")


@check(
    "sieve.managesieve.verified",
    "STARTTLS on 4190 shows the mail host's certificate",
    needs=("managesieve", "imap tls"),
    remedy="ssl = required in dovecot.conf.",
)
def verified(target: Target) -> str:
    applied.sieving(target)
    return tls.verified(target, PORT)


@check(
    "sieve.managesieve.uploads",
    "bar puts a script there, makes it the active one, and takes it away",
    needs=NEEDS,
    remedy="journalctl -u dovecot | grep managesieve",
)
def uploads(target: Target) -> str:
    applied.sieving(target)
    with desk(target, 1) as client:
        for done in (client.putscript(NAME, SCRIPT), client.setactive(NAME)):
            if not done:
                raise Failed(client.words())
        active, _ = client.listscripts()
        if active != NAME or "X-Mailroom" not in (client.getscript(NAME) or ""):
            raise Failed(f"{active} is active")
        if not client.setactive("") or not client.deletescript(NAME) or NAME in str(client.listscripts()):
            raise Failed(f"it cannot be taken away: {client.words()}")
    return "PUTSCRIPT, SETACTIVE, GETSCRIPT, DELETESCRIPT"


@check("sieve.managesieve.broken", "A broken script is refused, with its line", negative=True, needs=NEEDS)
def broken(target: Target) -> str:
    applied.sieving(target)
    with desk(target, 1) as client:
        if client.putscript(NAME, BROKEN):
            raise Failed("taken")
        words = client.words()
    # the missing semicolon shows at the end of the script
    if "line 4" not in words and "line 3" not in words:
        raise Failed(f"refused, but without its line: {words}")
    return words


@check(
    "sieve.managesieve.starttls",
    "Without TLS no password is asked for, and none is taken",
    negative=True,
    elsewhere=True,
    needs=("managesieve",),
    remedy="ssl = required in dovecot.conf.",
)
def starttls(target: Target) -> str:
    applied.sieving(target)
    # Nobody's password: this line does cross the network in the clear.
    plain = base64.b64encode(b"\0nobody\0nothing").decode()
    with (
        socket.create_connection(target.vantage.endpoint(target.address, PORT), timeout=PATIENCE) as sock,
        sock.makefile("rb") as lines,
    ):
        greeting = answer(lines)
        if any(line.upper().startswith('"SASL" "') and line.upper() != '"SASL" ""' for line in greeting):
            raise Failed(f"it offers {next(line for line in greeting if 'SASL' in line)} before STARTTLS")
        sock.sendall(f'AUTHENTICATE "PLAIN" "{plain}"\r\n'.encode())
        last = answer(lines)[-1]
    if not last.startswith("NO") or "ENCRYPT-NEEDED" not in last:
        raise Failed(f"AUTHENTICATE in the clear: {last}")
    return last


def answer(lines: Iterator[bytes]) -> list[str]:
    """The lines up to the one that says OK, NO or BYE."""
    found = []
    for raw in lines:
        found.append(raw.decode(errors="replace").strip())
        if found[-1].startswith(("OK", "NO", "BYE")):
            return found
    raise Failed(f"port {PORT} closed the connection after: {found[-1] if found else 'nothing'}")


@check(
    "sieve.managesieve.other_name", "A client that wants another host is warned", negative=True, needs=("managesieve",)
)
def other_name(target: Target) -> str:
    applied.sieving(target)
    return tls.other_name_refused(target, PORT)


@check(
    "sieve.managesieve.wrong_password",
    "A wrong password is refused there too",
    negative=True,
    order=LAST,
    elsewhere=True,
    needs=NEEDS,
)
def wrong_password(target: Target) -> str:
    applied.sieving(target)
    client = Desk(target)
    try:
        if client.connect(target.account(0)[0], "not-the-password", starttls=True):
            raise Failed("logged in with a wrong password")
        if b"AUTHENTICATIONFAILED" not in client.errcode + client.errmsg and b"uthentication" not in client.errmsg:
            raise Failed(f"refused, but with: {client.words()}")
        return client.words()
    finally:
        client.sock.close()
