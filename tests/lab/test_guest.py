"""A lab host behaves like a server: systemd's sandbox holds, names resolve, and nothing gets out."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import Host, host, life, names

OUTSIDE = "192.0.2.77"  # set aside for documentation (RFC 5737): nobody is there
OUTSIDE6 = "2001:db8:ffff::77"  # likewise (RFC 3849)


def in_unit(host: Host, script: str, *properties: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a transient unit with these properties."""
    options = [word for one in properties for word in ("-p", one)]
    command = ["systemd-run", "--quiet", "--wait", "--collect", "--pipe", *options, "sh", "-c", script]
    return host.run(command, check=False)


def test_boots_clean(mx: Host) -> None:
    assert mx.run("systemctl is-system-running").stdout.strip() == "running"
    # but for what other tests asked sshd for: a port at which nobody listens
    errors = mx.run("journalctl --boot --priority err --no-pager --quiet").stdout.splitlines()
    assert [line for line in errors if not re.search(r"sshd.*: connect_to 127\.0\.0\.1 port", line)] == []
    release = mx.run(". /etc/os-release; echo $VERSION_CODENAME").stdout.strip()
    assert release == mx.suite


@pytest.mark.parametrize("suite", names.SUITES)
def test_bare(own_lab: Path, suite: str) -> None:
    """What a deploy needs it must install itself: nothing of it is there by accident."""
    life.up({"mx1": suite}, suite)
    for program in ("python3", "postconf", "doveconf", "psql", "curl"):
        assert host("mx1").run(f"command -v {program}", check=False).stdout == ""


def test_private_tmp(mx: Host) -> None:
    mx.run("touch /tmp/of-the-host")
    assert in_unit(mx, "ls /tmp").stdout.split().count("of-the-host") == 1
    assert "of-the-host" not in in_unit(mx, "ls /tmp", "PrivateTmp=yes").stdout


@pytest.mark.parametrize(("level", "path"), [("yes", "/usr/x"), ("full", "/etc/x"), ("strict", "/var/x")])
def test_protect_system(mx: Host, level: str, path: str) -> None:
    refused = in_unit(mx, f"touch {path}", f"ProtectSystem={level}")
    assert refused.returncode and "Read-only file system" in refused.stderr
    assert in_unit(mx, f"touch {path} && rm {path}").returncode == 0, "refused without it too"


def test_dynamic_user_and_protect_home(mx: Host) -> None:
    assert in_unit(mx, "id -u", "DynamicUser=yes").stdout.strip() not in ("", "0")
    assert in_unit(mx, "ls /root/.ssh/authorized_keys", "ProtectHome=yes").returncode


def test_names_both_ways(mx: Host, client: Host) -> None:
    assert mx.run("hostname --fqdn").stdout.strip() == "mx1.example.test"
    assert client.run("hostname --fqdn").stdout.strip() == "client.example.net"
    for here in (mx, client):
        for there in (mx, client):
            for name in (there.name, there.fqdn):
                for family, address in (("ahostsv4", there.address), ("ahostsv6", there.address6)):
                    assert not address or here.run(["getent", family, name]).stdout.split()[0] == address
            for address in filter(None, (there.address, there.address6)):
                assert here.run(["getent", "hosts", address]).stdout.split()[1] == there.fqdn


def test_each_has_its_own_host_key_and_machine_id(mx: Host, client: Host) -> None:
    for file in ("/etc/ssh/ssh_host_ed25519_key.pub", "/etc/machine-id"):
        assert mx.run(["cat", file]).stdout.strip() != client.run(["cat", file]).stdout.strip() != ""


def test_sealed(mx: Host) -> None:
    refused = mx.run(["ip", "route", "get", OUTSIDE], check=False)
    assert "unreachable" in refused.stdout + refused.stderr or "No route" in refused.stderr
    for outside in (OUTSIDE, OUTSIDE6):
        said = mx.run(f"timeout 5 bash -c 'echo > /dev/tcp/{outside}/80'", check=False).stderr
        assert "No route to host" in said or "Network is unreachable" in said or "Cannot assign" in said
    assert mx.run("ip -6 route | grep -v '^unreachable' | grep default", check=False).stdout == ""
    assert mx.run("getent ahosts example.org", check=False).returncode


def test_mirror_works_on_two_hosts_at_once(mx: Host, client: Host) -> None:
    """They share what they download, and apt's locks do not get in the way."""
    install = "apt-get update -q && apt-get install -q --yes --no-install-recommends netcat-openbsd"
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda host: host.run(install, check=False), (mx, client)))
    assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]


def test_hosts_talk_to_each_other(mx: Host, client: Host) -> None:
    greeting = client.run(f"timeout 5 bash -c 'read -r line < /dev/tcp/{mx.fqdn}/22; echo $line'")
    assert greeting.stdout.startswith("SSH-2.0-")


def test_run_keeps_output_apart(mx: Host) -> None:
    done = mx.run("cat; echo no >&2; exit 3", stdin="yes", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "yes", "no\n")
    with pytest.raises(subprocess.CalledProcessError):
        mx.run("false")
    with pytest.raises(subprocess.TimeoutExpired):
        mx.run("sleep 5", timeout=0.3)


@pytest.mark.parametrize("lines", [0, 1_000_000])
def test_a_command_that_goes_on_is_no_success(mx: Host, lines: int) -> None:
    """It reads nothing, and has closed what it could say; and one that ends without reading has not failed."""
    stdin = "a line\n" * lines
    with pytest.raises(subprocess.TimeoutExpired):
        mx.run("exec >&- 2>&-; sleep 5", stdin=stdin, timeout=0.5)
    assert mx.run("echo yes", stdin=stdin).stdout == "yes\n"


def test_who_hung_up_is_said(mx: Host) -> None:
    """A command that a signal ended has failed; a connection that ended is the host's."""
    with pytest.raises(subprocess.CalledProcessError):
        mx.run("kill -KILL $$")
    assert mx.run("echo so far; kill -KILL $$", check=False).stdout == "so far\n"
    its_connection = "kill -KILL $(ps -o ppid= -p $$); sleep 5"
    for stdin in ("", "a line\n" * 1_000_000):
        with pytest.raises(ConnectionError, match="mx1 hung up before this ended"):
            mx.run(its_connection, stdin=stdin)
        assert mx.run(its_connection, stdin=stdin, check=False).returncode < 0
    assert mx.run("echo again").stdout == "again\n"


def test_no_answer_is_said_with_the_hosts_name(mx: Host, tmp_path: Path) -> None:
    """Nothing listens on the first port, and on the second a program hangs up before it has said who it is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = Host("mx1", mx.record | {"ssh_port": listener.getsockname()[1]}, mx.folder)
        hanging_up = threading.Thread(target=lambda: listener.accept()[0].close())
        hanging_up.start()
        with pytest.raises(ConnectionError, match="mx1 does not answer by SSH"):
            nobody.run("true")
        hanging_up.join()
    with pytest.raises(ConnectionError, match=r"mx1 does not answer by SSH: .*refused"):
        nobody.run("true")
    with pytest.raises(FileNotFoundError):  # of this machine, which is no host's fault
        Host("mx1", mx.record, tmp_path).run("true")
