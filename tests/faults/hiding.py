"""Archives made by hand, of every kind that mail brings, and some that are broken on purpose."""

import binascii
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

from checks.clients.samples import EICAR


def packed(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", how) as archive:
        for name, inside in files.items():
            archive.writestr(name, inside)
    return made.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:  # type: ignore[call-overload]
        for name, inside in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(inside)
            archive.addfile(entry, io.BytesIO(inside))
    return made.getvalue()


def nested(depth: int, inside: bytes = EICAR, wrap: Callable[[bytes], bytes] = lambda b: packed({"a.zip": b})) -> bytes:
    for _ in range(depth):
        inside = wrap(inside)
    return inside


def cabinet(name: str, inside: bytes) -> bytes:
    """A Microsoft cabinet with one file, not compressed: header, folder, file, data."""
    file = struct.pack("<IIHHHH", len(inside), 0, 0, 0x5A21, 0, 0x20) + name.encode() + b"\0"
    start = 36 + 8 + len(file)
    data = struct.pack("<IHH", 0, len(inside), len(inside)) + inside
    head = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, start + len(data), 0, 44, 0, 3, 1, 1, 1, 0, 0, 0)
    return head + struct.pack("<IHH", start, 1, 0) + file + data


def rar(name: str, inside: bytes, mode: int = 0o100644) -> bytes:
    """A RAR archive of the third version with one stored file: mark, archive head, file head, end."""

    def block(kind: int, flags: int, rest: bytes, body: bytes = b"") -> bytes:
        head = struct.pack("<BHH", kind, flags, 7 + len(rest)) + rest
        return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head + body

    what = struct.pack(
        "<IIBIIBBHI", len(inside), len(inside), 3, zlib.crc32(inside), 0x5A210000, 29, 0x30, len(name), mode
    )
    mark = b"Rar!\x1a\x07\x00" + block(0x73, 0, b"\0" * 6)
    return mark + block(0x74, 0x8000, what + name.encode(), inside) + block(0x7B, 0x4000, b"")


def lha(name: str, inside: bytes) -> bytes:
    """An LHA archive with one stored file (-lh0-), head of level 0."""
    crc = 0
    for byte in inside:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    head = b"-lh0-" + struct.pack("<IIIBB", len(inside), len(inside), 0x5A210000, 0x20, 0)
    head += bytes([len(name)]) + name.encode() + struct.pack("<H", crc)
    return bytes([len(head), sum(head) & 0xFF]) + head + inside + b"\0"


def tnef(name: str, inside: bytes) -> bytes:
    """Outlook's winmail.dat with one attachment."""

    def attribute(level: int, kind: int, body: bytes) -> bytes:
        return struct.pack("<BII", level, kind, len(body)) + body + struct.pack("<H", sum(body) & 0xFFFF)

    made = struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00089006, struct.pack("<I", 0x10000))
    made += attribute(2, 0x00069002, struct.pack("<HIHHH", 1, 0, 0, 0, 0)[:14].ljust(14, b"\0"))
    return made + attribute(2, 0x00018010, name.encode() + b"\0") + attribute(2, 0x0006800F, inside)


def uuencoded(name: str, inside: bytes) -> bytes:
    lines = [binascii.b2a_uu(inside[at : at + 45]) for at in range(0, len(inside), 45)]
    return (b"begin 644 " + name.encode() + b"\n" + b"".join(lines) + b"`\nend\n").replace(b"\n", b"\r\n")


def yenc(name: str, inside: bytes) -> bytes:
    body = bytes((byte + 42) % 256 for byte in inside)
    for bad in (b"=", b"\0", b"\n", b"\r"):
        body = body.replace(bad, b"=" + bytes([(bad[0] + 64) % 256]))
    head = f"=ybegin line=128 size={len(inside)} name={name}\r\n".encode()
    return head + body + f"\r\n=yend size={len(inside)} crc32={zlib.crc32(inside):08x}\r\n".encode()


def without_directory(archive: bytes) -> bytes:
    """A zip whose list of contents is gone: 7-Zip opens it all the same."""
    return archive[: archive.index(b"PK\x01\x02")]


def wrong_directory(archive: bytes) -> bytes:
    """A zip whose list of contents points beside its file."""
    at = archive.index(b"PK\x01\x02")
    return archive[: at + 42] + struct.pack("<I", 7777) + archive[at + 46 :]
