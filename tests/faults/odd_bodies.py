"""Odd mail whose oddness is below the head: long lines, no lines, dots, bytes that no text has, encodings that break."""

from __future__ import annotations

import base64
import random

from tests.faults.odd import LINE, TEXT, case, lines, mail, multipart, part

chance = random.Random(10)


def no_stray_cr(data: bytes) -> bytes:
    """A CR that ends no line becomes a blank."""
    return data.replace(b"\r\n", b"\0\0").replace(b"\r", b" ").replace(b"\0\0", b"\r\n")


NO_LINE = "the empty line between head and body, where the letter lacks it"
STRAY = "RFC 5321, 2.3.8: a CR without LF must not be sent; Postfix makes a blank of it, so that nobody reads another end of data"

for size in (77, 998, 999, 1_000, 1_500, 2_047, 2_048, 2_049, 4_096, 8_000, 65_536, 1_000_000):
    case(f"a line of {size} bytes", mail(body=b"y" * size + LINE))
case("long lines with blanks and dots", mail(body=lines(*[b". " * n for n in (499, 500, 512, 1_023, 1_024, 1_025)])))
case("a long line that is wrapped at a dot", mail(body=b"y" * 998 + b"." * 60 + LINE + b"." + b"y" * 998 + LINE))
html = b'<a href="https://example.net/' + b"q" * 1_500 + b'">here</a>'
case("an HTML line of 1,500 bytes", mail(b"MIME-Version: 1.0", b"Content-Type: text/html", body=html + LINE))

case("empty", b"", lambda data: LINE, NO_LINE)
case("an empty line", LINE)
case("only a dot", b"." + LINE, lambda data: LINE + data, NO_LINE)
case("only a head", mail(body=b"")[:-2], lambda data: data + LINE, NO_LINE)
case("a head and an empty line", mail(body=b""))
case("only empty lines", LINE * 20)
case("empty lines at the end", mail(body=b"A letter.\r\n" + LINE * 50))
case("dots", mail(body=lines(b".", b"..", b"...", b". ", b".\t", b" .", b".a", b"..a", b".")))
case("blanks at the ends of lines", mail(body=lines(b"a ", b"b\t", b"   ", b"\t", b"")))
case("100,000 empty lines", mail(body=LINE * 100_000))
case("the end of data in a quoted text", mail(body=lines(b"DATA", b"354 go on", b"..", b"MAIL FROM:<x>", b"QUIT")))

