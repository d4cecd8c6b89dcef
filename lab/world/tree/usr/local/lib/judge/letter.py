"""A letter as the world's Postfix has delivered it: who has brought it, how, and in whose name.

Only lines of the world's own are believed: those above and in the topmost Received. What is below them the sender has written.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from email.utils import getaddresses
from pathlib import Path

MAIL = Path("/var/mail")
FOLDERS = ("new", "cur")
HEAD = 100_000  # bytes of a file that are searched for its Message-ID
# https://www.postfix.org/smtpd.8.html: the name is that of the client's address, "unknown" where it does not lead back
BROUGHT = re.compile(r"from (\S+) \(\S+ \[(?:IPv6:)?([0-9A-Fa-f.:]+)\]\)")
# https://www.postfix.org/postconf.5.html#smtpd_tls_received_header
TLS = re.compile(r"\(using (\S+) with cipher (\S+)")
OURS = re.compile(rb"^Received:.*\n(?:[ \t].*\n)*", re.IGNORECASE | re.MULTILINE)


class NotJudged(Exception):
    """There is no such letter, or no other host has brought it. The text says which, in words for a person."""


@dataclass(frozen=True)
class Letter:
    path: str
    message_id: str
    address: str  # the client's
    helo: str
    sender: str  # the envelope's; empty for a bounce
    authors: tuple[str, ...]  # the addresses of all From fields
    tls: tuple[str, str] | None  # version and cipher
    message: bytes  # as it came over the connection: without the world's own lines, and with the line ends of SMTP


def find(message_id: str, folder: Path = MAIL) -> Path:
    """The newest file with this Message-ID in any Maildir below the folder. NotJudged: there is none."""
    wanted = f"<{message_id.strip().strip('<>')}>"
    files = [path for each in FOLDERS for path in folder.glob(f"**/{each}/*")]
    for path in sorted(files, key=lambda path: path.name, reverse=True):  # a name begins with the time of delivery
        with suppress(FileNotFoundError), path.open("rb") as file:  # its reader may have moved it meanwhile
            if str(fields(file.read(HEAD))["Message-ID"]).strip() == wanted:
                return path
    raise NotJudged(f"No letter with the Message-ID {wanted} has arrived here.")


def read(path: Path, host: str) -> Letter:
    """The letter in a file. NotJudged: it was not brought to this host by another one."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotJudged(f"{path} cannot be read: {error.strerror}.") from None
    told = fields(data)
    received = " ".join(str(told["Received"]).split())
    brought, ours = BROUGHT.match(received), OURS.search(data)
    if not brought or not ours or f" by {host} " not in received:
        raise NotJudged(f"{path} was not brought to {host} by another host: its topmost Received says “{received}”.")
    tls = TLS.search(received)
    return Letter(
        path=str(path),
        message_id=str(told["Message-ID"] or ""),
        helo=brought[1],
        address=brought[2],
        sender=str(told["Return-Path"] or "").strip().strip("<>"),
        authors=authors(told.get_all("From", [])),
        tls=(tls[1], tls[2]) if tls else None,
        message=re.sub(rb"\r?\n", b"\r\n", data[ours.end() :]),
    )


def fields(data: bytes) -> Message:
    """The header of a letter in bytes; a letter with SMTPUTF8 has UTF-8 in it (RFC 6532)."""
    return message_from_string(data.decode(errors="replace"))


def authors(fields: list[str]) -> tuple[str, ...]:
    """The addresses of the From fields; what is no address is left out.

    An encoded word stays one: it is a name, and what it says, an address perhaps, is not for programs (RFC 2047, 5).
    """
    whole = [" ".join(str(field).split()) for field in fields]
    return tuple(address for _, address in getaddresses(whole) if "@" in address)


def domain(address: str) -> str:
    """The domain of an address as the DNS has it, in small letters and ASCII; of a name without @ the name itself."""
    name = address.rpartition("@")[2].rstrip(".").lower()
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name
