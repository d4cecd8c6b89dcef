"""Reports for the terminal and as JSON."""

from dataclasses import dataclass, field
from typing import Any

from rich.table import Table
from rich.text import Text

from postmaster.reports.read import Report
from postmaster.reports.sources import KINDS, Source
from postmaster.zone.told import console

COLOURS = {
    "ours": "green",
    "forwarded": "",
    "allowed": "",
    "changed": "yellow",
    "stranger": "yellow",
    "ours_failed": "bold red",
}


@dataclass
class Found:
    """What was read. `bad` are those that were passed over, each with the reason."""

    where: str
    reports: dict[tuple[str, str, str], Report] = field(default_factory=dict)
    bad: list[tuple[str, str]] = field(default_factory=list)
    again: int = 0  # the same report once more


def as_dict(found: Found, rows: list[Source]) -> dict[str, Any]:
    return {
        "where": found.where,
        "reports": [
            {"reporter": one.reporter, "id": one.id, "domain": one.domain, "begin": one.begin, "end": one.end,
             "letters": sum(row.count for row in one.rows)}
            for one in found.reports.values()
        ],
        "sources": [one.as_dict() for one in rows],
        "counted_once": found.again,
        "passed_over": [{"name": name, "why": why} for name, why in found.bad],
    }  # fmt: skip


def told(found: Found, rows: list[Source], known: bool) -> None:
    out = console()
    if not found.reports:
        print(
            f"No DMARC report in {found.where}. Receivers send one a day for each domain, once its DMARC record has rua=."
        )
        return
    reporters = sorted({one.reporter for one in found.reports.values()})
    again = f", {found.again} of them again and counted once" if found.again else ""
    many = len(found.reports) + found.again
    head = f"{many} DMARC report{'' if many == 1 else 's'}{again}, by {', '.join(reporters[:6])}"
    out.print(Text(head, "bold"))
    out.print(Text(f"from {found.where}", "dim"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head, right in (
        ("from", 0),
        ("letters", 1),
        ("SPF", 1),
        ("DKIM", 1),
        ("treated", 0),
        ("days", 0),
        ("whose", 0),
    ):
        table.add_column(
            head, justify="right" if right else "left", overflow="fold", no_wrap=bool(right), header_style="dim"
        )
    for one in rows:
        days = sorted({min(one.days, default=""), max(one.days, default="")})
        treated = ", ".join(
            f"{name} {count}" if len(one.dispositions) > 1 else name for name, count in one.dispositions.most_common()
        )
        says = Text(KINDS[one.kind], COLOURS[one.kind])
        if len({row.domain for row in rows}) > 1:
            says.append(f" ({one.domain})", "dim")
        who = "\n".join(filter(None, [one.address, one.name]))
        table.add_row(who, f"{one.letters}", f"{one.spf}", f"{one.dkim}", treated, "\n".join(filter(None, days)), says)
    out.print(table)
    if not known:
        out.print(Text("Which of these is yours: --address IP, or --host NAME to ask the server.", "dim"))
