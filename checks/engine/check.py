"""What a check is, what it hands back, and the register of all of them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from checks.engine.target import Target
from checks.engine.verdicts import Verdict

Evidence = str
Condition = Callable[[Target], None]  # raises Skipped where the check means nothing

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
    only_with: tuple[Condition, ...] = ()

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
    title: str,
    *,
    negative: bool = False,
    needs: str = "",
    provides: str = "",
    order: int = NORMAL,
    remedy: str = "",
    elsewhere: bool = False,
    only_with: tuple[Condition, ...] = (),
    register: dict[str, Check] = REGISTER,
) -> Callable[[Callable[[Target], Evidence]], Callable[[Target], Evidence]]:
    """Register a function as a check. It returns its evidence, or raises Failed or Warned.

    Its id is where it stands: dovecot.tls.required is the function `required` of claims/dovecot/tls.py. `needs` names
    services that other checks provide. `only_with` skips it where it means nothing; a check that says nothing of that has its
    chapter's, ONLY_WITH of the package.
    """

    def keep(function: Callable[[Target], Evidence]) -> Callable[[Target], Evidence]:
        package, _, step = function.__module__.rpartition(".")
        chapter = package.rpartition(".")[2]
        id = f"{chapter}.{step}.{function.__name__}"
        if not re.fullmatch(r"[a-z]+\.[a-z_]+\.[a-z0-9_]+", id) or chapter not in CHAPTERS:
            raise ValueError(f"{id!r} is not chapter.step.what with a chapter of {list(CHAPTERS)}")
        if id in register:
            raise ValueError(f"{id!r} is registered twice")
        conditions = only_with or getattr(sys.modules.get(package), "ONLY_WITH", ())
        place = CORE if provides and order == NORMAL else order
        register[id] = Check(
            id, title, function, negative, tuple(needs.split()), provides, place, remedy, elsewhere, conditions
        )
        return function

    return keep
