"""A learner's place in a class: what it holds, what it may, and what the world's DNS says of it."""

import json
from pathlib import Path

import pytest

from lab import engine, hosts, life, names, places, reach, records, state, world
from lab.errors import LabError

SUBNET = "198.18.3.0/24"


@pytest.fixture(autouse=True)
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(tmp_path))
    return tmp_path


def learner(name: str, number: int) -> state.Record:
    domain = f"{name}.class.example"
    ports = {"22": 20000 + number}
    return {
        "name": name, "fqdn": names.fqdn(name, "mail", domain), "role": "mail", "suite": "trixie", "domain": domain,
        "place": places.of(name), "address": f"198.18.3.{number}", "address6": "", "ssh_port": ports["22"], "ports": ports,
    }  # fmt: skip


def shared(name: str, number: int) -> state.Record:
    role = names.role(name)
    ports = {"22": 20000 + number}
    return {
        "name": name, "fqdn": names.fqdn(name, role), "role": role, "suite": "trixie", "address": f"198.18.3.{number}",
        "address6": "", "ssh_port": ports["22"], "ports": ports,
    }  # fmt: skip


class Quiet(engine.Engine):
    """Says nothing to no container: what is looked at here are files."""

    def run(self, *args: str, check: bool = True, stdin: str | None = None) -> str:
        return ""


@pytest.fixture
def everybody(lab: Path) -> dict[str, state.Record]:
    every = [learner("ada", 101), learner("ben", 102), shared("client", 100), shared("world", 254)]
    for host in every:
        places.make(host)
    state.make_secrets()
    found = {host["name"]: host for host in every}
    keys = {name: f"ssh-ed25519 {name}" for name in found}
    state.save({"prefix": names.prefix(), "hosts": found}, keys)
    places.furnish(Quiet("podman"), {"prefix": names.prefix(), "hosts": found}, keys)
    return found


def test_a_place_holds_what_is_its_own(
    lab: Path, everybody: dict[str, state.Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = lab / "learners" / "ada"
    prefix, port = names.prefix(), names.ports()[0]
    assert list(json.loads((ada / "accounts.json").read_text())) == ["foo@ada.class.example", "bar@ada.class.example"]
    secrets = {
        (lab / "learners" / name / file).read_text()
        for name in ("ada", "ben")
        for file in ("accounts.json", "secrets.json", "id_ed25519")
    }
    assert len(secrets) == 6 and ada.stat().st_mode & 0o777 == 0o700
    text = "".join(file.read_text() for file in ada.iterdir())
    assert not [word for word in ("ben.class.example", "learner-ben", "ssh-ed25519 ben") if word in text]
    assert (
        "  User root\n" in (ada / "ssh_config").read_text()
        and (ada / "ssh_config").read_text().count("User learner-ada") == 2
    )
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(ada))
    assert (names.prefix(), names.ports()[0]) == (prefix, port), "its host is the class's"
    assert names.directory() == ada and names.home() == lab
    assert list(json.loads(state.path("lab.json").read_text())["hosts"]) == ["ada", "client", "world"]


def test_the_inventory_of_a_place_and_of_the_whole_class_agree(
    lab: Path, everybody: dict[str, state.Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = reach.inventory_data(everybody["ada"])
    assert whole["accounts_file"] == str(lab / "learners/ada/accounts.json") and whole["mail_domains"] == [
        "ada.class.example"
    ]
    assert [one["email"] for one in whole["mail_users"]] == ["foo@ada.class.example", "bar@ada.class.example"]
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(lab / "learners/ada"))
    assert reach.inventory_data(everybody["ada"]) == whole


def test_the_world_knows_each_domain(everybody: dict[str, state.Record]) -> None:
    lines = world.zones(SUBNET, everybody, {})
    for name, address in (("ada", "198.18.3.101"), ("ben", "198.18.3.102")):
        assert f"local-data: '{name}.class.example. 60 IN MX 10 mx.{name}.class.example.'" in lines
        assert f"local-data: 'mx.{name}.class.example. 60 IN A {address}'" in lines
        assert any(line.endswith(f"in-addr.arpa. 60 IN PTR mx.{name}.class.example.'") for line in lines)
    assert not any("example.test" in line for line in lines), "nobody has the factory's domain here"
    with_mx1 = world.zones(SUBNET, everybody | {"mx1": shared("mx1", 10)}, {})
    assert "local-data: 'example.test. 60 IN MX 10 mx1.example.test.'" in with_mx1


def test_a_rewound_host_is_known_again_where_it_was_known(lab: Path, everybody: dict[str, state.Record]) -> None:
    before = (lab / "learners/ben/known_hosts").read_text()
    state.know(everybody["ada"], "ssh-ed25519 new")
    assert (lab / "learners/ben/known_hosts").read_text() == before
    assert "[127.0.0.1]:20101 ssh-ed25519 new\n" in (lab / "known_hosts").read_text()
    assert "[127.0.0.1]:20101 ssh-ed25519 new\n" in (lab / "learners/ada/known_hosts").read_text()
    state.know(everybody["client"], "ssh-ed25519 newer")
    assert all("ssh-ed25519 newer" in file.read_text() for file in lab.glob("learners/*/known_hosts"))


def test_a_learner_makes_and_removes_no_host(
    lab: Path, everybody: dict[str, state.Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(lab / "learners/ada"))
    for refused in (lambda: life.up({"mx1": None}, "trixie"), lambda: life.remove("ben"), life.down, life.purge):
        with pytest.raises(LabError, match="one learner's place in a class; nothing was changed"):
            refused()
    for name in ("ben.class.example", "_dmarc.ben.class.example", "xada.class.example", "example.net"):
        with pytest.raises(LabError, match=r"is not yours; nothing was published\. Your domain is ada\.class\.example"):
            records.publish(name, "v=spf1 -all")
    for name in ("ben", "client", "world"):
        with pytest.raises(LabError, match=f"{name} is not yours; nothing was changed"):
            places.own_host_only(everybody[name])
    places.own_host_only(everybody["ada"])
    places.may_publish({"ada.class.example": "", "mailroom._domainkey.ada.class.example": ""})
    assert (lab / "learners/ben/accounts.json").exists()


def test_a_host_without_a_domain_of_its_own_is_as_ever() -> None:
    record = hosts.plan("mx1", "trixie", "mail", SUBNET, {})
    assert "domain" not in record and "place" not in record and record["fqdn"] == "mx1.example.test"
    assert "mail_domains" not in reach.inventory_data(record)


def test_hosts_in_common_come_first_where_cores_are_short(
    everybody: dict[str, state.Record], lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All learners come through the client: with the same share as each of them it was too late for half of twelve."""
    said: list[tuple[str, ...]] = []

    class Told(Quiet):
        def run(self, *args: str, check: bool = True, stdin: str | None = None) -> str:
            said.append(args)
            return ""

    monkeypatch.setattr("lab.aptcache.fill", lambda suite, container: lab)
    for uid in (0, 1000):
        monkeypatch.setattr("os.geteuid", lambda uid=uid: uid)
        for name in ("ada", "client", "world"):
            hosts.create(Told("podman"), everybody[name], "an image")
    weighed = ["--cpu-shares" in args for args in said]
    assert weighed == [False, True, True, False, False, False], "rootless, podman may not have that controller"
