"""Up, down, and what a killed run left: the lab finds its way from any state."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from lab import Host, LabDown, LabError, aptcache, engine, host, hosts, life, load, names, network, state
from lab.cli import main


def containers() -> list[str]:
    found = engine.find().run("ps", "--all", "--format", "{{.Names}}").split()
    return sorted(name for name in found if name.startswith(names.prefix()))


@pytest.mark.timed
def test_up_and_down(own_lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up"]) == 0
    assert "mx1.example.test" in capsys.readouterr().out
    assert list(load()["hosts"]) == ["mx1", "client"]
    for name in ("id_ed25519", "accounts.json", "secrets.json"):
        assert stat.S_IMODE((own_lab / name).stat().st_mode) == 0o600
    secrets = [(own_lab / name).read_text() for name in ("accounts.json", "secrets.json")]

    host("mx1").run("touch /root/mine")
    begun = time.monotonic()
    assert main(["up"]) == 0
    assert time.monotonic() - begun < 1.5, "up when up should cost about a second at most"
    assert host("mx1").run("ls /root/mine").returncode == 0

    assert main(["down"]) == 0
    assert containers() == []
    assert not engine.find().inspect("network", names.prefix())
    assert names.prefix() not in Path("/proc/mounts").read_text()
    assert not list((names.cache() / "apt").glob(f"*/hosts/{names.prefix()}*"))
    assert sorted(p.name for p in own_lab.iterdir() if p.suffix != ".json") == ["id_ed25519", "id_ed25519.pub", "lock"]
    assert secrets == [(own_lab / name).read_text() for name in ("accounts.json", "secrets.json")]
    with pytest.raises(LabDown, match="make up"):
        load()
    assert main(["down"]) == 0


def test_ssh_config_works_from_anywhere(own_lab: Path, tmp_path: Path) -> None:
    assert main(["up", "mx1"]) == 0
    command = ["ssh", "-F", str(own_lab / "ssh_config"), "mx1", "hostname"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "mx1.example.test\n", "")


def test_what_a_killed_run_left_is_adopted(own_lab: Path) -> None:
    assert main(["up"]) == 0
    host("mx1").run("touch /root/mine")
    key = host("mx1").run("cat /etc/ssh/ssh_host_ed25519_key.pub").stdout
    # killed: a host stopped, the lab's description not written
    engine.find().run("stop", "--time", "0", hosts.container("mx1"))
    with pytest.raises(LabDown, match="mx1 does not answer"):
        load()
    (own_lab / "lab.json").unlink()
    assert main(["up"]) == 0
    assert host("mx1").run("ls /root/mine").returncode == 0
    assert host("mx1").run("cat /etc/ssh/ssh_host_ed25519_key.pub").stdout == key


def test_what_a_lost_folder_left_is_removed(own_lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "mx1"]) == 0
    shutil.rmtree(own_lab)  # as when a checkout is deleted and cloned again
    assert main(["up", "mx1"]) == 0
    assert "files are gone" in capsys.readouterr().err
    host("mx1").run("true")
    shutil.rmtree(own_lab)
    assert main(["down"]) == 0
    assert containers() == []


def test_another_suite_is_refused_or_rebuilds_just_that_host(
    own_lab: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAB_SUITE", raising=False)
    assert main(["up"]) == 0
    for one in ("mx1", "client"):
        host(one).run("touch /root/mine")
    monkeypatch.setenv("LAB_SUITE", "bookworm")
    assert main(["up"]) == 1
    said = capsys.readouterr().err
    assert "mx1 is trixie, and bookworm was asked for" in said and "nothing was changed" in said and "--rebuild" in said
    host("mx1").run("ls /root/mine")
    assert main(["up", "--rebuild"]) == 0
    assert "rebuilding just this host" in capsys.readouterr().err
    assert [one["suite"] for one in load()["hosts"].values()] == ["bookworm", "trixie"]
    host("client").run("ls /root/mine")
    # not asked for anything: what is there stays
    monkeypatch.delenv("LAB_SUITE")
    assert main(["up"]) == 0
    assert load()["suite"] == "bookworm"


def test_another_role_is_refused_or_rebuilds_just_that_host(own_lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", "vps"]) == 0
    assert main(["add", "vps", "--role", "mail"]) == 1
    assert "vps is client, and mail was asked for" in capsys.readouterr().err
    assert main(["add", "vps", "--role", "mail", "--rebuild"]) == 0
    vps = load()["hosts"]["vps"]
    assert (vps["role"], vps["fqdn"]) == ("mail", "vps.example.test") and "993" in vps["ports"]
    assert host("vps").run("hostname -f").stdout.strip() == "vps.example.test"


def test_a_host_more_and_less(own_lab: Path) -> None:
    assert main(["up", "mx1"]) == 0
    assert main(["add", "ada", "--role", "mail"]) == 0
    assert main(["add", "mx2"]) == 0
    roles = {name: (one["fqdn"], one["role"]) for name, one in load()["hosts"].items()}
    assert roles["ada"] == ("ada.example.test", "mail")
    assert host("mx1").run("getent ahostsv4 ada").stdout.split()[0] == host("ada").address
    assert main(["rm", "ada"]) == 0
    assert "ada" not in load()["hosts"]
    assert host("mx1").run("getent hosts ada", check=False).returncode
    host("mx2").run("true")


def test_a_host_less_leaves_the_others_alone(own_lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One runs on, and one that was stopped stays so; the mirror has moved, which is no business of theirs now."""
    assert main(["up", "mx1", "ada", "bob"]) == 0
    engine.find().run("stop", "--time", "0", hosts.container("bob"))
    alike = "ip route; systemctl show -P ActiveEnterTimestampMonotonic mailroom-seal"
    records = {one["name"]: one for one in state.described()}
    mx1 = Host("mx1", records["mx1"])
    before = mx1.run(alike).stdout
    monkeypatch.setattr(network, "resolve", lambda name: ["203.0.113.200"])
    assert main(["rm", "ada"]) == 0
    assert not hosts.find_all(engine.find())["bob"].running
    assert mx1.run(alike).stdout == before
    assert mx1.run("getent hosts ada", check=False).returncode and mx1.run("getent hosts bob").stdout
    assert state.described() == [records["mx1"], records["bob"]]
    assert "ada" not in (own_lab / "ssh_config").read_text()
    assert len((own_lab / "known_hosts").read_text().splitlines()) == 2
    monkeypatch.undo()
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(own_lab))
    assert main(["up"]) == 0  # now bob is started again
    host("bob").run("getent hosts mx1 client && ! getent hosts ada")


