"""A class of three by its own commands: hosts of their own, letters between all, help for one, and nothing left.

What a command says is held against what somebody else finds: the world's DNS, ssh, the database, the engine. The tests are one
afternoon, in this order. MAILROOM_CLASS=long has chapter 4 too; twelve learners are in test_afternoon.py.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import engine, names, state
from tests.live.classes import classroom, in_a_room, of, told
from tests.live.likeness import looks

LONG = os.environ.get("MAILROOM_CLASS") == "long"
PEOPLE = ["Ada", "Ben", "Zoë Çelik"]
NAMES = ["ada", "ben", "zoe-celik"]
CHAPTER = "chapter 4" if LONG else "chapter 2"
pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(3600 if LONG else 900)]


@pytest.fixture(scope="module")
def room(labs_folder: Path) -> Iterator[Path]:
    """The folder of the class, which these tests share."""
    with in_a_room(labs_folder / "class") as folder:
        yield folder


def containers() -> dict[str, str]:
    """Name, and when it was made and started: what no command of ours can keep if it touches one."""
    form = "{{.Names}} {{.ID}} {{.StartedAt}}"
    ours = f"label=mailroom.lab={names.prefix()}"
    return dict(line.split(" ", 1) for line in engine.find().run("ps", "--filter", ours, "--format", form).splitlines())


def files(folder: Path) -> dict[str, str]:
    """What is in each file, as a sum: some are secrets, and a test that fails prints what it compares."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_a_list_of_names_becomes_hosts_with_domains_of_their_own(room: Path, tmp_path: Path) -> None:
    (tmp_path / "class.csv").write_text("name\n" + "".join(f"{one}\n" for one in PEOPLE))
    found = told("up", str(tmp_path / "class.csv"))["learners"]
    assert [(one["name"], one["made"]) for one in found] == [(name, True) for name in NAMES]
    world = of("world")
    for one in found:
        asked = f"dig +short MX {one['domain']}; dig +short {one['host']}; dig +short -x {one['address']}"
        assert world.run(asked).stdout.split() == ["10", f"{one['host']}.", one["address"], f"{one['host']}."]
        own = of(one["name"]).run("hostname -f; hostname -I").stdout.split()
        assert own[0] == one["host"] and one["address"] in own
    secrets = {
        (room / "learners" / name / file).read_text() for name in NAMES for file in ("accounts.json", "secrets.json")
    }
    assert len(secrets) == 2 * len(NAMES)


def test_a_learner_enters_one_host_and_is_nobody_on_those_in_common(room: Path) -> None:
    def ssh(who: str, where: str, *options: str, run: str = "id -un") -> subprocess.CompletedProcess[str]:
        config = ["-F", str(room / "learners" / who / "ssh_config")]
        return subprocess.run(["ssh", *config, *options, where, run], capture_output=True, text=True, check=False)

    assert ssh("ada", "ada").stdout == "root\n" and ssh("ada", "client").stdout == "learner-ada\n"
    there = state.record("ben")
    by_address = (
        "-o",
        f"Port={there['ssh_port']}",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
    )
    for user in ("root", "learner-ben"):
        denied = ssh("ada", "ada", *by_address, "-o", f"User={user}")
        assert denied.returncode == 255 and "Permission denied" in denied.stderr
    for where in ("client", "world"):
        assert "Permission denied" in ssh("ada", where, run="cat /home/learner-ben/.ssh/authorized_keys").stderr
        assert "Permission denied" in ssh("ada", where, "-o", "User=root").stderr
    text = "".join(file.read_text() for file in (room / "learners/ada").iterdir() if file.is_file())
    assert "ben.class.example" not in text and "learner-ben" not in text


def test_the_second_time_nothing_changes(room: Path) -> None:
    before, hosts = files(room), containers()
    started = of("world").run("systemctl show -P ActiveEnterTimestampMonotonic unbound").stdout
    found = told("up")
    assert [one["made"] for one in found["learners"]] == [False] * len(NAMES)
    after = files(room)
    assert [file for file in before | after if before.get(file) != after.get(file)] == []
    assert containers() == hosts
    assert of("world").run("systemctl show -P ActiveEnterTimestampMonotonic unbound").stdout == started


def test_all_catch_up_and_the_board_shows_it(room: Path) -> None:
    """Ben in the ordinary way, while a reference host is prepared; the others from that."""
    with ThreadPoolExecutor() as pool:
        ordinary = pool.submit(told, "catch-up", "ben", CHAPTER, "--in-place")
        assert told("prepare", CHAPTER)["prepared"] == CHAPTER
    assert ordinary.result()["learners"][0]["ok"] and "reference" not in containers()
    caught = told("catch-up", "all", CHAPTER)["learners"]
    assert [one["name"] for one in caught] == NAMES and all(one["ok"] for one in caught), caught
    said = {one["name"]: one["said"] for one in caught}
    assert "nothing had to be changed" in said["ben"], "he is there already, and nothing is taken from him"
    assert all("from the prepared state" in said[name] for name in ("ada", "zoe-celik"))
    board = told("board")
    for one in board["learners"]:
        for chapter in ("1", "2"):
            assert one["chapters"][chapter]["done"] == one["chapters"][chapter]["of"] > 5, one
        assert one["state"] == "asked" and one["chapters"]["5"]["done"] == 0
    assert "Zoë Çelik" in (room / "board.html").read_text()
    assert len(classroom("board", "--csv").stdout.splitlines()) == len(NAMES) + 1


