"""A stranger at port 25, in a conversation of our own: envelope, parameters and bytes as no honest program sends them."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from uuid import uuid4

from lab import Host

VICTIM = "victim@example.org"  # whoever stands on the back of the envelope; all his mail ends in the world's sink


@contextmanager
def session(host: Host, port: int = 25) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", host.record["ports"][str(port)], timeout=60) as client:
        client.ehlo("elm.homes.example.net")
        yield client


def raw(mark: str, body: bytes = b"A letter.\r\n", headers: bytes = b"", to: str = "foo@example.test") -> bytes:
    """A whole letter in bytes, not one of them added by a library."""
    head = f"From: {VICTIM}\r\nTo: {to}\r\nSubject: A letter\r\nDate: {formatdate()}\r\n"
    return head.encode() + f"Message-ID: <{mark}@example.net>\r\n".encode() + headers + b"\r\n" + body


def mark() -> str:
    return uuid4().hex


def ask(host: Host, recipient: str, sender: str = VICTIM) -> str:
    """The first refusal of an envelope, or the last word; `recipient` is all that stands behind RCPT TO:."""
    with session(host) as client:
        code, text = client.docmd("MAIL", f"FROM:{sender if sender.startswith('<') else f'<{sender}>'}")
        if code < 400:
            code, text = client.docmd("RCPT", f"TO:{recipient}")
        return f"{code} {text.decode(errors='replace')}"


def bring(host: Host, data: bytes, *recipients: str, sender: str = VICTIM, dots: bool = True) -> str:
    """Hand over a letter; the reply to its end, or the refusal before it. Recipients with their brackets and parameters."""
    with session(host) as client:
        for command in (f"MAIL FROM:<{sender}>", *(f"RCPT TO:{one}" for one in recipients), "DATA"):
            code, text = client.docmd(command)
            if code >= 400:
                return f"{code} {text.decode(errors='replace')}"
        body = b"\r\n".join(b"." + line if dots and line.startswith(b".") else line for line in data.split(b"\r\n"))
        client.send(body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        code, text = client.getreply()
        return f"{code} {text.decode(errors='replace')}"


def since(host: Host) -> str:
    """A place in the journal: what is logged from here on, `log` finds."""
    return host.run("date +@%s.%N").stdout.strip()


def log(host: Host, begun: str, what: str) -> list[str]:
    time.sleep(0.3)
    return host.run(
        f"journalctl -q --no-pager -o cat --since {begun} | grep -E -- '{what}' || true", check=False
    ).stdout.splitlines()
