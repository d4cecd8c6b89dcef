"""Hiding places: letters with EICAR's test virus somewhere inside, each made in another way, and letters that are only too much."""

import base64
import bz2
import gzip
import lzma
import quopri
import random
import zipfile
from collections.abc import Callable
from email.utils import formatdate

from checks.clients.samples import EICAR
from tests.faults import hiding
from tests.faults.hiding import nested, packed, tarred

Parts = Callable[[], tuple[bytes, ...]]  # of a letter, in MIME
MB = 1 << 20


def attached(name: str, inside: bytes, kind: str = "application/octet-stream") -> bytes:
    """The MIME part of an attachment."""
    head = f'Content-Type: {kind}; name="{name}"\r\nContent-Disposition: attachment; filename="{name}"\r\n'
    return (
        head.encode()
        + b"Content-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(inside).replace(b"\n", b"\r\n")
    )


def letter(
    mark: str, to: str, *parts: bytes, head: str = "", sender: str = "alice@example.net", limit: str = "limit"
) -> bytes:
    """A letter as bytes; `parts` are MIME parts with their heads, `head` further headers."""
    made = f"From: {sender}\r\nTo: {to}\r\nSubject: A letter, {mark[:8]}\r\nDate: {formatdate()}\r\nMessage-ID: <{mark}@example.net>\r\n"
    made += (
        f'MIME-Version: 1.0\r\n{head or f"""Content-Type: multipart/mixed; boundary="{limit}"{chr(13)}{chr(10)}"""}\r\n'
    )
    return (
        made.encode()
        + b"".join(b"--" + limit.encode() + b"\r\n" + part + b"\r\n" for part in parts)
        + f"--{limit}--\r\n".encode()
    )


