"""DMARC reports in the dialects of several reporters, packed as they pack them; and what is no report, or wants to do harm."""

from __future__ import annotations

import gzip
import io
import itertools
import random
import zipfile
from email.message import EmailMessage

import pytest

from postmaster.reports import read, unpack
from postmaster.reports.read import Row, report
from postmaster.reports.unpack import Bad, documents

D = "example.test"


def record(
    source: str = "203.0.113.7", count: str = "3", spf: str = "fail", dkim: str = "fail", disposition: str = "quarantine", more: str = "",
    author: str = D, auth: str = "",
) -> str:  # fmt: skip
    return f"""<record><row><source_ip>{source}</source_ip><count>{count}</count><policy_evaluated>
      <disposition>{disposition}</disposition><dkim>{dkim}</dkim><spf>{spf}</spf>{more}</policy_evaluated></row>
      <identifiers><header_from>{author}</header_from></identifiers><auth_results>{auth}</auth_results></record>"""


def feedback(
    *records: str, name: str = "google.com", number: str = "17", begin: str = "1796083200", end: str = "1796169599"
) -> str:
    """As Google writes them: no namespace, seconds."""
    return f"""<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <report_metadata><org_name>{name}</org_name><email>noreply-dmarc-support@google.com</email>
    <extra_contact_info>https://support.google.com/a/answer/2466580</extra_contact_info><report_id>{number}</report_id>
    <date_range><begin>{begin}</begin><end>{end}</end></date_range></report_metadata>
  <policy_published><domain>{D}</domain><adkim>r</adkim><aspf>r</aspf><p>quarantine</p><sp>quarantine</sp><pct>100</pct></policy_published>
  {"".join(records or [record()])}
</feedback>"""


MICROSOFT = f"""<?xml version="1.0"?>
<feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><version>1.0</version>
<report_metadata><org_name>Outlook.com</org_name><email>dmarcreport@microsoft.com</email><report_id>8ab3</report_id><date_range>
<begin>1796083200</begin><end>1796169600</end></date_range></report_metadata><policy_published><domain>{D.upper()}</domain></policy_published>
<record><row><source_ip>2001:DB8:0::5</source_ip><count>2</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim>
<spf>fail</spf></policy_evaluated></row><identifiers><envelope_to>hotmail.com</envelope_to><envelope_from>x.example</envelope_from>
<header_from>{D}</header_from></identifiers><auth_results><dkim><domain>{D}</domain><selector>m1</selector><result>pass</result></dkim>
<spf><domain>x.example</domain><scope>mfrom</scope><result>pass</result></spf></auth_results></record></feedback>"""
NEWER = f"""<ns0:feedback xmlns:ns0="urn:ietf:params:xml:ns:dmarc-2.0"><ns0:version>2.0</ns0:version><ns0:report_metadata>
<ns0:org_name>Bureau &amp; Söhne</ns0:org_name><ns0:report_id> 9 </ns0:report_id><ns0:date_range><ns0:begin>1796083200</ns0:begin>
<ns0:end>1796169600</ns0:end></ns0:date_range></ns0:report_metadata><ns0:policy_published><ns0:domain>{D}.</ns0:domain><ns0:np>reject</ns0:np>
</ns0:policy_published><ns0:record><ns0:row><ns0:source_ip>::ffff:198.18.0.25</ns0:source_ip><ns0:count>5</ns0:count><ns0:policy_evaluated>
<ns0:disposition>pass</ns0:disposition><ns0:dkim>pass</ns0:dkim><ns0:spf>pass</ns0:spf></ns0:policy_evaluated></ns0:row><ns0:identifiers>
<ns0:header_from>{D}</ns0:header_from></ns0:identifiers></ns0:record></ns0:feedback>"""
BARE = f"<feedback><policy_published><domain>{D}</domain></policy_published></feedback>"


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return made.getvalue()


