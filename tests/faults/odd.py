"""Odd mail, case by case: as bytes between DATA and the final dot, lines ending with CRLF, no dot doubled yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

WHO = b"alice@example.net"  # whoever sends it: replaced by foo's address where foo logs in
LINE = b"\r\n"
NOW = formatdate().encode()  # a date of long ago, or of tomorrow, speaks for spam
Becomes = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Case:
    data: bytes
    becomes: Becomes | None = None  # how our server rightly changes it, for the few that it does
    why: str = ""
    held: bool = False  # it says it is packed, and cannot be unpacked: kept in quarantine, and its reader is told

    def expected(self, data: bytes) -> bytes:
        return self.becomes(data) if self.becomes else data


CASES: dict[str, Case] = {}


def case(name: str, data: bytes, becomes: Becomes | None = None, why: str = "", held: bool = False) -> None:
    assert name not in CASES, name
    assert data.endswith(LINE) or not data, name
    CASES[name] = Case(data, becomes, why, held)


def head(*extra: bytes, without: str = "") -> bytes:
    """An ordinary head with more lines below it, or without some of the ordinary ones."""
    lines = {
        "From": b"From: Alice <alice@example.net>",
        "To": b"To: foo@example.test",
        "Subject": b"Subject: An odd letter",
        "Date": b"Date: " + NOW,
        "Message-ID": b"Message-ID: <odd.1@example.net>",
    }
    return b"".join(line + LINE for line in [*(lines[key] for key in lines if key not in without.split()), *extra])


def mail(*extra: bytes, body: bytes = b"A letter.\r\n", without: str = "") -> bytes:
    return head(*extra, without=without) + LINE + body


def lines(*each: bytes) -> bytes:
    return b"".join(line + LINE for line in each)


def part(*head: bytes, body: bytes) -> bytes:
    return lines(*head) + LINE + body


def multipart(*parts: bytes, kind: bytes = b"mixed", boundary: bytes = b"=_b", end: bool = True, **more: str) -> bytes:
    """A letter of several parts; without its end if asked."""
    inside = b"".join(b"--" + boundary + LINE + one + LINE for one in parts)
    inside += b"--" + boundary + b"--" + LINE if end else b""
    kinds = (b"MIME-Version: 1.0", b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"')
    return mail(*kinds, body=inside, **more)


TEXT = part(b"Content-Type: text/plain", body=b"A letter.\r\n")
