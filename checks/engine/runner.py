"""Which checks run, in which order, and what becomes of those that stand on a dead service."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from itertools import groupby

from checks.engine import conditions, inventory
from checks.engine.check import LAST, REGISTER, Check, Result
from checks.engine.target import Target
from checks.engine.verdicts import CannotStart, Finding, Skipped, Verdict, words

SEE = "See {0}: python -m checks --only {0}"


def selected(
    only: Sequence[str] = (),
    chapter: int | None = None,
    skip: Sequence[str] = (),
    register: dict[str, Check] = REGISTER,
) -> list[Check]:
    """The checks that match, in the chapters' order; "dovecot.tls" stands for all of that step."""

    def matches(check: Check, patterns: Sequence[str]) -> bool:
        return any(fnmatchcase(check.id, one) or check.id.startswith(one.rstrip(".") + ".") for one in patterns)

    found = (
        check
        for check in register.values()
        if (not only or matches(check, only)) and not matches(check, skip) and chapter in (None, check.chapter)
    )
    return sorted(found, key=lambda check: check.place)


def for_step(step: str) -> list[Check]:
    """The checks of one step of a chapter, such as for_step("dovecot.tls")."""
    return [check for check in selected() if check.step == step]


def run(
    target: Target | None = None,
    only: Sequence[str] = (),
    *,
    chapter: int | None = None,
    skip: Sequence[str] = (),
    on_result: Callable[[Result], None] | None = None,
    register: dict[str, Check] = REGISTER,
) -> list[Result]:
    """Run the selected checks against the target, the inventory's first server unless given; results as in the chapters.

    The checks of the services that these need are made too; they are part of the results only if they were selected or did
    not pass. Raises CannotStart where nothing matches, or where there is no way to the server.
    """
    chosen = selected(only, chapter, skip, register)
    if not chosen:
        raise CannotStart(f"No check matches {', '.join(only) or 'that'}; `python -m checks --list` shows them.")
    target = target if target is not None else inventory.target()
    plan = sorted(with_providers(chosen, register), key=lambda check: check.order)
    results: dict[str, Result] = {}
    dead: dict[str, Check] = {}  # service -> the check that found it dead

    def keep(check: Check, result: Result) -> None:
        if check.provides:
            # Any other skip (nobody gave us SSH) says nothing about the service.
            blocker = check if result.verdict == "fail" else blocking(check, dead)
            if blocker is not None:
                dead[check.provides] = blocker
        if check in chosen or result.verdict in ("fail", "warn"):
            results[check.id] = result
            if on_result is not None:
                on_result(result)

    try:
        target.vantage  # noqa: B018 - no way to the server at all is no check's failure
        for order, group in groupby(plan, key=lambda check: check.order):
            if order < LAST:
                for check in group:
                    keep(check, perform(check, target, dead))
                continue
            late = list(group)
            # Side by side: the server answers each failed login late, on purpose.
            with ThreadPoolExecutor(max_workers=len(late)) as pool:
                found = list(pool.map(lambda check: perform(check, target, dead), late))
            for check, result in zip(late, found, strict=True):
                keep(check, result)
    finally:
        target.close()
    return [results[check.id] for check in selected(register=register) if check.id in results]


def with_providers(chosen: Iterable[Check], register: dict[str, Check]) -> list[Check]:
    """The checks and, before each, those of the services it needs."""
    providers = {check.provides: check for check in register.values() if check.provides}
    plan: dict[str, Check] = {}

    def add(check: Check) -> None:
        if check.id not in plan:
            for need in check.needs:
                if need not in conditions.WORDS:
                    add(providers[need])
            plan[check.id] = check

    for check in chosen:
        add(check)
    return list(plan.values())


def blocking(check: Check, dead: dict[str, Check]) -> Check | None:
    """The check that found a service dead which this one needs."""
    return next((dead[need] for need in check.needs if need in dead), None)


def perform(check: Check, target: Target, dead: dict[str, Check]) -> Result:
    """One check, whatever happens in it; no secret gets out with its evidence."""
    begun = time.monotonic()
    verdict: Verdict = "pass"
    remedy = ""
    try:
        if blocker := blocking(check, dead):
            raise Skipped(f"needs what failed: {target.named(blocker.title)}", SEE.format(blocker.id))
        for word in (need for need in check.needs if need in conditions.WORDS):
            conditions.demand(target, word)
        evidence = check.function(target)
    except Finding as found:
        verdict, evidence, remedy = found.verdict, found.evidence, found.remedy
    except CannotStart:
        raise
    except Exception as error:  # a protocol that broke off is a finding, never a pass
        verdict, evidence = "fail", f"{type(error).__name__}: {words(error)}"
    if verdict in ("fail", "warn"):
        remedy = remedy or check.remedy
    return Result(
        id=check.id,
        chapter=check.chapter,
        step=check.step.partition(".")[2],
        kind=check.kind,
        title=target.named(check.title),
        verdict=verdict,
        evidence=target.scrub(evidence),
        remedy=target.scrub(target.named(remedy)),
        seconds=round(time.monotonic() - begun, 2),
    )
