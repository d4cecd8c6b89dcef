"""What a check is, what it hands back, and the register of all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from checks.target import Target

Verdict = Literal["pass", "warn", "fail", "skip"]
Evidence = str

# The article's chapters by the name of their module; 0 is what comes before the first.
CHAPTERS: dict[str, tuple[int, str]] = {
    "host": (0, "The host itself"),
    "postfix": (1, "Postfix, the conveyor belt"),
    "postgresql": (2, "PostgreSQL, the solid bookkeeper"),
    "amavis": (3, "Amavis, the trusty workers"),
    "dovecot": (4, "Dovecot, the friendly front desk"),
    "sieve": (5, "Dovecot continued"),
}

# The steps in their order, for reports; tests hold this against the chapters themselves.
STEPS: dict[str, str] = {
    "host": "ssh ports",
    "postfix": "host_name install identity submission submissions certificate tls restrictions strangers aliases restart",
    "postgresql": "install access role database tables mail_owner accounts maps delivery restart",
    "amavis": "install clamav spamassassin amavis unpacking quarantine workers reinjection filter restart",
    "dovecot": "install protocols greeting includes tls certificate start passdb sql mail_owner "
    "schemes password cleartext mailboxes sasl listener restart",
    "sieve": "clock install lmtp delivery sieve spam managesieve vacation learning debugging restart",
}

# Services come first, so that what stands on a dead one is skipped. Failed logins come last: each
# makes the server slower to answer this client's address.
CORE, NORMAL, LAST, AFTERWARDS = 0, 50, 90, 95


class Failed(Exception):
    """The check looked and found it wrong."""

    def __init__(self, evidence: str, remedy: str = "") -> None:
        super().__init__(evidence)
        self.evidence, self.remedy = evidence, remedy


class Warned(Failed):
    """Not wrong, but somebody should look; or it could not be proven from here."""


class Skipped(Exception):
    """The check could not be made, and that says nothing about the server."""


class CannotStart(Exception):
    """Nothing can be checked at all; the text is one sentence that says what to do."""


@dataclass(frozen=True)
class Check:
    id: str
    title: str
    function: Callable[[Target], Evidence]
    negative: bool = False
    needs: tuple[str, ...] = ()
    provides: str = ""
    order: int = NORMAL
    remedy: str = ""
    elsewhere: bool = False  # means nothing when asked from the mail host's own address

    @property
    def step(self) -> str:
        return ".".join(self.id.split(".")[:2])

    @property
    def chapter(self) -> int:
        return CHAPTERS[self.id.split(".")[0]][0]

    @property
    def place(self) -> tuple[int, int, bool]:
        """Where it stands in a report: by chapter and step, the claim before its negative."""
        module, step = self.step.split(".")
        steps = STEPS.get(module, "").split()
        return self.chapter, steps.index(step) if step in steps else len(steps), self.negative

    @property
    def kind(self) -> str:
        return "negative" if self.negative else "claim"

    def result(self, verdict: Verdict, evidence: str, remedy: str = "", seconds: float = 0.0) -> Result:
        step = self.step.split(".")[1]
        return Result(self.id, self.chapter, step, self.kind, self.title, verdict, evidence, remedy, round(seconds, 2))


@dataclass(frozen=True)
class Result:
    id: str
    chapter: int
    step: str
    kind: str
    title: str
    verdict: Verdict
    evidence: str
    remedy: str = ""
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


REGISTER: dict[str, Check] = {}


def check(
    id: str,
    title: str,
    *,
    negative: bool = False,
    needs: tuple[str, ...] = (),
    provides: str = "",
    order: int = NORMAL,
    remedy: str = "",
    elsewhere: bool = False,
    register: dict[str, Check] = REGISTER,
) -> Callable[[Callable[[Target], Evidence]], Callable[[Target], Evidence]]:
    """Register a function as a check. It returns its evidence, or raises Failed or Warned."""
    if not re.fullmatch(r"[a-z]+\.[a-z_]+\.[a-z0-9_]+", id) or id.split(".")[0] not in CHAPTERS:
        raise ValueError(f"{id!r} is not chapter.step.what with a chapter of {list(CHAPTERS)}")
    if id in register:
        raise ValueError(f"{id!r} is registered twice")

    def keep(function: Callable[[Target], Evidence]) -> Callable[[Target], Evidence]:
        place = CORE if provides and order == NORMAL else order
        register[id] = Check(id, title, function, negative, needs, provides, place, remedy, elsewhere)
        return function

    return keep