def test_a_prepared_state_ends_as_the_ordinary_way_and_shares_no_secret(room: Path) -> None:
    (ada, hers), (ben, his), (_, zoes) = (looks(room, name) for name in NAMES)
    assert {file: (ada.get(file), ben.get(file)) for file in ada | ben if ada.get(file) != ben.get(file)} == {}
    assert "etc/postfix/main.cf" in ada and len(ada) > 500
    for question in (
        "dpkg-query -W",
        "cd /; runuser -u postgres -- pg_dump --schema-only mail | grep -v '^.[un]*restrict'",
    ):
        assert of("ada").run(question).stdout == of("ben").run(question).stdout
    left = [file for file, text in hers.items() if b"{{mailroom" in text or b"reference.class.example" in text]
    assert left == []
    keys = [file for file, text in hers.items() if b"PRIVATE KEY" in text]
    assert {"etc/ssh/ssh_host_ed25519_key", "etc/postfix/certs/key.pem", "etc/ssl/private/ssl-cert-snakeoil.key"} <= {
        *keys
    }
    assert all(hers[file] != zoes[file] != his[file] != hers[file] for file in [*keys, "etc/machine-id"])
    command = [sys.executable, "-m", "checks", "--json", "--chapter", CHAPTER.split()[1]]
    place = os.environ | {"MAILROOM_LAB_DIR": str(room / "learners/ada")}
    done = subprocess.run(command, cwd=names.ROOT, env=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_each_has_passwords_of_their_own(room: Path) -> None:
    ask = "PGPASSWORD={} psql -h 127.0.0.1 -U mailreader -XAtc 'SELECT email FROM users ORDER BY 1' mail"
    passwords = {name: json.loads((room / f"learners/{name}/secrets.json").read_text())["mailreader"] for name in NAMES}
    mine = of("ada").run("sh", stdin=ask.format(passwords["ada"])).stdout.split()
    assert mine == ["bar@ada.class.example", "foo@ada.class.example"]
    theirs = of("ada").run("sh", stdin=ask.format(passwords["ben"]), check=False)
    assert theirs.returncode and "password authentication failed" in theirs.stderr


def test_everybody_writes_to_everybody(room: Path) -> None:
    post = told("post")
    every = len(NAMES) * (len(NAMES) - 1)
    assert (post["arrived"], post["of"]) == (every, every)
    of("ben").run("systemctl stop postfix")
    try:
        post = told("post", "--patience", "3", code=1)
        state = {(one["sender"], one["recipient"]): (one["state"], one["why"]) for one in post["letters"]}
        assert state["ada", "zoe-celik"][0] == "arrived"
        assert state["ada", "ben"][0] == "waiting" and "Connection refused" in state["ada", "ben"][1]
        assert state["ben", "ada"][0] == "waiting" and "is Postfix running" in state["ben", "ada"][1]
    finally:
        of("ben").run("systemctl start postfix")


def test_help_for_one_touches_no_other(room: Path) -> None:
    others = {name: one for name, one in containers().items() if not name.endswith("-ada")}
    keys = files(room / "learners" / "ben")
    assert told("reset", "ada")["ok"]
    assert of("ada").run("command -v postconf", check=False).returncode, "it is bare"
    assert told("rewind", "ada", "chapter 1, host name")["ok"]
    refused = classroom("rewind", "ada", "chapter 9, none")
    assert refused.returncode == 1 and "There is no step 'chapter 9, none'" in refused.stderr
    assert {name: one for name, one in containers().items() if not name.endswith("-ada")} == others
    assert files(room / "learners" / "ben") == keys
    post = told("post", "--patience", "5", code=1)
    unsent = {one["sender"] for one in post["letters"] if one["state"] == "unsent"}
    arrived = [one for one in post["letters"] if one["state"] == "arrived"]
    assert unsent == {"ada"} and len(arrived) == (len(NAMES) - 1) * (len(NAMES) - 2)


def test_down_leaves_nothing(room: Path) -> None:
    ours, found = f"label=mailroom.lab={names.prefix()}", engine.find()
    assert classroom("down").stdout == "Nothing of the class is left.\n"
    assert not found.run("ps", "--all", "--quiet", "--filter", ours)
    assert not found.run("images", "--all", "--quiet", "--filter", ours)
    assert not found.inspect("network", names.prefix()) and not room.exists()
    assert not list((names.cache() / "apt").glob(f"*/hosts/{names.prefix()}*"))
    gone = classroom("board")
    assert gone.returncode == 2 and "No class is up." in gone.stderr and "make class" in gone.stderr
