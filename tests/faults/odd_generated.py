"""Odd mail by generator: letters that hypothesis makes up out of the pieces that mail is made of."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from tests.faults.odd import LINE, WHO

NAMES = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Received",
    "Reply-To",
    "Sender",
    "MIME-Version",
    "Content-Type",
]
NAMES += ["Content-Transfer-Encoding", "DKIM-Signature", "References", "List-Id", "Comments", "Resent-From", "X-Mailer"]
KINDS = [
    b"text/plain",
    b"text/html",
    b"message/rfc822",
    b"application/octet-stream",
    b"multipart/mixed",
    b"x/y; charset=\xff",
    b"",
]
CODINGS = [b"7bit", b"8bit", b"binary", b"base64", b"quoted-printable", b"x-none"]

# any byte but NUL, which is refused, and CR and LF, which end a line
line_bytes = some.binary(max_size=90).map(lambda data: data.translate(None, b"\0\r\n"))
longer = some.builds(lambda data, times: data * times, line_bytes, some.sampled_from([1, 1, 1, 1, 12, 100]))
dotted = some.builds(lambda dots, data: b"." * dots + data, some.sampled_from([0, 0, 0, 1, 2, 3]), longer)
value = some.lists(line_bytes, min_size=1, max_size=4).map(lambda lines: b"\r\n\t".join(lines))
name = some.one_of(some.sampled_from(NAMES), some.from_regex(r"X-[A-Za-z0-9_!#$-]{1,30}", fullmatch=True)).filter(
    lambda name: not name.lower().startswith(("x-spam", "x-virus", "x-mailbox-line"))
)
field = some.builds(lambda name, value: name.encode() + b": " + value + LINE, name, value)
body = some.lists(dotted, max_size=20).map(lambda lines: b"".join(line + LINE for line in lines))


def _typed(kind: bytes, coding: bytes, content: bytes) -> bytes:
    head = b"Content-Type: " + kind + LINE + b"Content-Transfer-Encoding: " + coding + LINE
    return head + LINE + content


def _together(parts: list[bytes], boundary: bytes, end: bool) -> bytes:
    inside = b"".join(b"--" + boundary + LINE + part + LINE for part in parts)
    kind = b'multipart/mixed; boundary="' + boundary + b'"'
    return _typed(kind, b"8bit", inside + (b"--" + boundary + b"--" + LINE if end else b""))


part = some.builds(_typed, some.sampled_from(KINDS), some.sampled_from(CODINGS), body)
boundaries = some.from_regex(r"[A-Za-z0-9=_'()+./:?-]{1,69}", fullmatch=True).map(str.encode)
parts = some.recursive(
    part,
    lambda inner: some.builds(_together, some.lists(inner, max_size=4), boundaries, some.booleans()),
    max_leaves=12,
)
whole = some.one_of(body.map(lambda text: LINE + text), parts)


def _letter(fields: list[bytes], rest: bytes) -> bytes:
    # one From that its sender may write: whose name stands there is another suite's question
    fields = [field for field in fields if not field.lower().startswith((b"from:", b"sender:", b"resent-from:"))]
    return b"From: <" + WHO + b">" + LINE + b"".join(fields) + rest


letter = some.builds(_letter, some.lists(field, max_size=12), whole)


# What submission finishes: it adds our domain to a name without one (RFC 6409, 8.1), wherever addresses stand.
FINISHED = re.compile(
    rb"^(?:To|Cc|Reply-To|Resent-[A-Za-z]+): (?:.*\r\n)(?:[ \t].*\r\n)*", re.MULTILINE | re.IGNORECASE
)


def finished(letter: bytes) -> bytes:
    """The letter without the fields that submission may complete."""
    head, gap, rest = letter.partition(LINE + LINE)
    return FINISHED.sub(b"", head + LINE)[: -len(LINE)] + gap + rest


def letters(number: int) -> list[bytes]:
    """So many letters, the same ones each time."""
    made: dict[bytes, None] = {}

    @settings(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(letter)
    def collect(one: bytes) -> None:
        made[one] = None

    collect()
    return list(made)
