"""What an upgrade of the distribution left behind is known by what is read of the host, and by nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploys.platforms import PLATFORMS
from deploys.upgraded import against, half_way, left_behind, newest, version_of
from facts.mail_host import Cluster, File, MailHost, Unit, parse
from operations.dovecot import CONF, language_of, translated
from operations.upgraded import older

NEW, OLD = PLATFORMS["debian", "13"], PLATFORMS["debian", "12"]
OLD_TEXT = "# >>> mailroom: tls\nssl = required\n# <<< mailroom: tls\n"
NEW_TEXT = f"## a comment\ndovecot_config_version = 2.4.0\n{OLD_TEXT}"
FULL, EMPTY = Cluster("15", "main", 5432, "online", 2, 60), Cluster("17", "main", 5433, "online", 0, 40)


def host(text: str | None, dovecot: tuple[int, ...] | None, *clusters: Cluster) -> MailHost:
    files = {} if text is None else {CONF: File("644", "root", "root", 1.0, "regular file", text=text)}
    return MailHost(files=files, dovecot=dovecot, clusters={(one.version, one.name): one for one in clusters})


@pytest.mark.parametrize(
    "text, language",
    [
        ("", ""),
        ("# nothing\n\n", ""),
        ("!include_try /usr/share/dovecot/protocols.d/*.protocol\n", "2.3"),
        ("  dovecot_config_version = 2.4.1\nssl = yes\n", "2.4"),
        ("ssl = yes\ndovecot_config_version = 2.4.1\n", "2.3"),  # Dovecot 2.4 does not start on it either
        ("dovecot_config_versions = 1\n", "2.3"),
    ],
)
def test_a_text_s_language_is_in_its_first_setting(text: str, language: str) -> None:
    assert language_of(text) == language


def test_our_blocks_keep_their_order_and_change_their_language() -> None:
    old = "a = 1\n\n# >>> mailroom: b\nold b\n# <<< mailroom: b\nx = y\n# >>> mailroom: a\nold a\n# <<< mailroom: a\n"
    old += "# >>> mailroom: gone\nold\n# <<< mailroom: gone\n"
    blocks = {name: {"2.3": f"old {name}", "2.4": f"new {name}"} for name in ("a", "b", "not there")}
    new = translated(old, blocks, "2.4")
    assert [line for line in new.splitlines() if line and not line.startswith("#")] == ["new b", "new a"]


@pytest.mark.parametrize(
    "there, system, parts",
    [
        (host(None, None), NEW, []),
        (host("", (2, 4, 1)), NEW, []),
        (host(NEW_TEXT, (2, 4, 1), replace(FULL, version="17"), replace(FULL, status="down")), NEW, []),  # moved
        (host(OLD_TEXT, (2, 3, 19), FULL), OLD, []),
        (host(OLD_TEXT, (2, 4, 1), FULL), NEW, ["Dovecot", "cluster of 15"]),
        (host(OLD_TEXT, (2, 4, 1), FULL, EMPTY), NEW, ["Dovecot", "cluster of 15"]),
        (host(NEW_TEXT, (2, 4, 1), replace(FULL, version="13"), FULL, EMPTY), NEW, ["cluster of 15"]),
        (host(NEW_TEXT, (2, 4, 1), replace(FULL, databases=0), EMPTY), NEW, []),
        (host(NEW_TEXT, (2, 4, 1), replace(FULL, name="shop"), EMPTY), NEW, []),  # somebody else's
        (host(NEW_TEXT, (2, 3, 19), replace(FULL, version="17")), OLD, ["Dovecot"]),  # 13's backup on a 12
        (host(OLD_TEXT, (2, 4, 1), FULL), PLATFORMS["rocky", "10"], []),  # its packages bring no such text
    ],
)
def test_what_is_left_behind_is_found_and_nothing_else(there: MailHost, system, parts: list[str]) -> None:  # type: ignore[no-untyped-def]
    found = left_behind(there, system)
    assert len(found) == len(parts) and all(part in line for part, line in zip(parts, found, strict=True))


def test_the_newest_of_older_clusters_is_the_one_that_moves() -> None:
    old = older(host(None, None, replace(FULL, version="9"), FULL, EMPTY), version_of(NEW))
    assert old == FULL


def debian(codename: str, suites: str, **more: str) -> MailHost:
    return MailHost(system={"codename": codename, "suites": suites, "free_mb": "9000", **more})


OF_12 = debian("bookworm", "bookworm bookworm-updates bookworm-security")
BEGUN = debian("bookworm", "trixie bookworm-updates")
LAGS = replace(debian("trixie", "trixie"), packages={"postgresql": "15+248+deb12u1", "postfix": "3.10.4-1~deb13u1"})
DONE = replace(debian("trixie", "trixie"), packages={"postgresql": "17+278", "postfix": "3.10.13-0+deb13u1"})


@pytest.mark.parametrize(
    "there, said",
    [(OF_12, ""), (DONE, ""), (MailHost(), ""), (BEGUN, "this host is bookworm still"), (LAGS, "postgresql 15+248")],
)
def test_no_chapter_is_applied_to_a_host_between_two_releases(there: MailHost, said: str) -> None:
    found = half_way(there)
    assert (
        len(found) == bool(said) and said in "".join(found) and ("deploys/upgrade.py" in "".join(found)) == bool(said)
    )


@pytest.mark.parametrize(
    "there, origins, said",
    [
        (OF_12, ["Debian", "Debian Backports"], ""),
        (OF_12, ["Debian", "Docker"], "Docker"),
        (debian("bookworm", "bookworm", held="postfix libc6 "), [], "apt-mark unhold postfix libc6"),
        (debian("bookworm", "stable"), [], "name bookworm there first"),
        (debian("bookworm", "bookworm", free_mb="2047"), [], "2047 MB are free"),
        (replace(debian("bookworm", "bookworm", free_mb="2100"), clusters={("15", "main"): FULL}), [], "may need 2108"),
        (debian("trixie", "stable", held="postfix"), ["Docker"], ""),  # there is nothing to upgrade
    ],
)
def test_an_upgrade_that_could_not_be_carried_through_is_refused(
    there: MailHost, origins: list[str], said: str
) -> None:
    found = list(against(there, origins))
    assert len(found) == bool(said) and said in "".join(found)


def test_debian_12_s_own_wrapper_is_no_leftover_and_its_instance_on_13_is_one() -> None:
    running = Unit(True, "enabled", 1.0)
    there = replace(host(OLD_TEXT, (2, 3, 19), FULL), units={"postfix": running, "postfix@-": running})
    assert left_behind(there, OLD) == []
    there = replace(
        host(NEW_TEXT, (2, 4, 1), replace(FULL, version="17")), units={"postfix": running, "postfix@-": running}
    )
    assert left_behind(there, NEW) == ["Postfix runs in postfix@-, the unit of Debian 12"]


def test_clusters_are_read_and_the_newest_release_is_the_aim() -> None:
    found = parse(
        {"system": ["id=debian"], "clusters": ["15 main 5433 down,binaries_missing 2 61", "17 main 5432 online 0 40"]}
    )
    assert found.clusters["15", "main"] == Cluster("15", "main", 5433, "down,binaries_missing", 2, 61)
    assert newest() == NEW