def test_reboot_keeps_data_and_seal(own_lab: Path) -> None:
    assert main(["up", "mx1"]) == 0
    guest = host("mx1")
    before = guest.run("touch /root/mine; ip route").stdout
    started = guest.run("ps -o lstart= -p 1").stdout
    guest.run("systemctl reboot", check=False)
    deadline = time.monotonic() + 30
    now = started
    while now == started and time.monotonic() < deadline:
        time.sleep(0.2)
        with suppress(OSError):  # it is away for a moment
            # on its way down it ends commands, too
            now = (
                guest.run("systemctl is-system-running --wait >/dev/null; ps -o lstart= -p 1", check=False).stdout
                or now
            )
    assert now != started
    assert guest.run("ls /root/mine; ip route").stdout == "/root/mine\n" + before


def test_second_command_waits_for_the_first(own_lab: Path) -> None:
    command = [sys.executable, "-m", "lab", "up"]
    both = [subprocess.Popen(command, cwd=names.ROOT, env=os.environ, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [one.wait(120) for one in both] == [0, 0]
    assert len(containers()) == 2


def test_two_labs_at_once_take_no_port_from_each_other(own_lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both begin to look for free ports at the same number."""
    first = names.ports()[0]
    for number in itertools.count():
        monkeypatch.setenv("MAILROOM_LAB_DIR", other := f"{own_lab}-{number}")
        if names.ports()[0] == first:
            break
    command = [sys.executable, "-m", "lab", "up", "mx1", "client"]
    places = [os.environ | {"MAILROOM_LAB_DIR": folder} for folder in (str(own_lab), other)]
    try:
        both = [subprocess.Popen(command, cwd=names.ROOT, env=one, stdout=subprocess.DEVNULL) for one in places]
        assert [one.wait(120) for one in both] == [0, 0]
    finally:
        life.purge()


def test_new_mirror_address_reaches_running_hosts(own_lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["up", "mx1"]) == 0
    monkeypatch.setattr(network, "resolve", lambda name: ["203.0.113.200"])
    assert main(["up", "mx1"]) == 0
    routes = host("mx1").run("ip route").stdout
    assert "203.0.113.200 via" in routes and "unreachable default" in routes


def test_packages_are_downloaded_once(own_lab: Path) -> None:
    assert main(["up", "mx1"]) == 0
    host("mx1").run("apt-get install -q --yes --download-only whois")
    assert main(["up", "mx1", "client"]) == 0  # collects, then fills the new host's folder
    suite = load()["suite"]
    assert list(aptcache.pool(suite).glob("whois_*.deb"))
    assert "whois_" in host("client").run("ls /var/cache/apt/archives").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["up", "Bad_Name"], "a letter first"),
        (["up", "mx1:sid"], "trixie, bookworm"),
        (["rm", "nobody"], "no host 'nobody'"),
        (["list"], "No lab is up"),
    ],
)
def test_refusals_say_what_to_do(
    own_lab: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert says in capsys.readouterr().err
    assert containers() == []


def test_distclean_spares_the_caches_of_a_living_lab(own_lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["up", "mx1"]) == 0
    monkeypatch.setenv("MAILROOM_LAB_DIR", f"{own_lab}-another")
    life.distclean()
    assert names.cache().exists()
    with pytest.raises(LabError):
        state.load()
