"""Each step is whole: its texts in every language, its files among those that are read.

That it has a claim and a negative says tests/checks/test_runner.py, that it has its place in a notebook tests/notebooks/test_story.py.
"""

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from deploys import paths, platforms, shown
from deploys.data import MailData, mail_data
from deploys.knobs import Knobs
from deploys.preflight import reading
from deploys.texts import LANGUAGES
from deploys.told import CHAPTERS, by_step, needs, steps, told
from facts.mail_host import MailHost
from operations import accounts, base, packages

EVERY = [f"{chapter}.{step.__name__}" for chapter in CHAPTERS for step in steps(chapter)]
UNFILLED = re.compile(r"\{\{|\{%|\{#!|@\{[a-z]\w*\}|(?<!= )\bNone\b")
OTHER = {  # a value beside the default, for the knobs of which no type says one
    "spam_refuse_score": 12.0,
    "mail_domains": ["example.test", "example.org"],
    "time_sources": ["ntp.example.org"],
    "virus_signatures": ["44d88612fea8a8f36de82e1278abb02f:68:Name", "Name:0:*:58354f2150254041"],
    "signature_updates": False,
    "mail_hostname": "mail.example.test",
    "dkim_selector": "mailroom-2027",
    "trusted_forwarders": ["lists.example.org"],
}
ACME = {"acme_email": "foo@example.test", "acme_names": ["imap.example.test"], "acme_trust": "/etc/ssl/ca.pem"}
ACME_DNS = {"acme_dns": "[2001:db8::53]:5353", "acme_dns_key": "mailroom", "mta_sts": "enforce"}
OWN_PAIR = {"tls_self_signed": False}
RELAYED = {
    "relayhost": "smtp.provider.example:465",
    "relayhost_user": "me@provider.example",
    "relayhost_ca": "/etc/ssl/ca.pem",
}


def variants() -> Iterator[dict[str, Any]]:
    """The defaults, and every switch and choice the other way."""
    yield {}
    yield RELAYED
    for name, field in Knobs.model_fields.items():
        if name in OTHER:
            yield {"virus_signatures": OTHER["virus_signatures"], name: OTHER[name]}
        elif name == "acme":  # not with the defaults: no public authority knows of a host in .test
            yield {name: True, "acme_directory": "https://ca.example.test/dir"}
            yield {name: True, "acme_directory": "https://ca.example.test/dir", **ACME}
            yield {name: True, "acme_directory": "https://ca.example.test/dir", **ACME_DNS}
        elif name == "autoconfig":  # no client takes it with the self-signed one
            yield {name: True, **OWN_PAIR}
        elif name == "mta_sts":
            yield from ({name: mode, **OWN_PAIR} for mode in ("testing", "enforce"))
            yield {name: "enforce", "autoconfig": True, "acme": True, "acme_directory": "https://ca.example.test/dir"}
        elif field.annotation is bool:
            yield {name: not field.default}
        elif get_origin(field.annotation) is Literal:
            yield from ({name: one} for one in get_args(field.annotation) if one != field.default)


def known(values: dict[str, Any]) -> MailData:
    return mail_data(values, "mx1.example.test", secrets_too=False)


def named(values: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}"[:30] for key, value in values.items()) or "defaults"


def test_a_step_stands_on_earlier_ones() -> None:
    for place, step in enumerate(EVERY):
        assert set(needs(step)) <= set(EVERY[:place]), step


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
                assert set(given["dialects"]) == set(LANGUAGES) and all(given["dialects"].values()), step


@ALL
def test_every_step_shows_what_stands_there_today(values: dict[str, Any]) -> None:
    found = shown.shown(known(values))
    assert list(found) == EVERY
    for step, (columns, _, _) in found.items():
        assert columns and set(columns) <= {"", *LANGUAGES, *shown.FAMILIES}, step
        assert not [text for text in columns.values() if UNFILLED.search(text)], step
        assert all(columns.values()) or (step == "postfix.certificate" and not values["tls_self_signed"]), step


@ALL
def test_every_step_that_sets_a_text_shows_what_is_there_now(values: dict[str, Any]) -> None:
    for step, (today, script, _) in shown.shown(known(values)).items():
        assert script.count("\npart '") or not any(today.values()), step
        assert not UNFILLED.search(script.removeprefix(shown.WORDS)), step


def test_what_is_there_now_is_valid_shell_and_hides_passwords(tmp_path: Path) -> None:
    secret = tmp_path / "secret.cf"
    secret.write_text("user = mailreader\npassword = sentinel\nconnect = dbname=mail password=sentinel\n")
    for step, (_, script, _) in shown.shown(known({})).items():
        assert not run_sh(f"set -n\n{script}"), step
    told = run_sh(f"{shown.WORDS}\npart '# heading' \"$(text {secret})\"")
    assert told.splitlines()[:4] == [
        "# heading",
        "user = mailreader",
        "password = (secret)",
        "connect = dbname=mail password=(secret)",
    ]


@pytest.mark.parametrize("text", ["one", "one\ntwo", "one\ntwo\n"])
def test_a_text_without_a_last_line_end_is_shown_whole(text: str, tmp_path: Path) -> None:
    file = tmp_path / "list"
    file.write_text(text)
    file.chmod(0o600)
    *told, remark = run_sh(f"{shown.WORDS}\ntext {file}").splitlines()
    assert told == text.splitlines() and remark.startswith("# 600 ")
    file.write_text("line\n" * shown.LONGEST + "last")
    told = run_sh(f"{shown.WORDS}\ntext {file}").splitlines()
    assert told[: shown.BEGINNING + 1] == ["line"] * shown.BEGINNING + ["# … 81 more lines"]


def run_sh(script: str) -> str:
    return subprocess.run(["sh"], input=script, capture_output=True, text=True, check=True).stdout


def test_what_is_shown_follows_the_data() -> None:
    refusing = shown.shown(known({"spam_refuse_score": 12.0}))["amavis.filter"].today[""]
    assert "spam_kill_level_maps => [12.0]" in refusing and "smtpd_proxy_filter=127.0.0.1:10028" in refusing
    assert "10028" not in shown.shown(known({}))["amavis.filter"].today[""]


@ALL
def test_every_file_that_a_command_names_is_read(values: dict[str, Any], yielded: Callable[..., list[Any]]) -> None:
    """A file that is not read would be written at each run. Asked of the commands themselves, not of what operations say."""
    asked = reading(known(values))
    seen = {*asked["texts"], *asked["sums"]}
    for system in platforms.different():
        for operation, given in told(known(values), system, MailHost()):
            if operation not in NO_FILES:
                commands = yielded(BARE, operation, **given)
                lost = [path for path in named_by(commands) if not (base.matches(path, seen) or inside(path, seen))]
                assert not lost, f"{operation} writes what nobody reads: {lost}"


def inside(folder: str, seen: set[str]) -> bool:
    return any(path.startswith(f"{folder}/") for path in seen)


BARE = MailHost(system={"now": "1", "capabilities": "0"})
NO_FILES = (packages.packages, accounts.user_passwords)  # and do not begin on a host that has nothing yet


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
    parts = {f"/etc/amavis/conf.d/6{number}" for number in range(9)}
    assert {path.partition("-")[0] for path in of["amavis"] if "conf.d" in path} == parts
    assert {"/etc/clamav/clamd.conf", "/var/lib/clamav/mailroom.hdb"} < of["clamav"]
