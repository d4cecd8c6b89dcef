"""SMTP and IMAP spoken by hand, line by line, with who says what. Passwords are put in and masked by the runbook."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Callable, Iterable

from checks.clients import tls
from notebooks.workbench.host import remote, snapshots, where
from notebooks.workbench.host.commands import Expect, begins
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotExpected, NotReady, Trouble

WHO = {"you": "C", "server": "S", "note": "·"}


class Dialogue(html.Shown):
    """Who said what, in order."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.said: list[tuple[str, str]] = []

    def add(self, who: str, text: str) -> None:
        self.said.append((who, remote.masked(text)))

    def __str__(self) -> str:
        return "\n".join([self.title, *(f"{WHO[who]}: {line}" for who, text in self.said for line in text.split("\n"))])

    def body(self) -> str:
        rows = "".join(
            f'<tr class="{who}"><td class="s"><span class="who {who}">{"" if who == "note" else who}</span></td>'
            f"<td><pre>{html.escape(text)}</pre></td></tr>"
            for who, text in self.said
        )
        return (
            f"<div class=dim>{html.escape(self.title)}</div><div class=wide><table><tbody>{rows}</tbody></table></div>"
        )

    def expect(self, wanted: Expect | None) -> Dialogue:
        """Raise unless the server has said all of these: the beginning of a reply, or "re:…"."""
        for one in (wanted,) if isinstance(wanted, str) else wanted or ():
            if not any(begins(text, one) for who, text in self.said if who == "server"):
                raise NotExpected(
                    f"The server never said {one!r}.", str(self), "Read the dialogue: who stopped, and why?"
                )
        return self


class Line:
    """A connection that is read and written line by line."""

    def __init__(self, dialogue: Dialogue, port: int, via: str | None) -> None:
        self.here, self.dialogue, self.port = where.place(), dialogue, port
        self.target = self.here.target(via or "")
        address = "127.0.0.1" if via == self.here.name else self.here.address
        if why := self.target.vantage.probe(address, port):
            raise OSError(why)
        self.sock: socket.socket = socket.create_connection(self.target.vantage.endpoint(address, port), timeout=15)
        self.file = self.sock.makefile("rb")

    def secure(self) -> None:
        """Agree on TLS, as a careful client does: the name and the trust are looked at."""
        try:
            secured = tls.careful(self.target).wrap_socket(self.sock)
        except (ssl.SSLError, ConnectionError, TimeoutError, Trouble) as error:
            self.dialogue.add(
                "note", f"no TLS: {getattr(error, 'verify_message', '') or getattr(error, 'reason', '') or error}"
            )
            raise EOFError from None
        self.sock, self.file = secured, secured.makefile("rb")
        self.dialogue.add(
            "note", f"TLS agreed: {tls.negotiated(secured)}; from here on nobody on the way can read along"
        )

    def send(self, text: str, shown: str = "") -> None:
        self.dialogue.add("you", shown or text)
        self.sock.sendall(text.replace("\n", "\r\n").encode() + b"\r\n")

    def line(self) -> str:
        found = self.file.readline()
        if not found:
            self.dialogue.add("note", "the server has closed the connection")
            raise EOFError
        return found.decode(errors="replace").rstrip("\r\n")

    def close(self) -> None:
        self.file.close()
        self.sock.close()
        self.target.close()


def talk(
    title: str, speak: Callable[[Line, Iterable[str]], None], port: int, via: str | None, steps: Iterable[str]
) -> Dialogue:
    """Open a connection, say the steps one after another as the protocol wants it, and keep what both sides said."""
    snapshots.wait()
    here = where.place()
    origin = here.client or "here" if via is None else via
    dialogue = Dialogue(f"{title} with {here.fqdn}, port {port}, from {origin}")
    try:
        line = Line(dialogue, port, via)
    except OSError as error:
        raise NotReady(
            f"Nobody answers on port {port} of {here.fqdn}.", str(error), "factory() shows what runs"
        ) from None
    try:
        speak(line, steps)
    except EOFError:
        pass  # the dialogue says how it ended
    except (ConnectionError, TimeoutError) as error:
        dialogue.add("note", f"the connection broke off: {error}")
    finally:
        line.close()
    return dialogue


def account(line: Line, name: str) -> tuple[str, str]:
    """Address and password of "foo" or "foo@example.test"."""
    address = name if "@" in name else f"{name}@{line.here.domain}"
    known = line.here.secrets("accounts")
    if address not in known:
        raise Trouble(f"There is no account {address}.", remedy=f"There are: {', '.join(known)}")
    return address, known[address]


def plain(address: str, password: str) -> str:
    """The one word of AUTH PLAIN."""
    return base64.b64encode(f"\0{address}\0{password}".encode()).decode()
