"""What the lab derives from where it is: two checkouts share nothing that could collide."""

from __future__ import annotations

import fcntl
import os
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab import aptcache, engine, hosts, image, life, names, network, standin, state, tools, world
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


def test_a_lab_has_ipv6_where_the_kernel_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        names.six("198.18.3.10") == "2001:db8:18:3::10"
        and str(names.subnet_six(IPv4Network("198.19.250.0/24"))) == "2001:db8:19:250::/64"
    )
    assert names.six("198.19.0.10") == "2001:db8:19::10"
    every = {names.six(str(net[10])) for net in names.subnets()}
    assert len(every) == len(names.subnets()) == 512
    switch, podman = tmp_path / "disable_ipv6", engine.Engine("podman")
    monkeypatch.setattr(network, "WITHOUT_SIX", switch)
    subnet = IPv4Network("198.18.3.0/24")
    assert "--ipv6" not in network.options(podman, subnet)  # a kernel without
    for text, has in (("1\n", False), ("0\n", True)):
        switch.write_text(text)
        assert ("2001:db8:18:3::/64" in network.options(podman, subnet)) == has
    world_ = {
        "name": "world",
        "fqdn": "world.example.net",
        "role": "world",
        "address": "198.18.3.254",
        "clients": {"ash.homes.example.net": "198.18.3.225"},
    }
    assert not any("AAAA" in line for line in world.zones(str(subnet), {"world": world_}, {}))
    lines = world.zones(str(subnet), {"world": world_ | {"address6": "2001:db8:18:3::254"}}, {})
    assert "local-data: 'world.example.net. 60 IN AAAA 2001:db8:18:3::254'" in lines
    assert "local-data: 'ash.homes.example.net. 60 IN AAAA 2001:db8:18:3::225'" in lines
    assert any(line.endswith("ip6.arpa. 60 IN PTR ash.homes.example.net.'") for line in lines)


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


def test_a_question_to_the_cache_makes_no_folder() -> None:
    assert not list(aptcache.pool("trixie").glob("*"))
    aptcache.collect("trixie", "one")
    aptcache.drop("trixie", "one")
    aptcache.drop_lab("one")
    assert not names.cache().exists()
    assert aptcache.fill("trixie", "one").is_dir() and not aptcache.pool("trixie").exists()


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


def test_who_waits_for_the_lab_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """A cell with `!python -m lab …` in it, after another line, would otherwise stand still without a word."""
    with state.locked():
        pass
    assert not capsys.readouterr().err
    with ThreadPoolExecutor() as pool:
        with state.path("lock").open() as cell:
            fcntl.flock(cell, fcntl.LOCK_SH)
            waiting = pool.submit(state.locked().__enter__)
            said, end = "", time.monotonic() + 5
            while not said and time.monotonic() < end:
                said = capsys.readouterr().err
                time.sleep(0.01)
        assert "waiting for another lab command, or for the end of a notebook's cell" in said
        waiting.result(5)


def test_the_recipe_decides_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    before = image.reference("trixie")
    assert before == image.reference("trixie") != image.reference("bookworm")
    monkeypatch.setattr(image, "PACKAGES", [*image.PACKAGES, "whois"])
    assert image.reference("trixie") != before


def test_a_missing_tool_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match=r"to fly\. Run: sudo apt-get install .* flying-carpet"):
        tools.need({"no-such-program": ["flying-carpet"]}, "to fly")


def test_two_that_miss_something_install_it_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As two workers of `make test` on a fresh machine: a second apt-get would fail, since the first has the lock."""
    program = f"""#!/bin/sh
mkdir {tmp_path}/lock || exit 100
sleep 0.5; echo x >>{tmp_path}/asked; : >{tmp_path}/carpet; chmod +x {tmp_path}/carpet; rmdir {tmp_path}/lock
"""
    (tmp_path / "apt-get").write_text(program)
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: tools.need({"carpet": ["flying-carpet"]}, "to fly"), range(2)))
    assert (tmp_path / "asked").read_text() == "x\n"


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


@pytest.mark.parametrize("above", ["./", ""])  # as mmdebstrap writes a root file system, and as an engine exports one
def test_the_mirrors_are_those_of_apt(tmp_path: Path, above: str) -> None:
    folder = tmp_path / "etc/apt/sources.list.d"
    folder.mkdir(parents=True)
    (folder / "debian.sources").write_text("URIs: http://deb.example.test/debian\n")
    (tmp_path / "etc/apt/sources.list").write_text("deb https://security.example.test/debian trixie main\n")
    with tarfile.open(tmp_path / "root.tar", "w") as tar:
        tar.add(tmp_path / "etc", f"{above}etc")
    assert image.mirrors_in(tmp_path / "root.tar") == ["deb.example.test", "security.example.test"]


@pytest.mark.parametrize(
    ("asked", "role", "command"),
    [
        ("bookworm", None, "python -m lab add mx1:bookworm --rebuild"),  # said as LAB_SUITE, or as a word to make
        (None, "client", "python -m lab add mx1 --role client --rebuild"),
    ],
)
def test_the_command_that_rebuilds_says_as_what(asked: str | None, role: str | None, command: str) -> None:
    found = {"mx1": hosts.Found({"name": "mx1", "suite": "trixie", "role": "mail"}, True, True, [])}
    with pytest.raises(LabError, match=f"`{command}`, then the same"):
        life.spare(found, {"mx1": asked}, {"mx1": role})


def test_a_host_that_is_made_anew_is_what_it_was_but_for_what_was_asked() -> None:
    was = {"suite": "bookworm", "role": "mail"}
    assert life.kind("vps", "trixie", "", was, "trixie") == ("trixie", "mail")
    assert life.kind("vps", "", "client", was, "trixie") == ("bookworm", "client")
    assert life.kind("vps", "", "", {}, "trixie") == ("trixie", "client")
    assert life.kind("world", "bookworm", "", {}, "trixie") == ("world", "world")
