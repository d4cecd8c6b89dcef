"""What a step is: one @deploy function, with the article's lines beside it."""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any

from pyinfra import host, logger, state
from pyinfra.api import deploy

from deploys.context import data, platform
from deploys.data import MailData
from deploys.dry_run import DryRun
from deploys.platforms import Platform
from deploys.preflight import ready
from deploys.restart import restart_changed
from deploys.texts import render
from deploys.told import CHAPTERS, whole_chapters
from deploys.upgraded import half_way, left_behind, mend
from facts.mail_host import MailHost
from operations import services, upgraded
from operations.base import mail_host

COMPOSED = "mailroom.composed"


def step(
    title: str,
    *,
    article: str | Path = "",
    today: str = "",
    now: str = "",
    needs: str = "",
    fit: Callable[[MailHost, MailData, Platform], list[str]] | None = None,
) -> Callable[..., Any]:
    """Make a function a step of its chapter.

    `article` are the lines as printed in 2013; of a template, those where `dovecot == "2013"`. What stands there today is told by
    what the function gives to the operations (`deploys.shown`); `today` is for what is no text of theirs, a command for instance.
    What is on the host now is asked for in the same way; `now` is shell for what else there is to see.
    `needs` names the steps that this one stands on: "dovecot.install postgresql.role". `fit` says what speaks against the chapter
    on this host.
    Run alone (`pyinfra inventory.py deploys.chapters.dovecot.tls`) a step also restarts what it changed.
    """

    def decorate(function: Callable[[], None]) -> Callable[[], Any]:
        # a long chapter has files beside its own: believed_web
        chapter = function.__module__.rpartition(".")[2].partition("_")[0]

        @deploy(title)
        @wraps(function)
        def run() -> None:
            alone = not host.connector_data.get(COMPOSED)
            if not ready() or (alone and (_unfit([fit]) or _missing(f"{chapter}.{function.__name__}"))):
                return
            if alone:
                mend_what_an_upgrade_left()
            function()
            if alone:
                restart_changed()
                prove()

        run.title, run.today, run.now, run.needs, run.fit = title, today, now, needs, fit  # type: ignore[attr-defined]
        run.article = render(article, {"dovecot": "2013"}).rstrip("\n")  # type: ignore[attr-defined]
        return run

    return decorate


def compose(*chapters: Iterable[Any]) -> None:
    """Run the steps of these chapters in order; the daemons are restarted where the chapters say so."""
    if not ready() or _unfit([one.fit for chapter in chapters for one in chapter]):
        return
    host.connector_data[COMPOSED] = True
    upgraded_by_others = mend_what_an_upgrade_left()
    for number in host.loop(range(len(chapters))):
        for one in host.loop(list(chapters[number])):
            one()
    if upgraded_by_others:
        upgraded.let_go(name="What waited meanwhile is tried again")
    prove()


def mend_what_an_upgrade_left() -> bool:
    """Whether there was something to mend."""
    found = bool(left_behind(mail_host(), platform()))
    if found:
        mend(platform())
    return found


def prove() -> None:
    """Green means alive: what this run has changed is asked whether it serves."""
    known = data()
    services.health(name="All that was changed serves", user=next(iter(known.users)), domain=known.domains[0])


def _missing(step: str) -> bool:
    """Refuse a single step that has nothing to stand on, and name all that is to be run first."""
    missing = DryRun().missing(step)
    return refuse(f"{standing(step, missing)}; nothing was changed") if missing else False


def standing(step: str, missing: list[str]) -> str:
    """Why a step has nothing to work on, and what to run first. Of a whole chapter that is missing no steps are listed."""
    so = f"so the step {step} has nothing to work on"
    if whole := whole_chapters(step, missing):
        numbers = ", ".join(str(CHAPTERS.index(one) + 1) for one in whole)
        what = f"chapter {numbers} is missing" if len(whole) == 1 else f"chapters {numbers} are missing"
        small = not {"amavis", "sieve", "believed"} & {*whole, step.partition(".")[0]}
        run = "deploys/dovecot.py (chapters 1, 2 and 4)" if small else "deploys/mailserver.py (all chapters)"
        return f"{what}, {so}; run first: pyinfra inventory.py {run}"
    first, *others = missing
    then = f", then in the same way {', '.join(others)}" if others else ""
    return f"not done here: {', '.join(missing)}, {so}; run first: pyinfra inventory.py deploys.chapters.{first}{then}"


def _unfit(questions: list[Any]) -> bool:
    """Refuse a chapter that cannot be on this host, before its first change."""
    problems = half_way(mail_host())
    problems += [problem for ask in dict.fromkeys(questions) if ask for problem in ask(mail_host(), data(), platform())]
    return refuse(*dict.fromkeys(problems), "nothing was changed on this host") if problems else False


def refuse(*problems: str) -> bool:
    """Say why not, and take the host out of this run."""
    for problem in problems:
        host.log_styled(f"refused: {problem}", fg="red", log_func=logger.error)
    state.fail_hosts({host})
    return True
