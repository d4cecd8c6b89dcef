"""What the runbook starts has an end: its process for pyinfra, a dialogue, a bridge, a question that has no answer."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.clients import tls
from checks.engine import inventory
from notebooks.workbench.host import commands, remote, snapshots, where, worker
from notebooks.workbench.message import passport
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady, Trouble
from notebooks.workbench.step import plans
from notebooks.workbench.talk import connection, protocols

SERVER = """{name!r}, {{"mail_hostname": {name!r} + ".example.org", "ssh_hostname": "192.0.2.{number}", "mail_domains": ["example.org"],
    "mail_users": [{{"email": "foo@example.org", "name": "Foo"}}]}}"""


@pytest.fixture
def two_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An inventory with two servers that are not of the lab, and no process of pyinfra's yet; none is left."""
    servers = ", ".join(f"({SERVER.format(name=name, number=n)})" for n, name in enumerate(("mail", "backup"), 1))
    (tmp_path / "own.py").write_text(f"mail = [{servers}]\n")
    monkeypatch.setenv("MAILROOM_INVENTORY", str(tmp_path / "own.py"))
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(tmp_path))
    monkeypatch.setattr(where, "_now", [])
    monkeypatch.setattr(worker, "_now", [])
    yield
    for one in worker._now:
        one.end()


def begun() -> worker.Worker:
    worker._now.append(worker.Worker())
    return worker._now[0]


def test_a_process_that_has_died_is_replaced(two_servers: None) -> None:
    first = begun()
    os.kill(first.process.pid, signal.SIGKILL)
    assert where.use("backup").name == "backup" and worker._now[0] is not first
    assert first.process.returncode == -signal.SIGKILL, "a zombie is left"
    worker._now[0].pipe.close()  # it lives, and hears nothing any more
    assert where.use("mail").name == "mail"


def test_a_process_that_dies_at_work_is_told_and_the_next_question_is_answered(two_servers: None) -> None:
    killed: list[worker.Worker] = []

    def kill() -> None:
        killed.append(worker._now[0])
        os.kill(killed[0].process.pid, signal.SIGKILL)

    with pytest.raises(worker.Refused, match="has ended"):
        worker.ask("describe", tick=kill, host="mail")
    assert killed[0].process.returncode == -signal.SIGKILL and not worker._now
    assert where.use("mail").name == "mail"


def test_a_process_that_hangs_is_ended(two_servers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hears no signal, as one that is stuck in a system call. A learner who presses stop must not wait for it for ever."""
    monkeypatch.setattr(worker, "PATIENCE", 0.5)
    first, since = begun(), time.monotonic()
    os.kill(first.process.pid, signal.SIGSTOP)

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.ask("describe", tick=stop, host="mail")
    assert first.process.returncode == -signal.SIGKILL and time.monotonic() - since < 5


def test_an_answer_that_was_not_heard_is_no_answer_to_the_next_question(two_servers: None) -> None:
    def broken() -> None:
        raise ValueError("the picture of how far it is")

    with pytest.raises(ValueError, match="the picture"):
        worker.ask("describe", tick=broken, host="mail")
    assert where.use("backup").name == "backup"


def test_a_command_may_go_to_any_host_of_the_inventory(two_servers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(where, "_now", [where.Place("mail", inventory.server("mail").data, {}, [], ["mail", "backup"])])

    def execute(_: str, on: str) -> remote.Done:
        asked.append(on)
        return remote.Done(0, "", "")

    monkeypatch.setattr(remote, "execute", execute)
    commands.run("true", on="backup")
    commands.run("true")
    assert asked == ["backup", ""]
    with pytest.raises(NotReady, match=r"There are: mail, backup\."):
        commands.run("true", on="mx9")
    here = where.place()
    assert "192.0.2.2" in remote._config(here, "backup").read_text()
    assert "192.0.2.1" in remote._config(here, "mail").read_text()


@pytest.fixture
def hatch(tmp_path: Path) -> Iterator[tuple[socket.socket, subprocess.Popen[bytes]]]:
    """Dovecot's end of a hatch, and the bridge that has come to it, as it runs on a host."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "hatch"))
        listener.listen()
        command = ["sh", "-c", f"perl -e '{protocols.BRIDGE}' {tmp_path / 'hatch'}"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        other, _ = listener.accept()
        other.settimeout(5)
        yield other, process
        os.killpg(process.pid, signal.SIGKILL) if alive(process.pid) else None
        process.communicate()


def alive(group: int) -> list[str]:
    """The processes of a group that still run."""
    found = subprocess.run(["ps", "-o", "stat=,pid=", "-g", str(group)], capture_output=True, text=True).stdout
    return [line for line in found.splitlines() if not line.startswith("Z")]


def gone(group: int) -> bool:
    end = time.monotonic() + 5
    while alive(group) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(group)


def test_a_bridge_carries_both_ways_and_ends_with_dovecot(hatch: tuple[socket.socket, subprocess.Popen[bytes]]) -> None:
    other, process = hatch
    assert process.stdin and process.stdout
    other.sendall(b"220 ready\r\n")
    assert process.stdout.readline() == b"220 ready\r\n"
    process.stdin.write(b"LHLO here\r\n")
    process.stdin.flush()
    assert other.recv(99) == b"LHLO here\r\n"
    other.close()
    assert gone(process.pid)


def test_a_bridge_ends_with_its_reader(hatch: tuple[socket.socket, subprocess.Popen[bytes]]) -> None:
    other, process = hatch
    assert process.stdin
    process.stdin.close()
    process.stdin = None  # for communicate()
    assert gone(process.pid) and other.recv(99) == b""


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(errno.EHOSTUNREACH, "No route to host"), "No route to host"),  # and no [Errno 113]
        (ssl.SSLError("record layer failure"), "('record layer failure',)"),
    ],
)
def test_a_dialogue_that_breaks_off_says_so(error: OSError, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "masked", lambda text: text)
    ours, theirs = socket.socketpair()
    with theirs, connection.spoken(connection.Line(connection.Dialogue("IMAP"), ours)) as line:
        raise error
    assert line.dialogue.said == [("note", f"the connection broke off: {why}")]
    assert ours.fileno() == -1