case("eight bits without MIME", mail(body="Schöne Grüße\r\n".encode("latin-1")))
case("every byte but NUL, CR and LF", mail(body=bytes(b for b in range(1, 256) if b not in b"\r\n") + LINE))
case(
    "UTF-8 that is none",
    mail(b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=utf-8", body=b"\xc3\x28 \xff\xfe\r\n"),
)
case("a byte order mark", mail(body=b"\xef\xbb\xbfA letter.\r\n"))
case(
    "UTF-16",
    mail(b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=utf-16", body="Grüße".encode("utf-16-be") + LINE),
)
case("NUL in the body", mail(body=b"before\0after\0\0\r\n"))
case("a bare CR", mail(body=b"one\rtwo\r\n"), no_stray_cr, STRAY)
case("two CR before LF", mail(body=b"one\r\r\ntwo\r\n"), no_stray_cr, STRAY)
case("control characters", mail(body=b"\x07\x08\x0b\x0c\x1b[31m\x1a\x04\x7f\r\n"))
case("escape sequences of a terminal", mail(body=b"\x1b]0;title\x07\x1b[2J\r\n"))

case(
    "a line From",
    mail(body=lines(b"From here on", b"From alice@example.net Wed Nov 25 08:00:00 2026", b">From", b">>From")),
)
case(
    "a mailbox in a body",
    mail(body=lines(b"", b"From a@b Wed Nov 25 08:00:00 2026", b"Subject: x", b"Content-Length: 5", b"", b"12345")),
)
case("uuencode", mail(body=lines(b"begin 644 a.txt", b"-5V5L8V]M92!T;R!T:0``", b"`", b"end")))
case("uuencode without an end", mail(body=lines(b"begin 644 ../../etc/passwd", b"M" + b"5" * 60)))
yenc = bytes((b + 42) % 256 for b in range(256)).translate(None, b"\0\r\n=")
case("yEnc", mail(body=lines(b"=ybegin line=128 size=256 name=a.bin", yenc, b"=yend size=256")), held=True)
case(
    "binhex", mail(body=lines(b"(This file must be converted with BinHex 4.0)", b"", b":$f*TEQKPH#jdCA0d,R0TG!", b":"))
)

coded = (b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=utf-8")
broken_qp = lines(b"=", b"==", b"=ZZ", b"=C3=B", b"=3d", b"soft=", b"a=20", b"a =", b"=00=0D=0A")
case("quoted-printable that breaks", mail(*coded, b"Content-Transfer-Encoding: quoted-printable", body=broken_qp))
case(
    "base64 that is none",
    mail(*coded, b"Content-Transfer-Encoding: base64", body=lines(b"!!!!", b"QQ", b"=Q==", b"\xc3\xbc", b"QUJD=QUJD")),
)
case("an unknown encoding", mail(*coded, b"Content-Transfer-Encoding: x-rot13", body=b"N yrggre.\r\n"))
case(
    "an encoding of a whole multipart",
    multipart(TEXT).replace(b"MIME-Version: 1.0", b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64"),
)
case(
    "binary",
    mail(*coded, b"Content-Transfer-Encoding: binary", body=chance.randbytes(3000).translate(None, b"\0\r\n") + LINE),
)
case(
    "base64 in one line", mail(*coded, b"Content-Transfer-Encoding: base64", body=base64.b64encode(b"z" * 9_000) + LINE)
)

for depth in (10, 60, 100, 150):
    nested = b"A letter.\r\n"
    for level in range(depth):
        mark = b"=_%d" % level
        kind = b'Content-Type: multipart/mixed; boundary="' + mark + b'"'
        inner = part(b"Content-Type: text/plain", body=nested) if level == 0 else nested
        nested = part(kind, body=b"--" + mark + LINE + inner + LINE + b"--" + mark + b"--" + LINE)
    case(f"{depth} parts in each other", mail(body=b"")[:-2] + b"MIME-Version: 1.0\r\n" + nested)
case("1,000 parts", multipart(*[TEXT] * 1_000))
case(
    "the same boundary inside",
    multipart(part(b'Content-Type: multipart/mixed; boundary="=_b"', body=lines(b"--=_b", b"", b"inside", b"--=_b--"))),
)
case("no last boundary", multipart(TEXT, TEXT, end=False))
case("no boundary at all", mail(b"MIME-Version: 1.0", b"Content-Type: multipart/mixed"))
case("an empty boundary", multipart(TEXT, boundary=b""))
case("a boundary of 200 characters", multipart(TEXT, boundary=b"b" * 200))
case("a boundary of 3,000 characters", multipart(TEXT, boundary=b"b" * 3_000))
case("a boundary like a dot", multipart(TEXT, boundary=b"."))
case(
    "text before the first and after the last part",
    multipart(TEXT).replace(b"\r\n\r\n--=_b", b"\r\n\r\nbefore\r\n--=_b", 1) + b"after\r\n",
)
letter = mail()
for _ in range(8):
    letter = mail(b"MIME-Version: 1.0", b"Content-Type: message/rfc822", body=letter)
case("letters in letters", letter)
case(
    "a letter in base64 in a letter",
    multipart(
        part(
            b"Content-Type: message/rfc822",
            b"Content-Transfer-Encoding: base64",
            body=base64.encodebytes(mail()).replace(b"\n", LINE),
        )
    ),
)
case(
    "a part of a partial message",
    mail(b"MIME-Version: 1.0", b'Content-Type: message/partial; id="a@b"; number=1; total=3'),
)
case(
    "a delivery report",
    multipart(
        TEXT,
        part(
            b"Content-Type: message/delivery-status",
            body=lines(
                b"Reporting-MTA: dns; x.example",
                b"",
                b"Final-Recipient: rfc822; a@b",
                b"Action: failed",
                b"Status: 5.0.0",
            ),
        ),
        kind=b"report; report-type=delivery-status",
    ),
)
