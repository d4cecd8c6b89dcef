"""`python -m deploys` where no host can be reached: what is said of which host, and how it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@contextmanager
def run(inventory: Path, hosts: Any, **environment: str) -> Iterator[subprocess.Popen[str]]:
    inventory.write_text(f"mail = {hosts}\n")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MAILROOM")}
    with subprocess.Popen(
        [sys.executable, "-m", "deploys", "dovecot"],
        cwd=ROOT, env=kept | {"MAILROOM_INVENTORY": str(inventory)} | environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        yield process


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said = process.communicate(timeout=60)[0]
    if named := re.search(r"^All that pyinfra said: (\S+)$", said, re.MULTILINE):
        (ROOT / named[1]).unlink()
    assert named and "Traceback" not in said, said
    return process.returncode, said


@pytest.fixture
def busy() -> Iterator[int]:
    """A port that takes a connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_each_host_has_its_own_reasons(tmp_path: Path) -> None:
    """On a terminal without our signs, too."""
    away = ("a.example.test", {"ssh_hostname": "127.0.0.1", "ssh_port": 1})
    wrong: tuple[str, dict[str, object]] = ("@local", {"mail_alias": {}})
    with run(tmp_path / "own.py", [away, wrong], PYTHONIOENCODING="ascii") as process:
        code, said = ended(process)
    assert code == 1
    parts = re.split(r"^\? .* was not run on (\S+);", said, flags=re.MULTILINE)[1:]
    told = dict(zip(parts[::2], parts[1::2], strict=True))
    assert "Could not connect" in told["a.example.test"] and "no knob" not in told["a.example.test"]
    assert "no knob 'mail_alias'" in told["@local"] and "Could not connect" not in told["@local"]


@pytest.mark.parametrize(
    ("text", "why"),
    [("[]", "It has no host"), ("[x]", "NameError: name 'x' is not defined")],
)
def test_an_inventory_without_a_host_or_with_a_slip_is_named(text: str, why: str, tmp_path: Path) -> None:
    with run(tmp_path / "own.py", text) as process:
        code, said = ended(process)
    flat = " ".join(said.split())
    assert code == 1 and f"Why: {why}" in flat and "was not run; nothing was changed Where: the inventory, " in flat


@pytest.mark.parametrize("later", [0, 0.012, 0.1])
def test_a_run_that_is_stopped_says_so_and_no_more(later: float, tmp_path: Path, busy: int) -> None:
    """Also in the moment in which it is about to connect, when another greenlet than the main one runs."""
    hosts = [("a.example.test", {"ssh_hostname": "127.0.0.1", "ssh_port": busy})]
    with run(tmp_path / "own.py", hosts, PYTHONUNBUFFERED="1") as process:
        assert process.stdout and "a.example.test" in process.stdout.readline()
        time.sleep(later)
        process.send_signal(signal.SIGINT)
        code, said = ended(process)
    assert code == 130 and "Stopped. The host may still be busy" in said and "KeyboardInterrupt" not in said


# three operations of two steps, on a host that stops at the second
SCRIPT = """
import sys
from types import SimpleNamespace
from deploys.__main__ import Console, Steps, told
console, host = Console(width=80), type("Host", (), {"name": "mx2"})()
names = {"1": "Chapter 1: TLS | a", "2": "Chapter 2: roles | b", "3": "Chapter 2: tables | c"}
state = SimpleNamespace(
    op_meta={key: SimpleNamespace(names={name}) for key, name in names.items()},
    ops={}, inventory=SimpleNamespace(get_active_hosts=lambda: []),
)
with console.status("") as status:
    steps = Steps(console, status)
    for key in names:
        steps.operation_start(state, key)
        if key < "3":
            steps.operation_host_start(state, host, key)
        if key == "2" and "fails" in sys.argv:
            steps.operation_host_error(state, host, key)
        steps.operation_end(state, key)
    steps.end()
told(console, state, host, steps, "deploys/dovecot.py", ["the connection was lost"])
"""


@pytest.mark.parametrize("how", ["fails", "is away"])
def test_a_host_that_stops_in_the_middle_is_told_by_its_operation(how: str) -> None:
    """The others go on, and their steps have a line. A reading that gets no answer is no operation that fails."""
    words = [sys.executable, "-c", SCRIPT, how]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert ("  Chapter 2: roles  " in said) is (how != "fails")
    assert re.findall(r"^  Chapter 1: TLS|^  Chapter 2: tables", said, re.MULTILINE) == [
        "  Chapter 1: TLS",
        "  Chapter 2: tables",
    ]
    assert "✖ b\n  Where: mx2, Chapter 2: roles" in said and "nothing was changed" not in said


@pytest.mark.parametrize("error", ["EOFError()", "paramiko.SSHException('SSH session not active')"])
def test_a_connection_that_is_lost_is_no_error_of_ours(error: str, tmp_path: Path) -> None:
    """paramiko says so to whoever opens a channel then, and pyinfra hands it on."""
    (tmp_path / "own.py").write_text('mail = ["a.example.test"]\n')
    script = f"""
import sys
from deploys import __main__ as program
import paramiko
def execute(*given):
    raise {error}
program.execute = execute
sys.exit(program.run("dovecot", program.Console(width=80), program.Said(program.Path("{tmp_path}/log"), program.Console())))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, env=os.environ | {"MAILROOM_INVENTORY": str(tmp_path / "own.py")}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1 and "the connection to a host was lost" in done.stdout, done.stderr
    assert "report" not in done.stdout and "Why:   " in done.stdout


GOES_ON = """
import logging
from deploys import __main__ as program
said = program.Said(program.Path("{log}"), program.Console(width=80))
said.prefixes = {{"[mx1] ": "mx1"}}
for level, line in (("ERROR", "the authority says no"), ("ERROR", "the old one serves"), ("WARNING", "Error (ignored): x")):
    said.emit(logging.LogRecord("", getattr(logging, level), "", 0, f"[mx1] {{line}}", None, None))
print(said.errors)
"""


def test_why_something_failed_is_told_also_where_the_run_goes_on(tmp_path: Path) -> None:
    words = [sys.executable, "-c", GOES_ON.format(log=tmp_path / "log")]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == ["  ! the authority says no", "  ! the old one serves", "[]"]
