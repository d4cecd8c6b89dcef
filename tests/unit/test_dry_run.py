"""What is done on a host is what each step's own dry run says: on an empty one, a half built one, one that has been changed since."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploys.data import mail_data
from deploys.dry_run import DryRun
from deploys.paths import PROGRAMS
from deploys.platforms import PLATFORMS
from deploys.step import standing
from deploys.told import CHAPTERS, stand_in, steps
from facts.mail_host import File, MailHost
from operations.dovecot import CONF, SQL_CONF

DEBIAN = PLATFORMS["debian", "13"]
PACKAGES = {name: "1" for names in DEBIAN.packages.values() for name in names}
FOLDER = File("755", "root", "root", 1.0, "directory")
KEY = "/etc/postfix/certs/key.pem"
# of a PostgreSQL that runs, and has nothing of ours yet
SQL: dict[str, Any] = {
    "hba_file": "/hba",
    "hba_loaded": 0.0,
    "tables": {},
    "users": {},
    "transports": {},
    "aliases": {},
}
TLS = {
    **{"smtpd_tls_auth_only": "yes", "smtpd_tls_key_file": KEY, "smtpd_tls_received_header": "yes"},
    **{"smtpd_tls_mandatory_ciphers": "high", "smtpd_tls_loglevel": "1", "smtpd_tls_exclude_ciphers": "aNULL"},
}


@contextmanager
def dry_run(there: MailHost, system: str = "debian 13") -> Iterator[DryRun]:
    found = PLATFORMS[tuple(system.split())]  # type: ignore[index]
    known = mail_data({}, "mx1.example.test", secrets_too=False).model_copy(update={"scheme": found.password_scheme})
    with stand_in(known, found, there):
        yield DryRun()


def test_on_an_empty_host_nothing_is_done_and_the_first_step_is_named() -> None:
    with dry_run(MailHost()) as found:
        every = [f"{chapter}.{step.__name__}" for chapter in CHAPTERS for step in steps(chapter)]
        assert not [step for step in every if not found.missing(step) and not found.undone(step)]
        assert found.missing("dovecot.tls") == ["dovecot.install"] and not found.missing("dovecot.install")
        assert found.missing("postfix.tls") == ["postfix.install", "postfix.certificate"]


def test_what_is_there_can_be_stood_on_also_when_it_was_changed_since() -> None:
    with dry_run(MailHost(packages=PACKAGES, files={KEY: FOLDER})) as found:
        assert "Self-signed certificate" in found.undone("postfix.certificate") and not found.missing("postfix.tls")
        assert found.undone("postfix.install") == [] and found.undone("dovecot.tls") == ["TLS"]


def test_a_file_of_an_earlier_mailroom_is_there_and_a_package_that_was_removed_is_not() -> None:
    part, drop_in = (
        "/etc/amavis/conf.d/60-mailroom",
        "/etc/systemd/system/postgresql@17-main.service.d/mailroom-supervised.conf",
    )
    with dry_run(MailHost(packages=PACKAGES, files={part: FOLDER})) as found:
        assert found.undone("amavis.amavis") and "amavis.amavis" not in found.missing("amavis.workers")
        assert "amavis.quarantine" in found.missing("amavis.workers") and not found.done("amavis.quarantine")
    with dry_run(MailHost(files={drop_in: FOLDER})) as found:
        assert found.missing("postgresql.role") == ["postgresql.install"]


def test_a_daemon_that_does_not_run_undoes_no_step() -> None:
    with dry_run(MailHost(packages=PACKAGES)) as found:
        assert found.undone("dovecot.restart") == [] and not found.missing("dovecot.restart")
        assert not found.done("dovecot.restart") and found.done(
            "dovecot.install"
        )  # what it would restart is not set up
        assert found.undone("postgresql.role") == []  # PostgreSQL is there, and does not answer


# How a step shows on a host on which everything that it wrote was changed since.
CHANGED: dict[str, dict[str, Any]] = {
    "postfix.tls": {"main_cf": dict.fromkeys(("smtp_tls_security_level", "smtpd_tls_security_level"), "may") | TLS},
    "postfix.submission": {"master_cf": {"submission/inet": "submission inet n - n - 9 smtpd"}},
    "dovecot.sasl": {"overrides": {"submission/inet/smtpd_sasl_auth_enable": "no"}},
    "dovecot.tls": {"files": {CONF: replace(FOLDER, text="# >>> mailroom: tls\nssl = no\n# <<< mailroom: tls\n")}},
    "postgresql.role": {"sql": {**SQL, "role": "mailreader", "login": True, "verifier": "of another password"}},
    "postgresql.database": {"sql": {**SQL, "database": "mail", "database_owner": "alice"}},
    "postgresql.tables": {"sql": {**SQL, "tables": {"users": {"owner": "alice", "acl": ""}}}},
    "postgresql.accounts": {"sql": {**SQL, "users": {"foo@example.test": {"realname": "Other", "maildir": "x/"}}}},
    "postgresql.access": {"sql": SQL, "files": {"/hba": replace(FOLDER, text="# >>> mailroom\nlocal all all trust\n")}},
}


@pytest.mark.parametrize("step", CHANGED)
def test_what_is_no_file_is_known_again_when_it_was_changed_since(step: str) -> None:
    with dry_run(MailHost(packages=PACKAGES, sql=SQL)) as found:
        assert found.undone(step) and found.never(step) == [step]
    with dry_run(MailHost(**{"packages": PACKAGES, "sql": SQL, **CHANGED[step]})) as found:
        assert found.undone(step) and not found.never(step) and not found.done(step)


def test_what_a_package_brings_is_no_step_that_was_done() -> None:
    """Debian's own main.cf has some of our values, and a directory says nothing about what is to come into it."""
    came = {
        **{"inet_interfaces": "all", "inet_protocols": "all", "recipient_delimiter": "+", "append_dot_mydomain": "no"},
        **{"mailbox_size_limit": "0", "smtpd_tls_security_level": "may", "smtp_tls_security_level": "may"},
    }
    there = MailHost(packages=PACKAGES, main_cf=came, files={"/etc/postfix/certs": FOLDER, PROGRAMS: FOLDER})
    with dry_run(there) as found:
        for step in ("postfix.identity", "postfix.tls", "postfix.certificate", "dovecot.certificate", "dovecot.sasl"):
            assert found.never(step) == [step], step