def test_a_tls_that_cannot_be_agreed_on_ends_a_dialogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "masked", lambda text: text)

    def unreachable(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(tls, "careful", unreachable)
    ours, theirs = socket.socketpair()
    with theirs, connection.spoken(connection.Line(connection.Dialogue("IMAP"), ours, target=object())) as line:  # type: ignore[arg-type]
        line.secure()
    assert "Network is unreachable" in str(line.dialogue)


@pytest.mark.parametrize("nothing", ["", "  ", "two words"])
def test_what_no_letter_is_called_is_not_waited_for(nothing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, "place", lambda: pytest.fail("the host was asked"))
    with pytest.raises(Trouble, match="neither a Message-ID"):
        passport.passport(nothing)


def test_nothing_is_no_empty_line() -> None:
    """An empty <pre> is as high as a line."""
    dialogue = connection.Dialogue("SMTP")
    dialogue.said = [("you", ""), ("server", "500 what?")]
    same = plans.drawn({"what": "a file", "before": "x", "after": "x\n"})
    shown = [html.Text("").body(), html.Text("", "title").body(), dialogue.body(), same, html.details("more", "")]
    assert not [one for one in shown if re.search(r"<pre>\s*</pre>", one)] and "500 what?" in dialogue.body()


# stands for `python -m lab rewind`: it says something when nobody may be there to hear it, and more than a pipe holds
LAB = "#!/bin/sh\nsleep 0.5; seq 50000; echo the end; touch {done}; exit 3\n"
KERNEL = """import os, sys
from notebooks.workbench.host import snapshots
sys.executable = sys.argv[1]
snapshots.lab("rewind", "mx1", "bare")
os._exit(0)"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(tmp_path))
    program = tmp_path / "lab"
    program.write_text(LAB.format(done=tmp_path / "done"))
    program.chmod(0o755)
    return program


def test_the_lab_ends_what_a_kernel_began_that_is_gone(lab: Path) -> None:
    subprocess.run([sys.executable, "-c", KERNEL, str(lab)], cwd=inventory.ROOT, check=True)
    end = time.monotonic() + 5
    while not (done := lab.with_name("done").exists()) and time.monotonic() < end:
        time.sleep(0.05)
    assert done


@pytest.mark.timeout(20)
def test_the_lab_may_say_much(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(lab))
    said = snapshots.do("rewinding mx1", "rewind", "mx1", "bare")
    assert said and said.endswith("50000\nthe end") and not snapshots._running
    lab.write_text("#!/bin/sh\necho mx1 is back\n")
    assert snapshots.do("rewinding mx1", "rewind", "mx1", "bare") is None


def test_what_could_not_be_kept_is_still_outdated(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the next settled() would take another walk's for it, and keep nothing."""
    monkeypatch.setattr(sys, "executable", str(lab))
    monkeypatch.setattr(snapshots, "outdated", {"chapter 4"})
    for ends, left in (("exit 1", {"chapter 4"}), ("exit 0", set())):
        lab.write_text(f"#!/bin/sh\n{ends}\n")
        snapshots.keep("mx1", "chapter 4")
        snapshots.wait()
        assert snapshots.outdated == left
