"""Letters that count themselves: what was sent, what the server said to it, and what its reader has of it.

The rule: a letter is there exactly as often as the server said 250 to it. An attempt whose connection was lost between the
final dot and the reply is *unknown* to any sender (RFC 5321, 4.1.1.4): it may have been taken or not, so it may be there once
more or not. A sender repeats such a letter, and stops at the first 250.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from uuid import uuid4

MARK = b"X-Letter: "  # always the first line of what we send: below it everything is the sender's


@dataclass
class Letter:
    to: str
    data: bytes  # as sent: lines end with CRLF, and no dot is doubled yet
    mark: str
    sender: str = "alice@elsewhere.example"
    account: int | None = None  # who logs in to send it; None: a stranger at port 25
    phase: str = ""  # while which fault it was written
    accepted: int = 0  # 250 to the final dot
    unknown: int = 0  # the connection was lost between the final dot and the reply
    refused: str = ""  # 5xx, for good
    tries: int = 0


@dataclass
class Verdict:
    """What is wrong, a sentence each; the marks can be looked for in the log."""

    lost: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)

    def wrong(self) -> list[str]:
        return [*self.lost, *self.altered, *self.duplicated]

    def figures(self) -> dict[str, int]:
        return {"lost": len(self.lost), "altered": len(self.altered), "duplicated": len(self.duplicated)}


def write(to: str, number: int = 0, account: int | None = None, sender: str = "alice@elsewhere.example") -> Letter:
    """An ordinary letter with what a careless hop would spoil: dots, blanks at the ends, eight bits, long lines."""
    chance = random.Random(number)
    mark = uuid4().hex
    lines = [
        ".",
        "..",
        ".hidden",
        "blank at the end ",
        "\ttab",
        "Grüße aus Łódź",
        "From here on",
        ">From there",
        "",
        "x" * 990,
    ]
    lines += [" ".join(chance.choices(WORDS, k=9)) for _ in range(chance.choice((3, 40, 300)))]
    chance.shuffle(lines)
    head = [
        f"From: <{sender}>",
        f"To: <{to}>",
        f"Subject: Letter {number} about {chance.choice(WORDS)}",
        f"Date: {formatdate()}",
        f"Message-ID: <{mark}@example.net>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    text = "\r\n".join([*head, "", *lines, ""]).encode()
    return Letter(to, first_line(mark) + text, mark, sender, account)


WORDS = [
    "apple",
    "bridge",
    "candle",
    "door",
    "engine",
    "field",
    "garden",
    "harbour",
    "island",
    "journey",
    "kettle",
    "lantern",
    "meadow",
    "needle",
    "orchard",
]


def first_line(mark: str) -> bytes:
    return MARK + mark.encode() + b"\r\n"


def below(found: bytes, mark: str) -> bytes:
    """What the reader has, without the lines that the hops put above the sender's first."""
    _above, line, rest = found.partition(first_line(mark))
    return line + rest


def mark_of(found: bytes) -> str:
    """The mark of a letter as read; empty for one that is not ours."""
    at = found.find(MARK)
    return found[at + len(MARK) : at + len(MARK) + 32].decode(errors="replace") if at >= 0 else ""


Read = Mapping[str, Mapping[str, Sequence[bytes]]]  # by owner and mark: each copy, whole, as read


def judge(letters: Iterable[Letter], read: Read) -> Verdict:
    """Hold what was sent against what each mailbox has."""
    verdict = Verdict()
    for letter in letters:
        copies = read.get(letter.to, {}).get(letter.mark, ())
        strays = [owner for owner, theirs in read.items() if owner != letter.to and letter.mark in theirs]
        name = f"{letter.mark} to {letter.to} ({letter.phase}; 250: {letter.accepted}, unknown: {letter.unknown})"
        if letter.refused and not letter.unknown:
            verdict.lost.append(f"{name}: refused for good: {letter.refused}")
        elif not copies and letter.accepted:
            verdict.lost.append(f"{name}: in no mailbox of theirs")
        if len(copies) > letter.accepted + letter.unknown:
            verdict.duplicated.append(f"{name}: {len(copies)} copies")
        if strays:
            verdict.duplicated.append(f"{name}: in somebody else's mailbox, {', '.join(strays)}")
        verdict.altered += [
            f"{name}: {difference(letter.data, below(copy, letter.mark))}"
            for copy in copies
            if below(copy, letter.mark) != letter.data
        ]
    return verdict


def difference(sent: bytes, read: bytes) -> str:
    """Where two texts part, with a little of each."""
    at = next((n for n, (a, b) in enumerate(zip(sent, read, strict=False)) if a != b), min(len(sent), len(read)))
    return (
        f"byte {at} of {len(sent)}: sent {sent[max(0, at - 20) : at + 30]!r}, read {read[max(0, at - 20) : at + 30]!r}"
    )