def test_a_key_that_chapter_1_made_is_no_step_of_chapter_4() -> None:
    with dry_run(MailHost(packages=PACKAGES, files={KEY: FOLDER})) as found:
        assert not found.never("postfix.certificate") and found.never("dovecot.certificate")


def test_the_connection_that_two_steps_write_is_the_first_ones_only_with_its_own_block() -> None:
    with dry_run(MailHost(packages=PACKAGES, sql=SQL, files={SQL_CONF: FOLDER})) as found:
        assert found.never("dovecot.passdb") and not found.never("dovecot.sql")


def test_a_step_that_only_restarts_was_done_when_those_before_it_were() -> None:
    with dry_run(MailHost(packages=PACKAGES, sql=SQL)) as found:
        assert found.never("postgresql.restart")[0] == "postgresql.access" and "postgresql.install" not in found.never(
            "postgresql.restart"
        )


def test_a_role_whose_password_was_changed_refuses_no_step() -> None:
    """`sieve.lmtp` stands on the role by way of four others."""
    with dry_run(MailHost(packages=PACKAGES, **CHANGED["postgresql.role"])) as found:
        assert "Role mailreader" in found.undone("postgresql.role")
        assert "postgresql.role" not in found.missing("sieve.lmtp")


def test_what_only_postgresql_can_tell_is_neither_done_nor_to_be_changed_while_it_is_away() -> None:
    with dry_run(MailHost(packages=PACKAGES)) as found:
        assert found.unasked("postgresql.role") == ["Role mailreader"] and not found.done("postgresql.role")
        assert found.undone("postgresql.role") == [] and not found.never("postgresql.role")
        assert found.unasked("sieve.delivery") == ["Rows of transports"] and found.undone("sieve.delivery")
        assert "postgresql.accounts" not in found.missing("dovecot.passdb")
        assert not found.done("postgresql.restart")
    with dry_run(MailHost(packages=PACKAGES, sql=SQL)) as found:
        assert not found.unasked("postgresql.role") and found.undone("postgresql.role") == ["Role mailreader"]
        assert "postgresql.accounts" in found.missing("dovecot.passdb")


def test_a_chapter_that_a_system_has_not_is_not_done_there() -> None:
    with dry_run(MailHost(), "almalinux 9") as found:
        assert "sieve.sieve" not in found.told and found.undone("sieve.sieve")


def test_what_is_only_asked_is_not_in_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILROOM_PREVIEW", str(tmp_path / "preview"))
    with dry_run(MailHost()) as found:
        assert found.undone("postfix.identity") == ["Set names in main.cf"]
    assert not (tmp_path / "preview").exists()


def test_a_refusal_names_all_that_is_to_be_run_first() -> None:
    told = standing("dovecot.tls", ["dovecot.install"])
    assert told.endswith("run first: pyinfra inventory.py deploys.chapters.dovecot.install")
    assert "deploys.chapters.postgresql.tables, then in the same way postgresql.accounts" in standing(
        "dovecot.passdb", ["postgresql.tables", "postgresql.accounts"]
    )
    with dry_run(MailHost(packages={"dovecot-core": "2", "dovecot-imapd": "2", "dovecot-pgsql": "2"})) as found:
        told = standing("dovecot.passdb", found.missing("dovecot.passdb"))
    assert "chapter 2 is missing" in told and "deploys/dovecot.py" in told and "postgresql.role" not in told
    with dry_run(MailHost()) as found:
        told = standing("sieve.learning", found.missing("sieve.learning"))
    assert "chapters 1, 2, 3, 4 are missing" in told and "deploys/mailserver.py" in told
