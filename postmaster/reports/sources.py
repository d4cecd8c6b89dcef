"""Who writes in our name, by address: summed over all reports, and in words whose mail that is."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from postmaster.reports.read import Report, Row

FORWARDED = ("forwarded", "trusted_forwarder", "mailing_list")  # of the reasons that a reporter may give
KINDS = {
    "ours": "this server",
    "ours_failed": "this server, and neither SPF nor DKIM passed: python -m postmaster dns check",
    "allowed": "allowed by your SPF record (a relay, a newsletter), or signed with your key elsewhere",
    "forwarded": "a forward: your signature holds, and SPF fails as it must",
    "changed": "a list or a forward that changed a letter of yours: your signature is there and no longer holds",
    "stranger": "a stranger in your name",
}


@dataclass
class Source:
    address: str
    domain: str
    name: str = ""
    letters: int = 0
    spf: int = 0
    dkim: int = 0
    dispositions: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    reporters: set[str] = field(default_factory=set)
    days: set[str] = field(default_factory=set)

    def add(self, report: Report, row: Row, kind: str) -> None:
        self.letters += row.count
        self.spf += row.count * row.spf
        self.dkim += row.count * row.dkim
        self.dispositions[row.disposition] += row.count
        self.kinds[kind] += row.count
        self.reporters.add(report.reporter)
        self.days |= {report.begin, report.end} - {""}

    @property
    def kind(self) -> str:
        """Of most of its letters; of equally many, the worse."""
        order = list(KINDS)
        return max(self.kinds, key=lambda kind: (self.kinds[kind], order.index(kind)))

    def as_dict(self) -> dict[str, Any]:
        return {
            "address": self.address, "name": self.name, "domain": self.domain, "letters": self.letters,
            "spf_aligned": self.spf, "dkim_aligned": self.dkim, "dispositions": dict(self.dispositions),
            "kind": self.kind, "kinds": dict(self.kinds), "says": KINDS[self.kind], "reporters": sorted(self.reporters),
            "first_day": min(self.days, default=""), "last_day": max(self.days, default=""),
        }  # fmt: skip


def summed(reports: Iterable[Report], ours: Collection[str]) -> list[Source]:
    """Of each address and domain, the most letters first."""
    found: dict[tuple[str, str], Source] = {}
    for report in reports:
        for row in report.rows:
            key = row.source, report.domain
            found.setdefault(key, Source(*key)).add(report, row, kind(row, ours))
    return sorted(found.values(), key=lambda one: (-one.letters, one.address))


def kind(row: Row, ours: Collection[str]) -> str:
    if row.source in ours:
        return "ours" if row.spf or row.dkim else "ours_failed"
    if row.spf:
        return "allowed"
    if row.dkim:
        return "forwarded"
    if row.signed or set(row.reasons) & {*FORWARDED}:
        return "changed"
    return "stranger"
