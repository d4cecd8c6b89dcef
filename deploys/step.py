"""What a step is: one @deploy function, with the article's lines beside it."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from pyinfra import host, logger, state
from pyinfra.api import deploy

from deploys.context import data, platform
from deploys.data import MailData
from deploys.platforms import Platform
from deploys.preflight import ready
from deploys.restart import restart_changed
from facts.mail_host import MailHost
from operations import services
from operations.base import mail_host

COMPOSED = "mailroom.composed"


def step(
    title: str,
    *,
    article: str = "",
    today: str = "",
    needs: str = "",
    fit: Callable[[MailHost, MailData, Platform], list[str]] | None = None,
) -> Callable[..., Any]:
    """Make a function a step of its chapter.

    `article` are the lines as printed in 2013. What stands there today is told by what the function gives to the operations
    (`deploys.shown`); `today` is for what is no text of theirs, a command for instance. `needs` is a role of
    `platforms.Platform.packages` that has to be installed before this step makes sense. `fit` says what speaks against the
    chapter on this host.
    Run alone (`pyinfra inventory.py deploys.chapters.dovecot.tls`) a step also restarts what it changed.
    """

    def decorate(function: Callable[[], None]) -> Callable[[], Any]:
        chapter = function.__module__.rpartition(".")[2]

        @deploy(title)
        @wraps(function)
        def run() -> None:
            alone = not host.connector_data.get(COMPOSED)
            if not ready() or (alone and (_unfit([fit]) or _missing(needs, chapter, function.__name__))):
                return
            function()
            if alone:
                restart_changed()
                prove()

        run.title, run.article, run.today, run.needs = title, article, today, needs  # type: ignore[attr-defined]
        run.fit = fit  # type: ignore[attr-defined]
        return run

    return decorate


def compose(*chapters: Iterable[Any]) -> None:
    """Run the steps of these chapters in order; the daemons are restarted where the chapters say so."""
    if not ready() or _unfit([one.fit for chapter in chapters for one in chapter]):
        return
    host.connector_data[COMPOSED] = True
    for number in host.loop(range(len(chapters))):
        for one in host.loop(list(chapters[number])):
            one()
    prove()


def prove() -> None:
    """Green means alive: what this run has changed is asked whether it serves."""
    known = data()
    services.serving(name="All that was changed serves", user=next(iter(known.users)), domain=known.domains[0])


def _missing(needs: str, chapter: str, name: str) -> bool:
    """Refuse a single step whose chapter is not installed yet, and name the step to run first."""
    if not needs or all(package in mail_host().packages for package in platform().packages.get(needs, ("",))):
        return False
    return _refuse(
        f"{needs} is not installed yet, so the step {chapter}.{name} has nothing to work on; run first: "
        f"pyinfra inventory.py deploys.chapters.{needs}.install"
    )


def _unfit(questions: list[Any]) -> bool:
    """Refuse a chapter that cannot be on this host, before its first change."""
    problems = [problem for ask in dict.fromkeys(questions) if ask for problem in ask(mail_host(), data(), platform())]
    return _refuse(*problems, "nothing was changed on this host") if problems else False


def _refuse(*problems: str) -> bool:
    for problem in problems:
        host.log_styled(f"refused: {problem}", fg="red", log_func=logger.error)
    state.fail_hosts({host})
    return True
