"""What the lab derives from where it is: two checkouts share nothing that could collide."""

from __future__ import annotations

import os
import tarfile
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab import aptcache, engine, image, names, network, standin, state, tools
from lab.errors import LabDown, LabError


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(tmp_path_factory.mktemp("lab")))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def test_another_folder_is_another_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    def derived() -> tuple[object, ...]:
        return names.prefix(), names.subnets()[0], names.ports()[0]

    monkeypatch.setenv("MAILROOM_LAB_DIR", "/srv/one/.lab")
    one = derived()
    assert one == derived()
    monkeypatch.setenv("MAILROOM_LAB_DIR", "/srv/two/.lab")
    assert not set(one) & set(derived())


def test_candidates_are_complete_and_lie_where_nothing_else_does() -> None:
    assert sorted(set(names.subnets())) == list(IPv4Network("198.18.0.0/15").subnets(new_prefix=24))
    assert sorted(names.ports()) == list(names.PORTS)


@pytest.mark.parametrize(
    ("name", "fqdn"),
    [("mx1", "mx1.example.test"), ("mx12", "mx12.example.test"), ("client", "client.example.net")],
)
def test_roles_follow_from_names(name: str, fqdn: str) -> None:
    assert names.fqdn(name, names.role(name)) == fqdn


def test_addresses_are_fixed_and_never_shared() -> None:
    assert [names.octet(f"mx{n}", set()) for n in (1, 2, 3)] == [10, 11, 12]
    taken: set[int] = set()
    for name in ("client", "ada", "mx1", "mx200", "mx0"):
        taken.add(names.octet(name, taken))
    assert taken == {100, 101, 10, 102, 103}


@pytest.mark.parametrize("name", ["", "Mx1", "1mx", "mx_1", "-x", "a b", "--role", "x" * 40])
def test_a_name_that_cannot_be_a_host(name: str) -> None:
    assert not names.valid(name)


def test_slug() -> None:
    assert names.slug("Chapter 4, TLS") == "chapter-4-tls"
    assert names.slug("…") == ""


def test_subnets_of_both_engines() -> None:
    podman = {"subnets": [{"subnet": "198.18.3.0/24"}, {"subnet": "fd00::/64"}]}
    docker = {"IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}}
    assert network.subnets_of(podman) == [IPv4Network("198.18.3.0/24")]
    assert network.subnets_of(docker) == [IPv4Network("172.17.0.0/16")]
    assert network.subnets_of({"IPAM": {"Config": None}}) == []


def test_guest_files_are_written_in_place() -> None:
    """A guest has the very file mounted: a new one under the same name it would never see."""
    host = {"name": "mx1", "fqdn": "mx1.example.test", "role": "mail", "address": "198.18.3.10"}
    names.directory().mkdir(exist_ok=True)
    assert network.write_guest_files("198.18.3.0/24", {"mx1": host}, [])
    before = state.path("guest/hosts").stat().st_ino
    other = {"name": "client", "fqdn": "client.example.net", "role": "client", "address": "198.18.3.100"}
    assert network.write_guest_files("198.18.3.0/24", {"mx1": host, "client": other}, []) == {"hosts"}
    assert state.path("guest/hosts").stat().st_ino == before
    text = state.path("guest/hosts").read_text()
    assert "198.18.3.10 mx1.example.test mx1 mail.example.test example.test\n" in text
    assert "198.18.3.100 client.example.net client\n" in text


def test_packages_go_round_through_the_pool() -> None:
    mine = aptcache.fill("trixie", "one")
    (mine / "a_1_all.deb").write_text("a")
    (mine / "partial").mkdir()
    (mine / "partial" / "b_1_all.deb").write_text("half")
    aptcache.collect("trixie", "one")
    other = aptcache.fill("trixie", "two")
    assert [path.name for path in other.iterdir()] == ["a_1_all.deb"]
    assert (other / "a_1_all.deb").stat().st_nlink == 3
    aptcache.drop_lab("one")
    assert [path.name for path in aptcache.pool("trixie").iterdir()] == ["a_1_all.deb"]


def test_no_lab_says_what_to_run() -> None:
    with pytest.raises(LabDown, match=r"No lab is up\. Run `make up`"):
        state.load()


def test_secrets_are_made_once_and_closed() -> None:
    with state.locked():
        state.make_secrets()
        before = state.path("accounts.json").read_text()
        state.make_secrets()
    assert state.path("accounts.json").read_text() == before
    for name in ("accounts.json", "secrets.json", "id_ed25519"):
        assert state.path(name).stat().st_mode & 0o777 == 0o600


def test_the_recipe_decides_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    before = image.reference("trixie")
    assert before == image.reference("trixie") != image.reference("bookworm")
    monkeypatch.setattr(image, "PACKAGES", [*image.PACKAGES, "whois"])
    assert image.reference("trixie") != before


def test_a_missing_tool_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match=r"to fly\. Run: sudo apt-get install .* flying-carpet"):
        tools.need({"no-such-program": ["flying-carpet"]}, "to fly")


def test_an_unknown_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_ENGINE", "lxc")
    with pytest.raises(LabError, match="podman or docker"):
        engine.find.__wrapped__()


def test_a_stand_in_has_a_recipe_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = {suite: image.reference(suite) for suite in ("bookworm", "el9", "el9-yum")}
    assert len(set(before.values())) == 3
    (tmp_path / "setup").write_text("another")
    monkeypatch.setattr(standin, "FOLDER", tmp_path)
    assert image.reference("el9") != before["el9"] and image.reference("bookworm") == before["bookworm"]


def test_yum_alone_is_the_same_without_dnf(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/program").write_text("x")
    for name in ("dnf", "yum"):
        (tmp_path / "usr/bin" / name).symlink_to("program")
    with tarfile.open(tmp_path / "whole.tar", "w") as tar:
        tar.add(tmp_path / "usr", "./usr")
    standin.without_dnf(tmp_path / "whole.tar", tmp_path / "less.tar")
    with tarfile.open(tmp_path / "less.tar") as tar:
        assert {name for name in tar.getnames() if "bin/" in name} == {"./usr/bin/program", "./usr/bin/yum"}
        assert tar.extractfile("./usr/bin/program").read() == b"x"  # type: ignore[union-attr]
