"""Odd mail whose oddness is the head: fields that are missing, doubled, endless, forged or none."""

from __future__ import annotations

import re

from tests.faults.odd import LINE, NOW, case, head, lines, mail

OURS = "a stranger's word on what only our own workers may say"
DROPPED = "of the delivery: Return-Path is the last host's (RFC 5321, 4.4), and a Bcc, at submission, nobody else's"


def without(*names: bytes):  # type: ignore[no-untyped-def]
    """The letter without these header fields."""
    fields = re.compile(rb"(?im)^(?:" + b"|".join(names) + rb"):.*\r\n(?:[ \t].*\r\n)*")

    def cut(data: bytes) -> bytes:
        top, line, rest = data.partition(b"\r\n\r\n")
        return fields.sub(b"", top + line) + rest

    return cut


for size in (998, 1_000, 10_000, 100_000, 102_500, 300_000):
    case(f"a header line of {size} bytes", mail(b"X-Long: " + b"h" * size))
case("a header of 100,000 bytes, folded", mail(b"X-Long: " + LINE.join([b" " + b"h" * 70] * 1_400)))
case(
    "a list of 2,000 recipients in the head",
    mail(b"Cc: " + b",\r\n ".join(b"somebody%d@example.org" % n for n in range(2_000))),
)
case("5,000 headers", mail(*[b"X-Header-%d: value" % n for n in range(5_000)]))
case("50 Received", lines(*[b"Received: from a.example by b.example; " + NOW] * 49) + mail())
case("100 Received", lines(*[b"Received: from a.example by b.example; " + NOW] * 100) + mail())
case(
    "a folded header with a blank-only line", mail(b"X-Folded: one\r\n \r\n two", b"X-More: three\r\n\t\r\n\t\r\n four")
)
case("a folded header that ends with a blank-only line", mail(b"X-Folded: one\r\n two\r\n \t "))
case("a folded subject", mail(b"Subject: one\r\n two\r\n\tthree\r\n    four", without="Subject"))
case("a subject of blanks only", mail(b"Subject:  ", without="Subject"))
case("a name of 500 characters", mail(b"X-" + b"N" * 500 + b": value"))
case("a header without a value", mail(b"X-Empty:", b"X-Blank: ", b"X-Empty-Too:"))
case("a header without a blank", mail(b"X-Tight:value", b"x-lower:value"))
case(
    "a blank before the colon",
    mail(b"X-Spaced : value"),
    lambda data: data.replace(b"X-Spaced :", b"X-Spaced:"),
    "obsolete since 2001 (RFC 5322, 4.5.8); Postfix writes it as it is written today",
)
case(
    "UTF-8 in the head, without SMTPUTF8",
    mail("Subject: Grüße aus Łódź".encode(), "X-Name: 山田".encode(), without="Subject"),
)
case("Latin-1 in the head", mail("Subject: Grüße".encode("latin-1"), without="Subject"))
case("controls in the head", mail(b"X-Control: \x01\x07\x1b[31m\x7f"))
case("NUL in the head", mail(b"X-Nul: before\0after"))
case("encoded words that break", mail(b"Subject: =?utf-8?Q?=ZZ=?= =?x-none?B?!!?= =?utf-8?B?w7w", without="Subject"))
case("an encoded word of 2,000 characters", mail(b"Subject: =?utf-8?B?" + b"w7zDvMO8" * 250 + b"?=", without="Subject"))

for name in ("From", "Date", "Message-ID", "To", "Subject", "From To Subject Date Message-ID"):
    case(f"no {name}", mail(b"X-Something: there", without=name))
case("no To but Cc and an empty group", mail(b"Cc: undisclosed-recipients:;", without="To"))
for field in (
    b"From: eve@example.org",
    b"Date: " + NOW,
    b"Message-ID: <odd.2@example.net>",
    b"Subject: two",
    b"To: bar@example.test",
):
    case(f"two {field.split(b':')[0].decode()}", mail(field))
case("two Content-Type", mail(b"MIME-Version: 1.0", b"Content-Type: text/plain", b"Content-Type: text/html"))
for number, odd in enumerate(
    (
        b"<>",
        b"no-brackets",
        b"<a b@c>",
        b"<" + b"i" * 1_200 + b"@example.net>",
        b"<x@[127.0.0.1]>",
        b"<\xc3\xbc@example.net>",
        b"",
    )
):
    case(f"Message-ID, odd {number}", mail(b"Message-ID: " + odd, without="Message-ID"))
for number, odd in enumerate(
    (b"yesterday", b"Wed, 31 Feb 2026 25:61:61 +9999", b"1 Jan 70 00:00 GMT", b"Wed, 25 Nov 12026 08:00:00 +0000", b"")
):
    case(f"Date, odd {number}", mail(b"Date: " + odd, without="Date"))
