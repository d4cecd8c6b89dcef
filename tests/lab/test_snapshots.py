"""Snapshot and rewind: data, services and host keys come back, in seconds."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lab import host
from lab.cli import main

UNIT = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"


@pytest.mark.timed
def test_there_and_back(own_lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "mx1"]) == 0
    key = host("mx1").run("cat /etc/ssh/ssh_host_ed25519_key.pub").stdout
    host("mx1").run("cat > /etc/systemd/system/nap.service; systemctl enable --now nap", stdin=UNIT)
    host("mx1").run("echo one > /root/state")
    assert main(["snapshot", "mx1", "chapter 4, TLS"]) == 0
    assert host("mx1").run("cat /root/state").stdout == "one\n", "the host goes on where it was"

    host("mx1").run("echo two > /root/state; systemctl disable --now nap")
    assert main(["snapshot", "mx1", "chapter 4, SQL"]) == 0
    begun = time.monotonic()
    assert main(["rewind", "mx1", "Chapter 4, TLS"]) == 0
    assert time.monotonic() - begun < 10
    assert host("mx1").run("cat /root/state; systemctl is-active nap").stdout == "one\nactive\n"
    assert host("mx1").run("cat /etc/ssh/ssh_host_ed25519_key.pub").stdout == key
    assert main(["rewind", "mx1", "chapter 4, SQL"]) == 0
    assert host("mx1").run("cat /root/state; systemctl is-active nap", check=False).stdout == "two\ninactive\n"

    capsys.readouterr()
    assert main(["snapshots"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[-1] for line in lines] == ["chapter 4, TLS", "chapter 4, SQL"]

    assert main(["rewind", "mx1", "bare"]) == 0
    assert host("mx1").run("ls /root").stdout == ""
    assert main(["rewind", "mx1", "nothing"]) == 1
    assert "'chapter 4, TLS'" in capsys.readouterr().err


def test_kept_over_down(own_lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "mx1"]) == 0
    host("mx1").run("touch /root/mine")
    for _ in range(2):  # the same title again replaces it
        assert main(["snapshot", "mx1", "evening"]) == 0
    assert main(["down"]) == 0
    assert main(["up", "mx1"]) == 0
    assert host("mx1").run("ls /root").stdout == ""
    assert main(["rewind", "mx1", "evening"]) == 0
    assert host("mx1").run("ls /root").stdout == "mine\n"
    capsys.readouterr()
    assert main(["rm", "mx1"]) == 0
    assert main(["snapshots"]) == 0
    assert capsys.readouterr().out == ""


def test_a_host_may_stay(own_lab: Path) -> None:
    """What runs on it runs on, and the snapshot is as good as another."""
    born = "ps -o lstart= -p 1; cat /run/born"
    assert main(["up", "mx1"]) == 0
    host("mx1").run("echo one > /root/state; cp /proc/sys/kernel/random/uuid /run/born")
    before = host("mx1").run(born).stdout
    assert main(["snapshot", "--stay", "mx1", "noon"]) == 0
    assert host("mx1").run(born).stdout == before
    host("mx1").run("echo two > /root/state")
    assert main(["snapshot", "--stay", "mx1", "later"]) == 0
    for title, state in (("noon", "one\n"), ("later", "two\n")):
        assert main(["rewind", "mx1", title]) == 0
        assert host("mx1").run("cat /root/state").stdout == state
