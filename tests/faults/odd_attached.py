"""Odd mail by what is attached: names that are paths, commands or addresses; things that scanners take apart."""

from __future__ import annotations

import base64
import struct

from tests.faults.odd import LINE, TEXT, case, multipart, part


def attached(name: bytes, content: bytes = b"content", kind: bytes = b"application/octet-stream") -> bytes:
    body = base64.encodebytes(content).replace(b"\n", LINE)
    disposition = b"Content-Disposition: attachment; filename" + name
    return part(b"Content-Type: " + kind, disposition, b"Content-Transfer-Encoding: base64", body=body)


NAMES = {
    "www.example.com": b'="www.example.com"',
    "report.pdf": b'="report.pdf"',
    "..": b'=".."',
    "/etc/passwd": b'="/etc/passwd"',
    "../../../etc/passwd": b'="../../../etc/passwd"',
    "a name with a pipe": b'="|id"',
    "a name with a line end": b'="a\r\n b"',
    "a name with quotes": b'="a\\"b\\\\c"',
    "a name of 300 characters": b'="' + b"n" * 300 + b'.txt"',
    "a name of 3,000 characters": b'="' + b"n" * 3_000 + b'.txt"',
    "right to left": b"*=utf-8''txt%E2%80%AEfdp.a",
    "UTF-8 by RFC 2231": b"*=utf-8''Gr%C3%BC%C3%9Fe%20%E5%B1%B1.txt",
    "UTF-8 in pieces": b"*0*=utf-8''Gr%C3%BC; filename*1*=%C3%9Fe; filename*2=.txt",
    "UTF-8 as it is": '="Grüße.txt"'.encode(),
    "an encoded word": b'="=?utf-8?Q?Gr=C3=BC=C3=9Fe.txt?="',
    "no name": b'=""',
    "a name of dots": b'="..."',
    "a device": b'="COM1"',
    "a blank at the end": b'="a.txt "',
    "two endings": b'="photo.jpg.txt"',
    "no quotes": b"=a b.txt",
}
for title, name in NAMES.items():
    case(f"attached: {title}", multipart(TEXT, attached(name)))
case("attached: nothing in it", multipart(TEXT, attached(b'="empty.txt"', b"")))
case(
    "attached: a picture's first bytes only", multipart(TEXT, attached(b'="a.jpg"', b"\xff\xd8\xff\xe0", b"image/jpeg"))
)
case("attached: another kind than it says", multipart(TEXT, attached(b'="a.txt"', b"%PDF-1.4\n", b"text/plain")))
tnef = (
    struct.pack("<IH", 0x223E9F78, 1) + b"\1" + struct.pack("<II", 0x00089006, 4) + struct.pack("<I", 0x10000) + b"\1\0"
)
case("attached: TNEF", multipart(TEXT, attached(b'="winmail.dat"', tnef, b"application/ms-tnef")))
case(
    "attached: TNEF that breaks off",
    multipart(TEXT, attached(b'="winmail.dat"', tnef[:9], b"application/ms-tnef")),
    held=True,
)
case(
    "attached: a gzip that breaks off",
    multipart(TEXT, attached(b'="a.gz"', b"\x1f\x8b\x08\0\0\0\0\0", b"application/gzip")),
    held=True,
)
case(
    "attached: a mailbox",
    multipart(TEXT, attached(b'="mbox"', b"From a@b Wed Nov 25 08:00:00 2026\nSubject: x\n\ny\n")),
)
invitation = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@example.net\r\nDTSTART:20261125T080000Z\r\n"
invitation += b"SUMMARY:Tea\r\nATTENDEE;RSVP=TRUE:mailto:foo@example.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
calendar = part(b"Content-Type: text/calendar; method=REQUEST; charset=utf-8", body=invitation)
case("an invitation", multipart(TEXT, calendar, kind=b"alternative"))
case(
    "a letter's pictures",
    multipart(TEXT, part(b"Content-Type: image/gif", b"Content-ID: <a@b>", body=b"GIF89a\r\n"), kind=b"related"),
)
