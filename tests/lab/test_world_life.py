"""A world comes into a lab and leaves it, and the others notice; it is put back like any other host."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from lab import engine, host, hosts, image, names, records, state, world
from lab.cli import main
from lab.errors import LabError

SUBNET = "198.18.3.0/24"
MX1 = {"name": "mx1", "fqdn": "mx1.example.test", "role": "mail", "address": "198.18.3.10"}
WORLD = {"name": "world", "fqdn": "world.example.net", "role": "world", "address": "198.18.3.254"}
INSTALL = "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q --yes --no-install-recommends postfix"


def test_no_world_no_zones() -> None:
    assert world.zones(SUBNET, {"mx1": MX1}, {}) == []


def test_without_a_mail_host_the_factory_has_no_mail() -> None:
    alone = "\n".join(world.zones(SUBNET, {"world": WORLD}, {}))
    assert "example.test" not in alone and "'example.net. 60 IN MX 10 world.example.net.'" in alone
    ada = {**MX1, "name": "ada", "fqdn": "ada.example.test"}
    assert "'example.test. 60 IN MX 10 ada.example.test.'" in "\n".join(
        world.zones(SUBNET, {"ada": ada, "world": WORLD}, {})
    )


def test_the_worlds_addresses_are_nobody_elses() -> None:
    assert names.octet("world", set()) == 254
    taken: set[int] = set()
    for number in range(100):
        taken.add(names.octet(f"guest{number}", taken))
    theirs = {int(address.rsplit(".")[3]) for address in world.clients(SUBNET).values()}
    assert len(theirs) == 14 and not theirs & (taken | {254, 255})


def test_a_long_text_is_several_strings() -> None:
    published = {"key._domainkey.example.test": "v=DKIM1; p=" + "A" * 600}
    (line,) = [one for one in world.zones(SUBNET, {"world": WORLD}, published) if "_domainkey" in one]
    strings = re.findall(r'"([^"]*)"', line)
    assert [len(one) for one in strings] == [255, 255, 101] and "".join(strings) == published[
        line.split("'")[1].split(". ")[0]
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [("-.test", "x"), ("a b.test", "x"), ("", "x"), ("x.test", "it's"), ("x.test", 'a"b'), ("x.test", "a\nb")],
)
def test_what_unbound_could_not_read_is_refused(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(tmp_path))
    with pytest.raises(LabError, match="is no record"):
        records.publish(name, text)
    assert state.published() == {}


def test_a_world_has_a_system_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", "world:bookworm"]) == 1
    assert "Write just: world" in capsys.readouterr().err
    assert main(["add", "mx1:world"]) == 1


@pytest.mark.parametrize("suite", names.SUITES)
def test_it_comes_and_goes(own_lab: Path, suite: str) -> None:
    """A Postfix that started before it sends mail there; afterwards all is as it was."""
    assert main(["up", f"mx1:{suite}"]) == 0
    mx1 = host("mx1")
    mx1.run(INSTALL)
    alone = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
    copy = "cat /var/spool/postfix/etc/resolv.conf"
    assert mx1.run("cat /etc/resolv.conf").stdout == mx1.run(copy).stdout == alone
    begun = time.monotonic()
    assert main(["add", "world"]) == 0
    assert time.monotonic() - begun < 20
    assert mx1.run(copy).stdout.startswith(f"nameserver {host('world').address}\n")
    mx1.run(["sendmail", "-f", "someone@mx1.example.test", "alice@example.net"], stdin="Subject: out\n\nHello.\n")
    deadline = time.monotonic() + 15
    arrived = "cat /var/mail/example.net/alice/new/*"
    while "from mx1.example.test" not in host("world").run(arrived, check=False).stdout:
        assert time.monotonic() < deadline, mx1.run("postqueue -p").stdout
        time.sleep(0.2)

    assert main(["add", "ada"]) == 0
    assert host("world").run("dig +short ada.example.net").stdout == f"{host('ada').address}\n"
    assert main(["rm", "ada"]) == 0
    assert host("world").run("dig +short ada.example.net").stdout == ""

    assert main(["rm", "world"]) == 0
    assert mx1.run("cat /etc/resolv.conf").stdout == mx1.run(copy).stdout == alone


def test_put_back_and_found_again(own_lab: Path) -> None:
    assert main(["up", "client", "world"]) == 0
    key = "dig +short TXT world._domainkey.example.net"
    mine = host("world").run(f"touch /root/mine; {key}").stdout
    assert "v=DKIM1" in mine
    assert main(["snapshot", "world", "with mine"]) == 0
    assert main(["rewind", "world", "bare"]) == 0
    another = host("world").run(key).stdout
    assert "v=DKIM1" in another and another != mine, "each world makes its key when it first starts"
    assert main(["rewind", "world", "with mine"]) == 0
    assert host("world").run(f"{key}; ls /root").stdout == f"{mine}mine\n"
    assert host("client").run("getent hosts yew.homes.example.net").returncode == 0

    engine.find().run("stop", "--time", "0", hosts.container("world"))
    (own_lab / "lab.json").unlink()
    assert main(["up"]) == 0  # adopts what is there, and adds mx1
    assert state.load()["hosts"]["world"]["role"] == "world" and state.load()["suite"] == "trixie"
    assert host("world").run(f"{key}; ls /root").stdout == f"{mine}mine\n"
    assert host("client").run("getent hosts yew.homes.example.net mx1.example.test").returncode == 0
    assert host("world").run("dig +short MX example.test").stdout == "10 mx1.example.test.\n"


def test_the_recipe_is_what_the_world_gets_and_not_what_a_test_has_left() -> None:
    before = image.recipe(names.WORLD)
    program = world.FOLDER / "tree/usr/local/lib/judge"
    cache = program / "__pycache__"
    cache.mkdir(exist_ok=True)
    left = cache / "of-this-test.pyc"
    left.write_text("")
    try:
        assert image.recipe(names.WORLD) == before
    finally:
        left.unlink()
    assert list(program.glob("*.py"))