def mailed(*attached: tuple[str, str, bytes], cte: str = "base64") -> bytes:
    """A letter with these attachments: (type, name, content)."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "noreply@google.com", f"postmaster@{D}", f"Report domain: {D}"
    made.set_content("This is an aggregate report.")
    for kind, name, content in attached:
        made.add_attachment(content, *kind.split("/"), filename=name, cte=cte)
    return made.as_bytes()


TEXT = feedback().encode()


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        b"\xef\xbb\xbf" + TEXT,
        feedback().replace("UTF-8", "UTF-16").encode("utf-16"),
        feedback(name="Sch\xf6n").replace("UTF-8", "iso-8859-1").encode("iso-8859-1"),
        gzip.compress(TEXT),
        gzip.compress(TEXT[:90]) + gzip.compress(TEXT[90:]),
        gzip.compress(TEXT) + b"\0\0",
        zipped(("a.xml", TEXT)),
        zipped(("a.xml", TEXT), method=zipfile.ZIP_STORED),
        zipped(("a/", b""), ("a/a.xml.gz", gzip.compress(TEXT)), ("__MACOSX/._a", b"x")),
        mailed(("application/gzip", f"google.com!{D}!1!2.xml.gz", gzip.compress(TEXT))),
        mailed(("application/octet-stream", "report", zipped(("a.xml", TEXT)))),
        mailed(("application/x-zip-compressed", "a.xml.gz", zipped(("a.xml", TEXT)))),
        mailed(("text/xml", "a.xml", TEXT), cte="quoted-printable"),
        mailed(("application/octet-stream", "a.zip", gzip.compress(TEXT)), ("image/png", "logo.png", b"\x89PNG")),
        mailed(("application/zip", "a.zip", zipped(("a.xml", TEXT)))).replace(b"\n", b"\r\n"),
        b"From: a@b\nContent-Type: message/rfc822\n\n" + mailed(("application/zip", "a", zipped(("a.xml", TEXT)))),
    ],
    ids=map(str, itertools.count()),  # the data changes with the time in it
)
def test_each_way_of_packing(data: bytes) -> None:
    ((_, text),) = documents(data, "a")
    assert report(text).rows == report(TEXT).rows and report(text).id == "17"


def test_the_dialects() -> None:
    google = report(feedback(record("198.18.0.25", "7", "pass", "pass", "none"), record()).encode())
    assert (google.reporter, google.id, google.domain, google.begin, google.end) == (
        "google.com",
        "17",
        D,
        "2026-12-01",
        "2026-12-01",
    )
    assert google.rows == (
        Row("198.18.0.25", 7, True, True, "none", (), D, False),
        Row("203.0.113.7", 3, False, False, "quarantine", (), D, False),
    )
    microsoft = report(MICROSOFT.encode())
    assert microsoft.rows == (Row("2001:db8::5", 2, False, True, "none", (), D, True),) and microsoft.domain == D
    newer = report(NEWER.encode())
    assert newer.rows == (Row("198.18.0.25", 5, True, True, "pass", (), D, False),)
    assert (newer.reporter, newer.id, newer.domain) == ("Bureau & Söhne", "9", D)
    bare = report(BARE.encode())
    assert (bare.reporter, bare.begin, bare.rows) == ("a reporter without a name", "", ()) and len(bare.id) == 16


BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"hello", "neither XML"),
        (b'{"organization-name": "x"}', "TLS"),
        (b"<html><body>x</body></html>", "first element is <html>"),
        (TEXT[:400], "its XML is broken"),
        (TEXT.replace(b"google.com", b"\xff\xfe"), "its XML is broken"),
        (TEXT.replace(b"UTF-8", b"nonsense"), "its XML is broken"),
        (TEXT.replace(b"<feedback>", BOMB.encode() + b"<feedback>", 1), "DOCTYPE"),
        (TEXT.replace(b"<feedback>", b'<!DOCTYPE feedback SYSTEM "file:///etc/passwd"><feedback>', 1), "DOCTYPE"),
        (TEXT.replace(b"google.com", b"&xxe;"), "its XML is broken"),
        (b"<feedback>" + b"<a>" * 100_000, "deep"),
        (f"<feedback>{record()}</feedback>".encode(), "which domain"),
        (feedback(record("mail.example", "1"), record(count="many")).encode(), "none of its records"),
        (gzip.compress(TEXT)[:-20], "cut off"),
        (gzip.compress(TEXT)[:30] + b"\0" * 60, "damaged|cut off"),
        (b"\x1f\x8b" + b"x" * 40, "damaged"),
        (zipped(("a.xml", TEXT))[:-30], "damaged"),
        (zipped(), "neither XML"),
        (zipped(*((f"{number}.xml", TEXT) for number in range(30))), "has 30 files"),
        (zipped(("a.xml", TEXT), method=zipfile.ZIP_LZMA), "method 14"),
        (gzip.compress(gzip.compress(gzip.compress(gzip.compress(gzip.compress(TEXT))))), "packed in packed"),
        (mailed(), "without a report"),
        (mailed(("application/gzip", "a.xml.gz", gzip.compress(b"no"))), "a.xml.gz: neither XML"),
        (mailed(("application/tlsrpt+gzip", "a.json.gz", gzip.compress(b"{}"))), "without a report"),
    ],
    ids=map(str, itertools.count()),
)  # fmt: skip
def test_what_is_no_report_is_refused_with_its_reason(data: bytes, why: str) -> None:
    with pytest.raises(Bad, match=why):
        for _, text in documents(data, "a"):
            report(text)


def test_bombs_are_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MOST", 10_000)
    large = b"<feedback>" + b" " * 100_000_000
    for data in (gzip.compress(large), zipped(("a.xml", large)), gzip.compress(b"<feedback>") * 10_000):
        with pytest.raises(Bad, match=r"unpacks to more|100 members"):
            for _, text in documents(data, "a"):
                report(text)
    monkeypatch.setattr(read, "ROWS", 3)
    with pytest.raises(Bad, match="more than 3 records"):
        report(feedback(*[record()] * 4).encode())


def test_a_password_and_parts_without_end() -> None:
    locked = bytearray(zipped(("a.xml", TEXT)))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(Bad, match="password"):
        [*documents(bytes(locked), "a")]
    with pytest.raises(Bad, match="200 parts"):
        [*documents(mailed(*[("image/png", "a", b"x")] * 300), "a")]
    nested = b"From: a@b\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (number, number) for number in range(5000)
    )
    with pytest.raises(Bad, match=r"deep in each other|200 parts|without a report"):
        [*documents(nested, "a")]


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_refused_and_never_more_than_that(seed: int) -> None:
    dice = random.Random(seed)
    for whole in (
        TEXT,
        gzip.compress(TEXT),
        zipped(("a.xml", TEXT)),
        mailed(("application/gzip", "a.gz", gzip.compress(TEXT))),
    ):
        data = bytearray(whole)
        for _ in range(dice.randrange(1, 12)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            for _, text in documents(bytes(data[: dice.randrange(len(data))] if dice.random() < 0.3 else data), "a"):
                report(text)
        except Bad:
            pass
