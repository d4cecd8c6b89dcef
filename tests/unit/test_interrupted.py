"""A run that died between two commands: the next one sees it by the times of files, or by what it finds half made."""

from collections.abc import Callable

import pytest

from facts.mail_host import File, MailHost, Unit
from operations import files, packages, postfix, postgresql, services

ASK = Callable[..., list[str]]


def kept(text: str = "", mtime: float = 100.0) -> File:
    return File("644", "root", "root", mtime, "regular file", "", text)


@pytest.mark.parametrize(
    ("kind", "index", "commands"),
    [
        ("hash:/etc/aliases", {"/etc/aliases.db": 101.0}, 0),
        ("hash:/etc/aliases", {"/etc/aliases.db": 99.0}, 1),
        ("hash:/etc/aliases", {}, 1),
        ("lmdb:/etc/aliases", {"/etc/aliases.lmdb": 101.0, "/etc/aliases.db": 1.0}, 0),
        ("lmdb:/etc/aliases", {"/etc/aliases.lmdb": 99.0}, 1),
        ("texthash:/etc/aliases", {}, 0),
    ],
)
def test_newaliases_that_was_not_run(ask: ASK, kind: str, index: dict[str, float], commands: int) -> None:
    found = {"/etc/aliases": kept("root: a@example.test\n")} | {path: kept(mtime=time) for path, time in index.items()}
    there = MailHost(main_cf={"alias_database": kind}, files=found)
    assert len(ask(there, postfix.aliases, {"root": "a@example.test"})) == commands


def test_a_drop_in_that_systemd_has_not_read(ask: ASK) -> None:
    import hashlib

    path = "/etc/systemd/system/dovecot.service.d/mailroom.conf"
    same = File("644", "root", "root", 1.0, "regular file", hashlib.sha256(b"[Unit]\n").hexdigest())
    for outdated, commands in ((False, 0), (True, 1)):
        there = MailHost(files={path: same}, units={"dovecot": Unit(True, "enabled", 1.0, outdated)})
        assert len(ask(there, services.drop_in, "dovecot.service", "[Unit]")) == commands


def test_half_a_cluster(ask: ASK) -> None:
    """initdb writes PG_VERSION long before it has ended."""
    data = "/var/lib/pgsql/data"
    whole = MailHost(files={f"{data}/PG_VERSION": kept()})
    half = MailHost(files={f"{data}/PG_VERSION": kept(), postgresql.BEGUN: kept()})
    assert ask(whole, postgresql.cluster, data) == []
    (command,) = ask(half, postgresql.cluster, data)
    assert "postmaster.opts" in command and command.endswith(f"{data} {postgresql.BEGUN}")


def test_nothing_that_a_server_has_ever_started_is_removed() -> None:
    assert postgresql.INITIALISE.startswith(
        'if [ -e "$2" ] && [ ! -e "$1/postmaster.opts" ]; then find "$1" -mindepth 1'
    )
    assert '[ -e "/var/lib/postgresql/$version/main/postmaster.opts" ] && continue' in packages.APT


def test_candidates_have_a_name_of_their_own() -> None:
    assert 'mktemp "$path.mailroom.XXXXXX"' in files.PUT
