"""What a step is: one @deploy function with the article's lines and today's beside each other."""

import re
from collections.abc import Callable, Iterable
from functools import wraps
from string import Template
from typing import Any

from pyinfra import host, logger, state
from pyinfra.api import deploy

from deploys.chapters import units_texts as units
from deploys.data import MailData
from deploys.platforms import Platform, unit_of
from deploys.preflight import data, platform, ready
from facts.mail_host import MailHost
from operations import certificate, postfix, services
from operations.base import mail_host

COMPOSED = "mailroom.composed"
POSTFIX_FILES = ("/etc/postfix/main.cf", "/etc/postfix/master.cf", "/etc/postfix/port25.regexp")
DOVECOT_FILES = ("/etc/dovecot/dovecot.conf", "/etc/dovecot/dovecot-sql.conf")


def own_names(known: MailData, there: MailHost) -> list[str]:
    """What else than a mail domain may stand behind the @ and means this host: its name, and its IPv4 addresses as literals."""
    addresses = f"{there.system.get('resolves', '')} {there.system.get('addresses', '')}".split()
    literals = sorted({f"[{address}]" for address in addresses if "." in address})
    return [known.hostname, "localhost", f"localhost.{known.domains[0]}", *literals]


class Text(Template):
    """Settings with @{names} from the inventory's data: Dovecot needs `$` and `%{…}` for itself."""

    delimiter = "@"


def filled(texts: dict[str, str]) -> dict[str, str]:
    """The texts of a step with this host's data in the place of @{names}."""
    known = data()
    values = {
        **known.values,
        "password_scheme": known.scheme,
        "mail_hostname": known.hostname,
        "mail_domain": known.domains[0],
        "mail_domain_list": " ".join(known.domains),
        "no_network_tests": int(not known.spam_network_tests),
        "chroot": platform().chroot,
        "mail_domain_pattern": "|".join(re.escape(domain) for domain in known.domains),
        "mail_domain_quoted": ", ".join(f"'{domain}'" for domain in known.domains),
        "list_vouched": "(DKIM_VALID || SPF_PASS)" if known.spam_network_tests else "1",  # nobody asks about either
        "forged_score": known.spam_score + 3,  # enough, whatever else speaks for the letter
        "own_domains": " ".join(own_names(known, mail_host())),
        "own_names": ", ".join(f"'{name}'" for name in own_names(known, mail_host())),
        # the door keeps room for what is inside already: for one letter's second copy behind Amavis, and for notices
        "queue_minfree": 3 * known.message_size_limit,
        "scan_limit": 4 * known.message_size_limit,  # what unpacks to more is not looked at to its end
        "mailreader_password": known.secrets.services["mailreader"],
    }
    return {name: Text(text).substitute(values) for name, text in texts.items()}


def step(
    title: str,
    *,
    article: str = "",
    today: dict[str, str] | None = None,
    needs: str = "",
    fit: Callable[[MailHost, MailData, Platform], list[str]] | None = None,
) -> Callable[..., Any]:
    """Make a function a step of its chapter.

    `article` are the lines as printed in 2013; `today` is {"2.3": …, "2.4": …} for Dovecot's two languages, {"Debian": …,
    "Red Hat": …} where the families differ, {"": …} elsewhere. `needs` is a role of `platforms.Platform.packages` that
    has to be installed before this step makes sense. `fit` says what speaks against the chapter on this host.
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

        run.title, run.article, run.today, run.needs = title, article, today or {}, needs  # type: ignore[attr-defined]
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


def supervised(role: str) -> None:
    """systemd starts the daemon of a role again when it dies, and lets it do no more than it has to."""
    here = platform()
    unit = unit_of(here, role)
    services.drop_in(
        name=f"systemd looks after {unit}", unit=unit, text=units.drop_in(role, unit, here.closed), file=SUPERVISED
    )


def of_unit(role: str) -> str:
    """The file that says so: a daemon that is older runs as its package would have it."""
    return services.drop_in_path(unit_of(platform(), role), SUPERVISED)


SUPERVISED = "mailroom-supervised"


def restart_workers() -> None:
    """Restart the scanners that are older than their files. Nothing where they are not installed, or not set up yet: a run may
    have died in between, and chapter 1 comes by here before chapter 3. The last file of a scanner's own step says that it is.
    """
    services.running(
        name="clamd runs with its current files",
        unit="clamav-daemon",
        enable="clamav-daemon.socket",
        files=(*CLAMAV_FILES, of_unit("clamav")),
        only_if_installed="clamav-daemon" if data().antivirus else "no clamav-daemon",
        only_with=CLAMAV_FILES[-1],
        check="clamd --version >/dev/null",
    )
    services.running(
        name="Amavis runs with its current files",
        unit="amavis",
        files=(*AMAVIS_FILES, of_unit("amavis")),
        port=10024,
        only_if_installed="amavisd-new",
        only_with=AMAVIS_FILES[1],
        check="amavisd test-config >&2",
    )


def restart_changed() -> None:
    """Restart the daemons that are older than their files. Nothing where they are not installed."""
    names = platform()
    known = data()
    if "amavis" in names.packages:
        restart_workers()
    pair = (known.tls_certificate, known.tls_key)
    services.running(
        name="Postfix runs with its current files",
        unit=names.postfix_unit,
        enable=names.postfix_enable,
        files=(*POSTFIX_FILES, *MAPS, *pair, of_unit("postfix")),
        port=25,
        only_if_installed="postfix",
        check=f"postfix check && {postfix.LIMITS_AGREE} && {certificate.loads(*pair, POSTFIX_FILES[0])}",
    )
    services.running(
        name="Dovecot runs with its current files",
        unit=names.dovecot_unit,
        files=(*DOVECOT_FILES, *pair, of_unit("dovecot")),
        port=143,
        only_if_installed=names.packages["dovecot"][0],
        check=f"doveconf -n >/dev/null && {certificate.loads(*pair, DOVECOT_FILES[0])}",
    )


MAPS = tuple(
    f"/etc/postfix/pgsql/{name}.cf"
    for name in ("domains", "mailboxes", "transport", "virtual", "senders", "local-senders", "local")
)


CLAMAV_FILES = (
    *("/etc/clamav/clamd.conf", "/var/lib/clamav/mailroom.hdb", "/var/lib/clamav/mailroom.ndb"),
    *(f"/etc/systemd/system/clamav-daemon.{kind}.d/mailroom.conf" for kind in ("service", "socket")),
)
AMAVIS_FILES = (
    "/etc/spamassassin/mailroom.cf",
    "/etc/amavis/conf.d/60-mailroom",
    "/etc/amavis/conf.d/61-mailroom-spamassassin",
    "/etc/amavis/conf.d/62-mailroom-clamav",
    "/etc/amavis/conf.d/63-mailroom-quarantine",
    "/etc/amavis/conf.d/64-mailroom-refuse",
    "/etc/amavis/conf.d/65-mailroom-unpacking",
)


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
