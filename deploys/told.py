"""What the chapters tell the operations: every step is run, and each operation only notes what it was given.

So nobody keeps a second list of what is ours: which texts a step sets, which files it writes (`deploys.paths`), what `show` prints
of it (`deploys.shown`). It takes some 3 ms for all steps.
"""

import importlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from pyinfra.api import FactBase
from pyinfra.context import ctx_host, ctx_state

from deploys.context import DATA, PLATFORM
from deploys.data import MailData
from deploys.platforms import Platform
from facts.mail_host import MailHost
from operations.base import KEPT, TELLS

# In their order. Each needs the packages of its name.
CHAPTERS = ("postfix", "postgresql", "amavis", "dovecot", "sieve", "believed")

Told = list[tuple[Any, dict[str, Any]]]  # (postfix.overrides, {"name": …, "service": …, "settings": …})


def by_step(known: MailData, system: Platform, there: MailHost) -> dict[str, Told]:
    """{"postfix.tls": …}: what each step of the chapters that this system has would say to the operations."""
    found: dict[str, Told] = {}
    with stand_in(known, system, there) as kept:
        for chapter in CHAPTERS:
            for step in steps(chapter) if chapter in system.packages else ():
                inspect.unwrap(step)()
                found[f"{chapter}.{step.__name__}"] = kept[:]
                kept.clear()
    return found


def told(known: MailData, system: Platform, there: MailHost) -> Told:
    """The same of all steps, in their order."""
    return [one for kept in by_step(known, system, there).values() for one in kept]


def steps(chapter: str) -> tuple[Any, ...]:
    """The steps of a chapter. By name, as the chapters are made of what is made here."""
    return importlib.import_module(f"deploys.chapters.{chapter}").STEPS


def needs(step: str) -> list[str]:
    """All steps that a step ("dovecot.tls") stands on, each behind its own."""
    chapter, _, name = step.partition(".")
    own = next(one for one in steps(chapter) if one.__name__ == name).needs.split()
    return list(dict.fromkeys(need for first in own for need in (*needs(first), first)))


def whole_chapters(step: str, missing: list[str]) -> list[str]:
    """The chapters before a step's own of which not even the packages are there, among what it stands on and is missing; [] where
    one or two steps are all that is missing: those are run by themselves."""
    before = CHAPTERS[: CHAPTERS.index(step.partition(".")[0])]
    return [one for one in before if f"{one}.install" in missing] if len(missing) > 2 else []


def each(kept: Told, operation: Any) -> Iterator[dict[str, Any]]:
    """What one operation was told, each time."""
    return (given for one, given in kept if one is operation)


@contextmanager
def stand_in(known: MailData, system: Platform, there: MailHost) -> Iterator[Told]:
    """A host for which the preflight is done, in the place of the real one, if there is one yet; and what operations are told."""
    kept: Told = []
    about = {DATA: known, PLATFORM: system, KEPT: (None, there), TELLS: kept}
    host = SimpleNamespace(name=known.hostname, connector_data=about, get_fact=_nothing)
    with ctx_state.use(SimpleNamespace(current_stage=None, is_executing=False)), ctx_host.use(host):
        yield kept


def _nothing(fact: type[FactBase[Any]], **_: Any) -> Any:
    """What pyinfra's own facts say of a host on which there is nothing."""
    return fact.default()
