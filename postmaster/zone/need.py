"""A record that is needed, and what was found instead."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from postmaster.zone.ask import Answer, Authorities

Sign = Literal["right", "wrong", "missing", "advice", "unknown", "unneeded"]
LATER = "Ask again in a minute, or by another resolver: --resolver 9.9.9.9"


@dataclass(frozen=True)
class Verdict:
    """`missing` counts as wrong where the record is required, and as advice where it is recommended."""

    sign: Sign
    says: str
    remedy: str = ""
    found: tuple[str, ...] = ()


@dataclass(frozen=True)
class Need:
    """`want` is the value as a zone file has it, without quotes; "" where there is nothing to write down."""

    name: str
    kind: str
    want: str
    why: str
    judge: Callable[[Authorities], Verdict]
    required: bool = True
    provider: bool = False  # set where the address was rented, not in our zone
    address: str = ""  # whose reverse name it is: people do not read 1.0.18.198.in-addr.arpa

    def row(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "address": self.address,
            "type": self.kind,
            "want": self.want,
            "required": self.required,
            "why": self.why,
        }

    def judged(self, names: Authorities) -> dict[str, Any]:
        """The same with what was found, and what it is worth."""
        verdict = self.judge(names)
        absent = "wrong" if self.required else "advice"
        return self.row() | {
            "sign": absent if verdict.sign == "missing" else verdict.sign,
            "says": verdict.says,
            "remedy": verdict.remedy,
            "found": list(verdict.found),
        }


def unknown(answer: Answer) -> Verdict:
    return Verdict("unknown", answer.problem, LATER)


def missing(names: Authorities, name: str, kind: str, want: str) -> Verdict:
    """There is none. Many providers' forms append the zone's name to what is typed, so it may be there under its name twice."""
    apex = names.zone(name)
    twice = f"{name}.{apex}"
    if apex and (found := names.ask(twice, kind).values):
        typed = name.removesuffix(apex).rstrip(".") or "@"
        return Verdict(
            "missing",
            f"it stands under {twice}: your provider appends {apex} by itself",
            f"Give it the name {typed} there.",
            found,
        )
    return Verdict("missing", "there is none", f"Add: {name}. {kind} {shown(kind, want)}" if want else "")


def shown(kind: str, want: str) -> str:
    """A value as a zone file has it: a text in quotes, in pieces of at most 255 characters (RFC 1035, 3.3.14)."""
    if kind != "TXT":
        return want
    pieces = [want[at : at + 255] for at in range(0, len(want), 255)]
    return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)


def tags(record: str) -> dict[str, str]:
    """The tags of a record like "v=DMARC1; p=none": RFC 6376, 3.2. The first of two with one name counts."""
    found: dict[str, str] = {}
    for part in record.split(";"):
        name, is_tag, value = part.partition("=")
        if is_tag:
            found.setdefault(name.strip(), value.strip())
    return found
