"""What a step is: one @deploy function with the article's lines and today's beside each other."""

from collections.abc import Callable, Iterable
from functools import wraps
from string import Template
from typing import Any

from pyinfra import host, logger, state
from pyinfra.api import deploy

from deploys.preflight import data, platform, ready
from operations import services
from operations.base import mail_host

COMPOSED = "mailroom.composed"
POSTFIX_FILES = ("/etc/postfix/main.cf", "/etc/postfix/master.cf")
DOVECOT_FILES = ("/etc/dovecot/dovecot.conf", "/etc/dovecot/dovecot-sql.conf")


class Text(Template):
    """Settings with @{names} from the inventory's data: Dovecot needs `$` and `%{…}` for itself."""

    delimiter = "@"


def filled(texts: dict[str, str]) -> dict[str, str]:
    """The texts of a step with this host's data in the place of @{names}."""
    known = data()
    values = {
        **known.values,
        "mail_hostname": known.hostname,
        "mail_domain": known.domains[0],
        "mail_domain_list": " ".join(known.domains),
        "mailreader_password": known.secrets.services["mailreader"],
    }
    return {name: Text(text).substitute(values) for name, text in texts.items()}


def step(title: str, *, article: str = "", today: dict[str, str] | None = None, needs: str = "") -> Callable[..., Any]:
    """Make a function a step of its chapter.

    `article` are the lines as printed in 2013; `today` is {"2.3": …, "2.4": …} for Dovecot's two languages, {"Debian": …,
    "Red Hat": …} where the families differ, {"": …} elsewhere. `needs` is a role of `platforms.Platform.packages` that
    has to be installed before this step makes sense.
    Run alone (`pyinfra inventory.py deploys.chapters.dovecot.tls`) a step also restarts what it changed.
    """

    def decorate(function: Callable[[], None]) -> Callable[[], Any]:
        chapter = function.__module__.rpartition(".")[2]

        @deploy(title)
        @wraps(function)
        def run() -> None:
            alone = not host.connector_data.get(COMPOSED)
            if not ready() or (alone and _missing(needs, chapter, function.__name__)):
                return
            function()
            if alone:
                restart_changed()

        run.title, run.article, run.today, run.needs = title, article, today or {}, needs  # type: ignore[attr-defined]
        return run

    return decorate


def compose(*chapters: Iterable[Callable[[], None]]) -> None:
    """Run the steps of these chapters in order; the daemons are restarted where the chapters say so."""
    if not ready():
        return
    host.connector_data[COMPOSED] = True
    for number in host.loop(range(len(chapters))):
        for one in host.loop(list(chapters[number])):
            one()


def restart_changed() -> None:
    """Restart the daemons that are older than their files. Nothing where they are not installed."""
    names = platform()
    known = data()
    pair = (known.tls_certificate, known.tls_key)
    services.running(
        name="Postfix runs with its current files",
        unit=names.postfix_unit,
        enable=names.postfix_enable,
        files=(*POSTFIX_FILES, *MAPS, *pair),
        port=25,
        only_if_installed="postfix",
        check="postfix check",
    )
    services.running(
        name="Dovecot runs with its current files",
        unit=names.dovecot_unit,
        files=(*DOVECOT_FILES, *pair),
        port=143,
        only_if_installed=names.packages["dovecot"][0],
        check="doveconf -n >/dev/null",
    )


MAPS = tuple(
    f"/etc/postfix/pgsql/{name}.cf"
    for name in ("domains", "mailboxes", "transport", "virtual", "senders", "local-senders")
)


def _missing(needs: str, chapter: str, name: str) -> bool:
    """Refuse a single step whose chapter is not installed yet, and name the step to run first."""
    if not needs or all(package in mail_host().packages for package in platform().packages[needs]):
        return False
    host.log_styled(
        f"refused: {needs} is not installed yet, so the step {chapter}.{name} has nothing to work on; run first: "
        f"pyinfra inventory.py deploys.chapters.{needs}.install",
        fg="red",
        log_func=logger.error,
    )
    state.fail_hosts({host})
    return True
