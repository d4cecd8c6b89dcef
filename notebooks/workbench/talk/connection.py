"""A protocol spoken by hand, line by line, with who says what. Passwords are put in and masked by the runbook."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Self

from checks.clients import tls
from checks.engine.target import Target
from checks.engine.verdicts import Failed, words
from notebooks.workbench.host import remote, where
from notebooks.workbench.host.commands import Expect, begins, each
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotExpected, NotReady, Trouble

WHO = {"you": "C", "server": "S", "note": "·"}


class Dialogue(html.Shown):
    """Who said what, in order: pairs of "you", "server" or "note" and a text of one or more lines."""

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
            f"<td>{html.pre(html.escape(text))}</td></tr>"
            for who, text in self.said
        )
        return html.dim(self.title) + f"<div class=wide><table><tbody>{rows}</tbody></table></div>"

    def expect(self, wanted: Expect) -> Self:
        """Raise NotExpected unless the server has said all of these: the beginning of a reply, or "re:…"."""
        for one in each(wanted):
            if not any(begins(text, one) for who, text in self.said if who == "server"):
                raise NotExpected(
                    f"The server never said {one!r}.", str(self), "Read the dialogue: who stopped, and why?"
                )
        return self


@dataclass
class Line:
    """A connection that is read and written line by line; EOFError where the other side has closed it."""

    dialogue: Dialogue
    sock: socket.socket
    target: Target | None = None  # whom TLS has to name
    wide: int = 9999  # characters of a line that are shown; of a longer one the beginning

    def __post_init__(self) -> None:
        self.file = self.sock.makefile("rb")

    def secure(self) -> None:
        """Agree on TLS as a careful client does: the certificate has to be trusted, and to name the host."""
        assert self.target
        try:
            secured = tls.careful(self.target).wrap_socket(self.sock)
        except Failed as error:
            what = f"No TLS with {self.target.hostname}: a client has no certificate that it could trust."
            remedy = 'apply("postfix.certificate"); for IMAP, then apply("dovecot.certificate")'
            raise NotReady(what, error.evidence, remedy, "chapter 1, a certificate") from None
        except (OSError, Trouble) as error:  # of TLS and of the connection
            why = getattr(error, "verify_message", "") or getattr(error, "reason", "") or words(error)
            self.dialogue.add("note", f"no TLS: {why}")
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

    def reply(self, ends: str) -> str:
        """The lines up to the one that matches, which is returned; a literal ({123}) is read whole."""
        said: list[str] = []
        try:
            while True:
                last = text = self.line()
                said.append(text if len(text) < self.wide else f"{text[: self.wide - 20]} …")
                while found := re.search(r"\{(\d+)\}$", text):
                    said.append(self.file.read(int(found[1])).decode(errors="replace").replace("\r\n", "\n").rstrip())
                    if text := self.line():
                        said.append(text)
                if re.match(ends, last):
                    return last
        finally:
            if said:
                self.dialogue.add("server", "\n".join(said))


@contextmanager
def connected(name: str, port: int, wide: int = 9999) -> Iterator[Line]:
    """A connection for one dialogue, from the lab's client where there is one; NotReady where no program listens."""
    here = where.place()
    dialogue = Dialogue(f"{name} with {here.fqdn}, port {port}, from {here.client or 'here'}")
    with closing(here.target()) as target:
        try:
            if why := target.vantage.probe(here.address, port):
                raise OSError(why)
            sock = socket.create_connection(target.vantage.endpoint(here.address, port), timeout=15)
        except OSError as error:
            why = words(error)
            raise NotReady(f"Nobody answers on port {port} of {here.fqdn}.", why, "factory() shows what runs") from None
        with spoken(Line(dialogue, sock, target, wide)) as line:
            yield line


@contextmanager
def spoken(line: Line) -> Iterator[Line]:
    """The connection for as long as the block runs; where the other side ends it early, the block ends, too."""
    try:
        yield line
    except EOFError:
        pass  # the dialogue says so
    except OSError as error:  # reset, no route, TLS that ends in the middle of a record
        line.dialogue.add("note", f"the connection broke off: {words(error)}")
    finally:
        with suppress(OSError):
            line.file.close()
        line.sock.close()
