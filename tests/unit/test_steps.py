"""Each step is whole: its texts in every language, its files among those that are read.

That it has a claim and a negative says tests/checks/test_runner.py, that it has its place in a notebook tests/notebooks/test_story.py.
"""

import importlib
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args, get_origin

import pytest

from deploys import paths, platforms, shown
from deploys.data import MailData, mail_data
from deploys.knobs import Knobs
from deploys.preflight import reading
from deploys.told import CHAPTERS, by_step, steps, told
from facts.mail_host import MailHost

EVERY = [f"{chapter}.{step.__name__}" for chapter in CHAPTERS for step in steps(chapter)]
UNFILLED = re.compile(r"\{\{|\{%|\{#!|@\{[a-z]\w*\}|(?<!= )\bNone\b")
OTHER = {  # a value beside the default, for the knobs of which no type says one
    "spam_refuse_score": 12.0,
    "mail_domains": ["example.test", "example.org"],
    "time_sources": ["ntp.example.org"],
    "virus_signatures": ["44d88612fea8a8f36de82e1278abb02f:68:Name", "Name:0:*:58354f2150254041"],
    "signature_updates": False,
    "mail_hostname": "mail.example.test",
}


def variants() -> Iterator[dict[str, Any]]:
    """The defaults, and every switch and choice the other way."""
    yield {}
    for name, field in Knobs.model_fields.items():
        if name in OTHER:
            yield {"virus_signatures": OTHER["virus_signatures"], name: OTHER[name]}
        elif field.annotation is bool:
            yield {name: not field.default}
        elif get_origin(field.annotation) is Literal:
            yield from ({name: one} for one in get_args(field.annotation) if one != field.default)


def known(values: dict[str, Any]) -> MailData:
    return mail_data(values, "mx1.example.test", secrets_too=False)


def named(values: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}"[:30] for key, value in values.items()) or "defaults"


ALL = pytest.mark.parametrize("values", list(variants()), ids=named)
SYSTEMS = pytest.mark.parametrize("system", platforms.different(), ids=lambda one: one.name)


def texts(given: Any) -> Iterator[str]:
    """All strings in what an operation was given."""
    if isinstance(given, str):
        yield given
    elif isinstance(given, dict):
        for value in given.values():
            yield from texts(value)
    elif isinstance(given, list | tuple):
        for value in given:
            yield from texts(value)


@ALL
@SYSTEMS
def test_no_text_keeps_a_placeholder_and_none_lacks_a_language(
    values: dict[str, Any], system: platforms.Platform
) -> None:
    for step, kept in by_step(known(values), system, MailHost()).items():
        for operation, given in kept:
            assert not [text for text in texts(given) if UNFILLED.search(text)], (step, operation)
            if "dialects" in given:
                assert set(given["dialects"]) == set(shown.LANGUAGES) and all(given["dialects"].values()), step


@ALL
def test_every_step_shows_what_stands_there_today(values: dict[str, Any]) -> None:
    today = shown.today(known(values))
    assert list(today) == EVERY
    for step, columns in today.items():
        assert columns and set(columns) <= {"", *shown.LANGUAGES, *shown.FAMILIES}, step
        assert not [text for text in columns.values() if UNFILLED.search(text)], step
        assert all(columns.values()) or (step == "postfix.certificate" and not values["tls_self_signed"]), step


def test_what_is_shown_follows_the_data() -> None:
    refusing = shown.today(known({"spam_refuse_score": 12.0}))["amavis.filter"][""]
    assert "spam_kill_level_maps => [12.0]" in refusing and "smtpd_proxy_filter=127.0.0.1:10028" in refusing
    assert "10028" not in shown.today(known({}))["amavis.filter"][""]


@ALL
def test_every_file_that_a_command_names_is_read(values: dict[str, Any], yielded: Callable[..., list[Any]]) -> None:
    """A file that is not read would be written at each run. Asked of the commands themselves, not of what operations say."""
    asked = reading(known(values))
    seen = {*asked["texts"], *asked["sums"]}
    for system in platforms.different():
        for operation, given in told(known(values), system, MailHost()):
            if operation not in NO_FILES:
                module, _, name = operation.partition(".")
                commands = yielded(BARE, getattr(importlib.import_module(f"operations.{module}"), name), **given)
                lost = [path for path in named_by(commands) if not (paths.matches(path, seen) or inside(path, seen))]
                assert not lost, f"{operation} writes what nobody reads: {lost}"


def inside(folder: str, seen: set[str]) -> bool:
    return any(path.startswith(f"{folder}/") for path in seen)


BARE = MailHost(system={"now": "1", "capabilities": "0"})
NO_FILES = ("packages.installed", "accounts.user_passwords")  # and do not begin on a host that has nothing yet


def named_by(commands: list[Any]) -> Iterator[str]:
    """The paths among the arguments of `operations.base.shell`'s commands."""
    for command in commands:
        words = shlex.split(command) if isinstance(command, str) else shlex.split(command.get_raw_value())
        values = words[words.index("mailroom") + 1 :] if "mailroom" in words else []
        yield from (word for word in values if re.fullmatch(r"/[\w./@-]+", word))


def test_a_daemon_is_older_than_each_of_its_files() -> None:
    """Which file concerns which daemon, spelt out once: what a step writes below a daemon's folder restarts it."""
    kept = told(known({}), platforms.different()[0], MailHost())
    of = {role: set(paths.read_by(kept, role, f"{role}.service")) for role in paths.READ_BY}
    assert {"/etc/postfix/main.cf", "/etc/postfix/master.cf", "/etc/postfix/pgsql/virtual.cf"} <= of["postfix"]
    assert of["dovecot"] >= {"/etc/dovecot/dovecot.conf", "/etc/dovecot/dovecot-sql.conf"}
    assert not [path for path in of["dovecot"] if "sieve" in path]
    parts = {f"/etc/amavis/conf.d/6{number}" for number in range(6)}
    assert {path.partition("-")[0] for path in of["amavis"] if "conf.d" in path} == parts
    assert {"/etc/clamav/clamd.conf", "/var/lib/clamav/mailroom.hdb"} < of["clamav"]