def text(body: bytes, how: str = "7bit", kind: str = "text/plain; charset=us-ascii") -> Parts:
    return lambda: (f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {how}\r\n\r\n".encode() + body + b"\r\n",)


def file(name: str, make: Callable[[], bytes], kind: str = "application/octet-stream") -> Parts:
    return lambda: (attached(name, make(), kind),)


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def encoded(body: bytes) -> bytes:
    return base64.encodebytes(body).replace(b"\n", b"\r\n")


def many(count: int) -> dict[str, bytes]:
    return {**{f"{n}.txt": b"%d" % n for n in range(count)}, "z.txt": EICAR}


def forwarded(depth: int, inside: bytes = b"") -> bytes:
    """A letter in a letter in a letter, and an archive in the last of them."""
    made = inside or attached("a.zip", packed({"eicar.txt": EICAR}))
    for n in range(depth):
        made = (
            b"Content-Type: message/rfc822\r\n\r\nFrom: x@example.net\r\nDate: Mon, 5 Jan 2026 10:00:00 +0000\r\nSubject: %d\r\n"
            b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n%s\r\n--b%d--\r\n'
            % (n, n, n, made, n)
        )
    return made


def deep(depth: int) -> bytes:
    made = attached("eicar.txt", EICAR)
    for n in range(depth):
        made = b'Content-Type: multipart/mixed; boundary="d%d"\r\n\r\n--d%d\r\n%s\r\n--d%d--\r\n' % (n, n, made, n)
    return made


SHORT: dict[str, Parts] = {
    "pasted into the text": text(b"Look at this:\r\n\r\n" + EICAR + b"\r\n\r\nRegards"),
    "in 25 zips": file("a.zip", lambda: nested(25)),
    "behind 60 MB of zeros": file("a.zip", lambda: packed({"a.bin": bytes(60 * MB), "eicar.txt": EICAR})),
    "behind 120 MB of zeros": file("a.zip", lambda: packed({"a.bin": bytes(120 * MB), "eicar.txt": EICAR})),
    "among 12,000 files": file("a.zip", lambda: packed(many(12_000))),
    "rar": file("a.rar", lambda: hiding.rar("eicar.txt", EICAR)),
    "zip without its directory": file("a.zip", lambda: hiding.without_directory(packed({"eicar.txt": EICAR}))),
    "uuencoded": text(b"Hello\r\n\r\n" + hiding.uuencoded("eicar.txt", EICAR)),
    "letters in letters, 12": lambda: (forwarded(12),),
}
LONG: dict[str, Parts] = {
    "the text itself, a blank behind it": text(EICAR + b"  \r\n"),
    "in HTML": text(b"<html><body><p>" + EICAR + b"</p></body></html>", kind="text/html"),
    "text in base64": text(encoded(b"Hello\r\n" + EICAR + b"\r\n"), "base64"),
    "text in quoted-printable": text(quopri.encodestring(b"Hello\r\n" + EICAR + b"\r\n"), "quoted-printable"),
    "HTML in quoted-printable": text(
        quopri.encodestring(b"<p>" + EICAR + b"</p>\r\n"), "quoted-printable", "text/html"
    ),
    "attached, a line end behind it": file("eicar.txt", lambda: EICAR + b"\r\n"),
    "attached, under another type": file("a.png", lambda: EICAR, "image/png"),
    "base64 with rubbish in it": lambda: (attached("eicar.txt", EICAR).replace(b"WDVP", b"WD!VP"),),
    "yEnc": text(hiding.yenc("eicar.txt", EICAR), "8bit"),
    "yEnc of a zip": text(hiding.yenc("a.zip", packed({"eicar.txt": EICAR})), "8bit"),
    "uuencoded zip": text(hiding.uuencoded("a.zip", packed({"eicar.txt": EICAR}))),
    "winmail.dat": file(
        "winmail.dat", lambda: hiding.tnef("a.zip", packed({"eicar.txt": EICAR})), "application/ms-tnef"
    ),
    "zip": file("a.zip", lambda: packed({"eicar.txt": EICAR})),
    "zip, stored": file("a.zip", lambda: packed({"eicar.txt": EICAR}, zipfile.ZIP_STORED)),
    "zip, bzip2": file("a.zip", lambda: packed({"eicar.txt": EICAR}, zipfile.ZIP_BZIP2)),
    "zip, lzma": file("a.zip", lambda: packed({"eicar.txt": EICAR}, zipfile.ZIP_LZMA)),
    "zip called .jpg": file("a.jpg", lambda: packed({"eicar.txt": EICAR}), "image/jpeg"),
    "zip behind a page of text": file("a.zip", lambda: b"x" * 4096 + packed({"eicar.txt": EICAR})),
    "zip with rubbish behind it": file("a.zip", lambda: packed({"eicar.txt": EICAR}) + noise(4096)),
    "zip, its directory wrong": file("a.zip", lambda: hiding.wrong_directory(packed({"eicar.txt": EICAR}))),
    "zip, cut off": file("a.zip", lambda: packed({"eicar.txt": EICAR, "b.bin": noise(100_000)})[:50_000]),
    "zip of zips": file("a.zip", lambda: packed({f"{n}.zip": nested(3) for n in range(40)})),
    "document": file(
        "a.docx", lambda: packed({"[Content_Types].xml": b"<a/>", "word/document.xml": b"<a/>", "word/x.bin": EICAR})
    ),
    "java archive": file("a.jar", lambda: packed({"META-INF/MANIFEST.MF": b"x", "a.class": EICAR})),
    "tar": file("a.tar", lambda: tarred({"eicar.txt": EICAR})),
    "tar.gz": file("a.tgz", lambda: tarred({"eicar.txt": EICAR}, "w:gz")),
    "tar.bz2": file("a.tbz", lambda: tarred({"eicar.txt": EICAR}, "w:bz2")),
    "tar.xz": file("a.txz", lambda: tarred({"eicar.txt": EICAR}, "w:xz")),
    "gz": file("a.gz", lambda: gzip.compress(EICAR)),
    "gz, cut off": file("a.gz", lambda: gzip.compress(EICAR + noise(100_000))[:50_000]),
    "bz2": file("a.bz2", lambda: bz2.compress(EICAR)),
    "xz": file("a.xz", lambda: lzma.compress(EICAR)),
    "lzma": file("a.lzma", lambda: lzma.compress(EICAR, lzma.FORMAT_ALONE)),
    "cab": file("a.cab", lambda: hiding.cabinet("eicar.txt", EICAR)),
    "lha": file("a.lzh", lambda: hiding.lha("eicar.txt", EICAR)),
    "rar in a zip in a tar": file("a.tar", lambda: tarred({"a.zip": packed({"a.rar": hiding.rar("e.txt", EICAR)})})),
    "in 25 gz": file("a.gz", lambda: nested(25, wrap=gzip.compress)),
    "in 40 tars": file("a.tar", lambda: nested(40, wrap=lambda b: tarred({"a.tar": b}))),
    "in 15 zips": file("a.zip", lambda: nested(15)),
    "gz of 300 MB of zeros": file("a.gz", lambda: gzip.compress(bytes(300 * MB) + EICAR)),
    "bz2 of 600 MB of zeros": file("a.bz2", lambda: bz2.compress(bytes(600 * MB)) + bz2.compress(EICAR)),
    "behind 90 MB, hardly packed": file(
        "a.zip", lambda: packed({"a.bin": noise(10 * MB) + bytes(80 * MB), "e.txt": EICAR})
    ),
    "behind 30 MB in the same file": file("a.gz", lambda: gzip.compress(bytes(30 * MB) + EICAR)),
    "in the middle of 9 MB of text": text(
        (b"a line of text\r\n" * 300_000) + EICAR + b"\r\n" + (b"a line of text\r\n" * 300_000)
    ),
    "among 4,000 files": file("a.zip", lambda: packed(many(4_000))),
    "among 12,000 files of a tar": file("a.tar", lambda: tarred(many(12_000))),
    "among 6,000 parts": lambda: (
        *(b"Content-Type: text/plain\r\n\r\nx" for _ in range(6_000)),
        attached("e.txt", EICAR),
    ),
    "40 parts deep": lambda: (deep(40),),
    "200 parts deep": lambda: (deep(200),),
    "letters in letters, 3": lambda: (forwarded(3),),
    "letters in letters, 40": lambda: (forwarded(40),),
    "rar with a file of no kind": file("a.rar", lambda: hiding.rar("eicar.txt", EICAR, 0o644)),
}

# Done to a letter that has a zip with the virus attached.
TRICKS: dict[str, Callable[[bytes], bytes]] = {
    "two boundaries": lambda raw: raw.replace(b'boundary="limit"', b'boundary="other"; boundary="limit"'),
    "a boundary with a blank behind it": lambda raw: raw.replace(b"--limit\r\n", b"--limit   \r\n", 1),
    "no boundary at the end": lambda raw: raw.replace(b"--limit--\r\n", b""),
    "not MIME, it says": lambda raw: raw.replace(b"MIME-Version: 1.0\r\n", b""),
    "two Content-Types": lambda raw: raw.replace(
        b"Content-Type: multi", b"Content-Type: text/plain\r\nContent-Type: multi", 1
    ),
    "the name of a type that is none": lambda raw: raw.replace(b"multipart/mixed", b"multipart/nonsense"),
    "two encodings": lambda raw: raw.replace(
        b"Content-Transfer-Encoding:", b"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding:"
    ),
    "an encoding that is none": lambda raw: raw.replace(b"Encoding: base64", b"Encoding: x-base64"),
    "a comment in the encoding": lambda raw: raw.replace(b"Encoding: base64", b"Encoding: (x) base64"),
}


def sealed(inside: bytes) -> bytes:
    """An armoured PGP message, as far as anybody can see who has no key."""
    return (
        b"-----BEGIN PGP MESSAGE-----\r\n\r\n"
        + encoded(b"\x85\x01\x0c\x03" + inside)
        + b"-----END PGP MESSAGE-----\r\n"
    )


# What honest people send: each arrives as it was sent.
PGP = 'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="limit"\r\n'
SMIME = 'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\nContent-Transfer-Encoding: base64\r\n'
HONEST: dict[str, tuple[str, Parts]] = {
    "PGP/MIME": (
        PGP,
        lambda: (
            b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n",
            b'Content-Type: application/octet-stream; name="encrypted.asc"\r\n\r\n' + sealed(noise(300)),
        ),
    ),
    "PGP in the text": ("", text(sealed(noise(300)))),
    "PGP as a file": ("", file("a.gpg", lambda: b"\x85\x01\x0c\x03" + noise(300), "application/pgp-encrypted")),
    "S/MIME": (SMIME, lambda: (b"", encoded(b"0\x82" + noise(400)))),
    "a page called www.example.com": ("", file("www.example.com", lambda: b"<html>hello</html>", "text/html")),
    "the same from a client that goes by names": (
        "",
        file("www.example.com", lambda: b"<html>hello</html>", "application/x-msdos-program"),
    ),
    "a letter forwarded": ("", lambda: (forwarded(2, b"Content-Type: text/plain\r\n\r\nhello"),)),
    "a zip with a page in it": (
        "",
        file("a.zip", lambda: packed({"a.txt": b"hello", "b/www.example.com": b"x", "c": b""})),
    ),
    "a rar": ("", file("a.rar", lambda: hiding.rar("a.txt", b"hello"))),
    "a document": ("", file("a.docx", lambda: packed({"[Content_Types].xml": b"<a/>", "word/document.xml": b"<a/>"}))),
    "noise": ("", file("a.bin", lambda: noise(200_000))),
    "words about EICAR": ("", text(b"It begins with X5O!P%@AP and has EICAR-STANDARD-ANTIVIRUS-TEST-FILE in it.")),
    "blanks, dots and tabs": ("", text(b"hello  \r\n.dot\r\n..\r\n\ttab")),
}
