"""What a check is, what it hands back, and the register of all of them."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from checks.engine.target import Target
from checks.engine.verdicts import Verdict

# The article's chapters by the name of their module; 0 is what comes before the first.
CHAPTERS: dict[str, tuple[int, str]] = {
    "host": (0, "The host itself"),
    "postfix": (1, "Postfix, the conveyor belt"),
    "postgresql": (2, "PostgreSQL, the solid bookkeeper"),
    "amavis": (3, "Amavis, the trusty workers"),
    "dovecot": (4, "Dovecot, the friendly front desk"),
    "sieve": (5, "Dovecot continued"),
    "believed": (6, "A letter that the world believes"),
}

# The steps in their order, for reports; tests hold this against the chapters themselves.
STEPS: dict[str, str] = {
    "host": "ssh ports",
    "postfix": "host_name install identity submission submissions certificate tls restrictions strangers aliases restart",
    "postgresql": "install access role database tables mail_owner accounts maps delivery restart",
    "amavis": "install clamav spamassassin amavis unpacking quarantine workers reinjection filter restart",
    "dovecot": "install protocols greeting includes tls certificate start passdb sql mail_owner "
    "schemes password cleartext mailboxes sasl listener restart client",
    "sieve": "clock install lmtp delivery sieve spam managesieve vacation learning debugging restart",
    "believed": "signing door web certificate relay dane policy sts clients",
}

# Services come first, so that what stands on a dead one is skipped. Failed logins come last: each
# makes the server slower to answer this client's address.
CORE, NORMAL, LAST, AFTERWARDS = 0, 50, 90, 95


@dataclass(frozen=True)
class Check:
    id: str
    title: str
    kind: str  # claim or negative
    function: Callable[[Target], str]
    needs: tuple[str, ...] = ()  # services that other checks provide, and words of conditions.py
    provides: str = ""
    order: int = NORMAL
    remedy: str = ""

    @property
    def step(self) -> str:
        return self.id.rpartition(".")[0]

    @property
    def chapter(self) -> int:
        return CHAPTERS[self.id.partition(".")[0]][0]

    @property
    def place(self) -> tuple[int, int, str]:
        """Where it stands in a report: by chapter and step, the claim before its negative."""
        module, step = self.step.split(".")
        steps = STEPS.get(module, "").split()
        return self.chapter, steps.index(step) if step in steps else len(steps), self.kind


@dataclass(frozen=True)
class Result:
    id: str
    chapter: int
    step: str  # without its chapter: tls of dovecot.tls
    kind: str
    title: str
    verdict: Verdict
    evidence: str
    remedy: str = ""
    seconds: float = 0.0


REGISTER: dict[str, Check] = {}


def claim(
    title: str,
    *,
    needs: str = "",
    provides: str = "",
    order: int = NORMAL,
    remedy: str = "",
    kind: str = "claim",
    register: dict[str, Check] = REGISTER,
) -> Callable[[Callable[[Target], str]], Callable[[Target], str]]:
    """Register a function as a check. It returns its evidence, or raises Failed, Warned or Skipped.

    Its id is where it stands: dovecot.tls.required is the function `required` of claims/dovecot/tls.py. It needs services
    that other checks provide, and words of conditions.py; NEEDS of its module, or else of its package, is added.
    """

    def keep(function: Callable[[Target], str]) -> Callable[[Target], str]:
        package, _, step = function.__module__.rpartition(".")
        chapter = package.rpartition(".")[2]
        id = f"{chapter}.{step}.{function.__name__}"
        if not re.fullmatch(r"[a-z]+\.[a-z_]+\.[a-z0-9_]+", id) or chapter not in CHAPTERS:
            raise ValueError(f"{id!r} is not chapter.step.what with a chapter of {list(CHAPTERS)}")
        if id in register:
            raise ValueError(f"{id!r} is registered twice")
        chapters = getattr(sys.modules.get(package), "NEEDS", "")
        common = getattr(sys.modules.get(function.__module__), "NEEDS", chapters)
        place = CORE if provides and order == NORMAL else order
        register[id] = Check(id, title, kind, function, (*common.split(), *needs.split()), provides, place, remedy)
        return function

    return keep


# That it cannot be abused.
negative = partial(claim, kind="negative")
