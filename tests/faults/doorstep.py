"""Odd mail brought to the door, and what its reader finds: identical, refused, or neither.

Each letter is known by the name its sender greeted with: the door writes it into the Received line, which is the last line
of ours. What stands above it has to be ours too, and everything below it is the sender's, to the byte.
"""

from __future__ import annotations

import base64
import io
import re
import smtplib
import tarfile
import time
from dataclasses import dataclass, field
from uuid import uuid4

from checks.clients.mail import said
from checks.clients.tls import careful
from checks.engine.target import Target
from lab import Host
from tests.faults.letters import difference
from tests.faults.odd import WHO, Case
from tests.live import traffic

OURS = re.compile(
    rb"Return-Path|Delivered-To|X-Original-To|Received|X-Virus-Scanned|X-Spam-[A-Za-z]+|Authentication-Results|X-Amavis-Alert"
    rb"|X-Quarantine-ID"
)
SIGNATURE = b"DKIM-Signature"  # ours is above what our own people send, and above nobody else's
ADDED = re.compile(rb"(?:Date|Message-ID|Message-Id|From|To): [^\r]*\r\n")


@dataclass
class Odd:
    """One odd letter on its way."""

    name: str
    case: Case
    recipients: tuple[str, ...] = ("foo@example.test",)
    sender: str = WHO.decode()
    account: int | None = None
    reply: str = ""
    helo: str = field(default_factory=lambda: f"{uuid4().hex}.example.net")

    @property
    def data(self) -> bytes:
        return self.case.data if self.account is None else self.case.data.replace(WHO, b"foo@example.test")

    @property
    def accepted(self) -> bool:
        return self.reply.startswith("250")

    @property
    def refused(self) -> bool:
        return self.reply.startswith("5")

    def bring(self, target: Target) -> None:
        """Once; but a login that comes too soon after too many others is tried again (smtpd_client_auth_rate_limit)."""
        for _ in range(60):
            try:
                return self._bring(target)
            except smtplib.SMTPResponseException as error:
                self.reply = said((error.smtp_code, str(error.smtp_error).encode()))
                if error.smtp_code >= 500:
                    raise
                time.sleep(5)

    def _bring(self, target: Target) -> None:
        """The whole conversation, in bytes: no library has a say in what the letter looks like."""
        port = 25 if self.account is None else 587
        host, local = target.vantage.endpoint(target.address, port)
        with smtplib.SMTP(host, local, self.helo, timeout=60) as session:
            session.ehlo()
            if self.account is not None:
                session.starttls(context=careful(target))
                session.ehlo()
                session.login(*target.account(self.account))
            size = f" SIZE={len(self.data)}" if len(self.data) > 1_000_000 else ""
            commands = [f"MAIL FROM:<{self.sender}>{size}", *(f"RCPT TO:<{to}>" for to in self.recipients), "DATA"]
            for command in commands:
                session.send(command.encode() + b"\r\n")  # an address may be beyond ASCII
                self.reply = said(session.getreply())
                if self.reply[0] not in "23":
                    return
            session.send(re.sub(rb"(?m)^\.", b"..", self.data) + b".\r\n")
            self.reply = said(session.getreply())


def mailboxes(host: Host) -> list[bytes]:
    """Every letter on the disk, as its reader would have it: IMAP could not carry a NUL, so the files are read."""
    packed = host.run(
        "cd /home/mail && find . -type f '(' -path '*/new/*' -o -path '*/cur/*' ')' | tar cT - | base64 -w0"
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(packed))) as archive:
        files = [archive.extractfile(member) for member in archive]
        return [file.read().replace(b"\n", b"\r\n") for file in files if file]


def split(found: bytes) -> tuple[str, list[bytes], bytes]:
    """By whom it was brought, the names of the header fields above, and what is below; "" for a letter without
    the line, and for a note about one."""
    line = re.search(rb"(?m)^Received: from ([0-9a-f]{32}\.example\.net) \(.*\r\n(?:[ \t].*\r\n)*", found)
    if not line:
        return "", [], found
    fields = re.findall(rb"(?m)^([^ \t:\r]+):", found[: line.start()])
    if b"Reporting-MTA" in fields:  # a note about it, with its head attached
        return "", [], found
    return line[1].decode(), fields, found[line.end() :]


def held(host: Host) -> set[str]:
    """By whom the letters in quarantine were brought."""
    found = host.run(f"cd {traffic.HOLD} && grep -rahoE 'from [0-9a-f]{{32}}[.]example[.]net' .", check=False).stdout
    return {line.split()[1] for line in found.splitlines()}


def fate(odd: Odd, copies: list[tuple[list[bytes], bytes]], in_quarantine: bool = False) -> str:
    """ "identical", "refused", "held" with a note to its reader, or what is wrong with it."""
    if odd.refused:
        return "refused" if not copies else f"refused with {odd.reply}, and delivered"
    if not odd.accepted:
        return f"neither taken nor refused: {odd.reply}"
    if in_quarantine and not copies:
        return "held" if odd.case.held else "held, though there is nothing wrong with it"
    if len(copies) != len({to.lower() for to in odd.recipients}):
        return f"taken with {odd.reply}, and {len(copies)} of {len(odd.recipients)} delivered"
    for above, below in copies:
        signed = [SIGNATURE] if odd.account is not None else []
        if strange := [name for name in above if not OURS.fullmatch(name) and name not in signed]:
            return f"fields above it that are not ours: {strange}"
        expected = odd.case.expected(odd.data)
        allowed = (odd.data, expected)  # at most this change
        if below not in allowed and not (odd.account is not None and any(completed(one, below) for one in allowed)):
            return f"altered: {difference(expected, below)}"
    return "identical"


def completed(sent: bytes, read: bytes) -> bool:
    """Whether all that is new is what submission owes a letter: the fields that it lacked, at the end of its head (RFC 6409, 8)."""
    at = next((n for n, (a, b) in enumerate(zip(sent, read, strict=False)) if a != b), min(len(sent), len(read)))
    end = sent.find(b"\r\n\r\n") + 2 if b"\r\n\r\n" in sent else len(sent)
    start = min(end, at)
    start = sent.rfind(b"\r\n", 0, start) + 2 if start and sent[start - 2 : start] != b"\r\n" else start
    new = read[start : start + len(read) - len(sent)]
    return read == sent[:start] + new + sent[start:] and bool(re.fullmatch(rb"(?:%b)+" % ADDED.pattern, new))
