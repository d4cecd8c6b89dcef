"""The XML inside what arrives: a letter, a gzip, a zip, or the text itself. Anybody may have sent it, so nothing is unpacked to its end
before it is known how long that is, and the kind is read from the first bytes, never from a name.
"""

import email
import io
import itertools
import zipfile
import zlib
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser

MOST = 32 * 2**20  # bytes of one report; the largest that receivers send have a few million
PARTS, ENTRIES, MEMBERS, DEEP = 200, 20, 100, 3  # of a letter, of a zip, of a gzip, and one in another
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others unpack a piece whole, whatever comes out
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
READABLE = ("application/", "text/xml")  # of a letter's parts


class Bad(Exception):
    """Why this is no report that can be read."""


def documents(data: bytes, name: str, deep: int = 0) -> Iterator[tuple[str, bytes]]:
    """Each XML document with its name: "report.eml: example.net!example.test!1!2.xml". Raises Bad."""
    if deep > DEEP:
        raise Bad("packed in packed in packed")
    if data.startswith(b"\x1f\x8b"):
        yield from documents(gunzipped(data), name, deep + 1)
    elif data.startswith(b"PK\x03\x04"):
        for inside, text in unzipped(data):
            yield from documents(text, f"{name}: {inside}", deep + 1)
    elif is_xml(data):
        yield name, data
    elif deep == 0 and is_letter(data):
        yield from attached(data, name)
    elif data.lstrip()[:1] == b"{":
        raise Bad("JSON: a report about TLS (RFC 8460), perhaps, and not about DMARC")
    else:
        raise Bad("neither XML nor a gzip, a zip or a letter" if data else "empty")


def is_xml(data: bytes) -> bool:
    return data.startswith(BOMS[1:]) or data.removeprefix(BOMS[0]).lstrip()[:1] == b"<"


def is_letter(data: bytes) -> bool:
    head = BytesHeaderParser().parsebytes(data[:65536])
    return bool(head.keys()) and ("from" in head or "content-type" in head or "received" in head)


def attached(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """The documents in a letter's parts, in whatever type and encoding; a sick part hides no other."""
    found, why = False, ""
    try:
        parts = [*itertools.islice(email.message_from_bytes(data).walk(), PARTS + 1)]
    except RecursionError as error:
        raise Bad("its parts are too deep in each other") from error
    if len(parts) > PARTS:
        raise Bad(f"it has more than {PARTS} parts")
    for number, part in enumerate(parts):
        if part.is_multipart() or "tlsrpt" in part.get_content_type():
            continue
        content = payload(part)
        told = f"{name}: {part.get_filename() or f'part {number}'}"
        likely = content.startswith((b"\x1f\x8b", b"PK\x03\x04")) or (
            is_xml(content) and b"<feedback" in content[:8192]
        )
        if not likely and not (
            part.get_filename() and part.get_content_type().startswith(READABLE) and is_xml(content)
        ):
            continue
        found = True
        try:
            yield from documents(content, told, deep=1)
        except Bad as error:
            why = why or f"{told.removeprefix(f'{name}: ')}: {error}"
    if why:
        raise Bad(why)
    if not found:
        raise NoReport("a letter without a report in it")


class NoReport(Bad):
    """A letter about something else."""


def payload(part: Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except (LookupError, ValueError):  # an encoding that nobody knows
        return b""
    return content if isinstance(content, bytes) else b""


def gunzipped(data: bytes) -> bytes:
    """Of one or several members (RFC 1952, 2.2); what pads them counts as nothing."""
    found = b""
    for _ in range(MEMBERS):
        machine = zlib.decompressobj(31)
        try:
            found += machine.decompress(data, MOST + 1 - len(found))
        except zlib.error as error:
            raise Bad(f"its gzip is damaged: {error}") from error
        if len(found) > MOST:
            raise Bad(f"it unpacks to more than {MOST >> 20} MiB")
        if not machine.eof:
            raise Bad("its gzip is cut off")
        data = machine.unused_data
        if not data.startswith(b"\x1f\x8b"):
            return found
    raise Bad(f"its gzip has more than {MEMBERS} members")


def unzipped(data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [
                one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")
            ]
            if not 0 < len(entries) <= ENTRIES:
                raise Bad(f"its zip has {len(entries)} files")
            for one in entries:
                if one.compress_type not in METHODS:
                    raise Bad(f"its zip is packed by method {one.compress_type}, and reports are deflated")
                if one.flag_bits & 1:
                    raise Bad("its zip has a password")
                with archive.open(one) as file:
                    text = file.read(MOST + 1)
                if len(text) > MOST:
                    raise Bad(f"it unpacks to more than {MOST >> 20} MiB")
                yield one.filename, text
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise Bad(f"its zip is damaged: {error}") from error
