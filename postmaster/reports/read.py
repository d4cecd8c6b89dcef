"""A report as a receiver writes it: by the names of its elements alone, since reporters differ in namespace, order and what they leave
out. https://www.rfc-editor.org/rfc/rfc7489#appendix-C
"""

import hashlib
import ipaddress
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.parsers import expat

from postmaster.quarantine import words
from postmaster.reports.unpack import Bad

DEEP, LONG, ROWS = 30, 2000, 200_000  # elements in each other, characters of one, records
COUNT = 10**9  # letters of one record; who says more, says nothing
Fields = dict[str, list[str]]  # by the path below: {"row/source_ip": ["192.0.2.1"]}


@dataclass(frozen=True)
class Row:
    """Letters from one address that were judged alike. `spf` and `dkim` are DMARC's: they passed, and for the domain in From."""

    source: str
    count: int
    spf: bool
    dkim: bool
    disposition: str
    reasons: tuple[str, ...] = ()
    author: str = ""  # the domain in From
    signed: bool = False  # a signature of the author's domain was there, whether it held or not


@dataclass(frozen=True)
class Report:
    reporter: str
    id: str
    domain: str
    begin: str  # a day, "" where it says none
    end: str
    rows: tuple[Row, ...]
    unread: int = 0  # records without an address or a number

    @property
    def key(self) -> tuple[str, str, str]:
        return self.reporter.lower(), self.id, self.domain


class _Reader:
    def __init__(self) -> None:
        self.path: list[str] = []
        self.text: list[str] = []
        self.head: Fields = defaultdict(list)
        self.record: Fields = defaultdict(list)
        self.results: list[dict[str, str]] = []
        self.records: list[tuple[Fields, list[dict[str, str]]]] = []

    def begin(self, name: str, _: dict[str, str]) -> None:
        local = name.rpartition(":")[2].lower()
        if not self.path and local != "feedback":
            raise Bad(f"its first element is <{words(local)[:40]}> and not <feedback>: no DMARC report")
        self.path.append(local)
        if len(self.path) > DEEP:
            raise Bad(f"its elements are more than {DEEP} deep in each other")
        if self.path[1:3] == ["record", "auth_results"] and len(self.path) == 4:
            self.results.append({"kind": local})
        self.text = []

    def data(self, text: str) -> None:
        if sum(map(len, self.text)) < LONG:
            self.text.append(text[:LONG])

    def end(self, _: str) -> None:
        value = words("".join(self.text))[:LONG]
        path = self.path[1:]
        if path[:1] == ["record"]:
            if path[1:2] == ["auth_results"] and len(path) == 4 and self.results:
                self.results[-1].setdefault(path[3], value)
            self.record["/".join(path[1:])].append(value)
            if len(path) == 1:
                if len(self.records) >= ROWS:
                    raise Bad(f"it has more than {ROWS} records")
                self.records.append((self.record, self.results))
                self.record, self.results = defaultdict(list), []
        elif value:
            self.head["/".join(path)].append(value)
        self.text = []
        self.path.pop()


def _no_doctype(*_: Any) -> None:
    raise Bad("it has a DOCTYPE, which no report needs and by which entities come in")


def report(data: bytes) -> Report:
    """What the document says. Raises Bad."""
    reader, parser = _Reader(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.begin, reader.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = reader.data, _no_doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Bad(f"its XML is broken: {words(str(error))}") from error
    head = reader.head
    mail = first(head, "report_metadata/email")
    reporter = first(head, "report_metadata/org_name") or mail.rpartition("@")[2] or "a reporter without a name"
    domain = first(head, "policy_published/domain").lower().rstrip(".")
    if not domain:
        raise Bad("it does not say which domain it is about")
    rows = [row(fields, results, domain) for fields, results in reader.records]
    read = tuple(one for one in rows if one)
    if rows and not read:
        raise Bad("none of its records has an address and a number of letters")
    return Report(
        reporter[:100],
        first(head, "report_metadata/report_id")[:200] or hashlib.sha256(data).hexdigest()[:16],
        domain,
        day(first(head, "report_metadata/date_range/begin")),
        day(first(head, "report_metadata/date_range/end")),
        read,
        len(rows) - len(read),
    )


def row(fields: Fields, results: list[dict[str, str]], domain: str) -> Row | None:
    source, count = address(first(fields, "row/source_ip")), first(fields, "row/count")
    if not source or not (count.isascii() and count.isdigit() and len(count) < 11 and int(count) <= COUNT):
        return None
    author = first(fields, "identifiers/header_from").lower().rstrip(".") or domain
    judged = {kind: first(fields, f"row/policy_evaluated/{kind}").lower() for kind in ("spf", "dkim", "disposition")}
    signers = {
        one.get("domain", "").lower() for one in results if one["kind"] == "dkim" and one.get("result") != "none"
    }
    return Row(
        source,
        int(count),
        judged["spf"] == "pass",
        judged["dkim"] == "pass",
        judged["disposition"] if judged["disposition"] in ("none", "quarantine", "reject", "pass") else "none",
        tuple(one.lower() for one in fields.get("row/policy_evaluated/reason/type", []) if one),
        author[:253],
        any(one and (one == author or one.endswith(f".{author}") or author.endswith(f".{one}")) for one in signers),
    )


def first(fields: Fields, name: str) -> str:
    return next((one for one in fields.get(name, []) if one), "")


def address(word: str) -> str:
    """In its one way of writing; an IPv4 address in IPv6's clothes is an IPv4 address."""
    try:
        found = ipaddress.ip_address(word.strip("[]").partition("%")[0])
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def day(word: str) -> str:
    """Seconds since 1970, or a date as some write it; "" for what is neither."""
    try:
        if word.isascii() and word.isdigit():
            return f"{datetime.fromtimestamp(int(word[:12]), UTC):%Y-%m-%d}"
        return f"{datetime.fromisoformat(word):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return ""