for number, odd in enumerate(
    (
        b"alice",
        b"alice@",
        b"<alice@example.net",
        b'"a\\"b" <alice@example.net>',
        b"a, b, c",
        b"Alice (a (b (c))) <alice@example.net>",
        b"",
        b"@x,@y:alice@example.net",
        b"alice@example.net, eve@example.org",
        b"alice@host",
        b"alice%host",
        b"host!alice",
        "Älice <alice@example.net>".encode(),
    )
):
    case(f"From, odd {number}", mail(b"From: " + odd, without="From"))
    case(
        f"To and Cc, odd {number}",
        mail(b"To: " + odd, b"Cc: " + odd, b"Reply-To: " + odd, b"Sender: " + odd, without="To"),
    )


def ends_the_head(data: bytes) -> bytes:
    """An empty line before the first line that is no header field."""
    at = re.search(rb"(?m)^(?![!-9;-~]+[ \t]*:|[ \t])", data)
    assert at
    return data[: at.start()] + LINE + data[at.start() :]


NO_FIELD = "a line that is no header field ends the head (RFC 5322, 2.2); Postfix puts the empty line that is missing before it"
case(
    "a line without a colon in the head",
    head(b"this is no field", b"X-After: value") + LINE + b"A letter.\r\n",
    ends_the_head,
    NO_FIELD,
)
case("no head at all", b"Just a text.\r\nNothing else.\r\n", ends_the_head, NO_FIELD)
case("a head that begins with a blank", b" folded\r\n" + mail(), lambda data: LINE + data, NO_FIELD)
case(
    "From as the first line",
    b"From alice@example.net Wed Nov 25 08:00:00 2026\r\n" + mail(),
    lambda data: b"X-Mailbox-Line: " + data,
    "a mailbox's line is no header field: Postfix keeps it as one of X-Mailbox-Line",
)
case(
    ">From as the first line",
    b">From alice@example.net Wed Nov 25 08:00:00 2026\r\n" + mail(),
    lambda data: b"X-Mailbox-Line: " + data,
    "as above",
)

case(
    "X-Spam forged",
    mail(
        b"X-Spam-Flag: YES",
        b"X-Spam-Status: Yes, score=99",
        b"X-Spam-Level: ***",
        b"X-Spam-Score: 99",
        b"X-Spam-Report: a",
    ),
    without(b"x-spam-[a-z-]+"),
    OURS,
)
case("X-Virus-Scanned forged", mail(b"X-Virus-Scanned: clean"), without(b"x-virus-scanned"), OURS)
case(
    "Authentication-Results forged",
    mail(b"Authentication-Results: mx1.example.test; dkim=pass"),
    without(b"authentication-results"),
    OURS,
)
case("Authentication-Results of another server", mail(b"Authentication-Results: mx.example.org; dkim=pass"))
case("X-Amavis forged", mail(b"X-Amavis-Alert: BAD HEADER", b"X-Amavis-Modified: yes", b"X-Quarantine-ID: <a>"))
case("Return-Path forged", mail(b"Return-Path: <eve@example.org>"), without(b"return-path"), DROPPED)
case(
    "Bcc and Content-Length",
    mail(b"Bcc: bar@example.test", b"Content-Length: 5"),
    without(b"bcc", b"content-length"),
    DROPPED,
)
case("Delivered-To and X-Original-To forged", mail(b"Delivered-To: eve@example.org", b"X-Original-To: eve@example.org"))
case("Delivered-To is the recipient's own", mail(b"Delivered-To: foo@example.test", b"X-Original-To: foo@example.test"))
case(
    "Resent fields",
    lines(b"Resent-From: eve@example.org", b"Resent-To: foo@example.test", b"Resent-Date: yesterday") + mail(),
)
case(
    "Errors-To, Apparently-To and others of old",
    mail(
        b"Errors-To: eve@example.org",
        b"Apparently-To: foo",
        b"Return-Receipt-To: eve@example.org",
        b"Disposition-Notification-To: eve@example.org",
    ),
)
case(
    "a list's fields",
    mail(
        b"List-Id: <a.example.org>",
        b"List-Unsubscribe: <https://example.org/u>",
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        b"Precedence: bulk",
        b"X-Loop: a",
    ),
)
case("Auto-Submitted", mail(b"Auto-Submitted: auto-replied"))
case(
    "Content-Type, garbage",
    mail(b"MIME-Version: 1.0", b'Content-Type: ;;;/==""(((', b"Content-Disposition: \xff; filename*=x''%ZZ"),
)
case("MIME-Version 9.9", mail(b"MIME-Version: 9.9 (of the future)", b"Content-Type: text/plain"))
case("a charset of 500 characters", mail(b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=" + b"c" * 500))
case(
    "1,000 parameters",
    mail(b"MIME-Version: 1.0", b"Content-Type: text/plain" + b"".join(b';\r\n p%d="v"' % n for n in range(1_000))),
)
