"""Chapter 5 without a host: what each operation sees, what the small programs of `learning` do with a message."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploys.chapters import sieve
from deploys.knobs import read
from deploys.platforms import PLATFORMS
from deploys.texts import render
from facts.mail_host import File, MailHost
from operations import accounts, clock, postfix
from operations import sieve as scripts
from operations.sieve import signed

ASK = Callable[..., list[str]]
LMTP = sieve.TRANSPORT


def file(text: str = "", mtime: float = 100.0, mode: str = "644") -> File:
    import hashlib

    return File(mode, "root", "root", mtime, "regular file", hashlib.sha256(text.encode()).hexdigest(), text)


def test_every_step_refuses_a_system_that_it_was_not_built_for() -> None:
    known: Any = None
    for step in sieve.STEPS:
        (problem,) = step.fit(MailHost(), known, PLATFORMS["rocky", "9"])
        assert "chapter 5 has not been built for Rocky Linux 9" in problem
    assert sieve.unfit(MailHost(), known, PLATFORMS["debian", "12"]) == []


@pytest.mark.parametrize(
    ("knob", "value", "word"),
    [
        ("time_sources", "ntp.example.org", "list"),
        ("time_sources", ["-4 example.org"], "neither a host name"),
        ("time_sources", ["ntp.example.org iburst\nmakestep 1 -1"], "neither a host name"),
        ("mail_debug", "maybe", "True or False"),
    ],
)
def test_a_wrong_knob_is_refused(knob: str, value: Any, word: str) -> None:
    (problem,) = read({knob: value})[1][knob]
    assert knob in problem and word in problem


def test_right_knobs() -> None:
    assert read({"time_sources": ["ntp.example.org", "192.0.2.1", "2001:db8::1"]})[1] == {}


def bookkeeper(**rows: str) -> MailHost:
    domains = {name: {"domain": name, "transport": transport} for name, transport in rows.items()}
    return MailHost(sql={"tables": {"users": {}}, "transports": domains})


def test_only_chapter_2s_transport_is_changed(ask: ASK) -> None:
    there = bookkeeper(ours="virtual:", other="virtual:", relayed="smtp:[192.0.2.1]", done=LMTP)
    given = {"transport": LMTP, "instead_of": "virtual:"}
    (command,) = ask(there, accounts.transports, ["ours", "relayed", "done", "new"], **given)
    assert f"SET transport = '{LMTP}' WHERE domain = 'ours'" in command
    assert command.count("UPDATE") == 1
    assert ask(bookkeeper(ours=LMTP), accounts.transports, ["ours"], **given) == []
    # and chapter 2, run again, leaves it alone
    assert ask(bookkeeper(ours=LMTP), accounts.transports, ["ours"], "virtual:") == []


def test_the_client_of_master_cf(ask: ASK) -> None:
    given = {"service": "lmtp/unix", "process_limit": "10", "flags": "O"}
    stock = MailHost(master_cf={"lmtp/unix": "lmtp unix - - y - - lmtp -o syslog_name=x"})
    (command,) = ask(stock, postfix.columns, **given)
    assert "lmtp/unix/process_limit=10" in command and "lmtp flags=O -o syslog_name=x" in command
    for right in ("lmtp flags=O", "lmtp flags=O -o syslog_name=x", "lmtp -o syslog_name=x flags=O"):
        assert ask(MailHost(master_cf={"lmtp/unix": f"lmtp unix - - y - 10 {right}"}), postfix.columns, **given) == []
    assert (
        len(ask(MailHost(master_cf={"lmtp/unix": "lmtp unix - - y - 10 lmtp flags=DO"}), postfix.columns, **given)) == 1
    )


def test_the_master_wakes_a_service(ask: ASK) -> None:
    given = {"service": "qmgr/unix", "seconds": 5}
    (command,) = ask(MailHost(master_cf={"qmgr/unix": "qmgr unix n - n 300 1 qmgr"}), postfix.wakeup, **given)
    assert "-F qmgr/unix/wakeup=5" in command
    assert ask(MailHost(master_cf={"qmgr/unix": "qmgr unix n - n 5 1 qmgr -o x=y"}), postfix.wakeup, **given) == []


def compiled(text: str, version: tuple[int, ...], source: float = 100.0, binary: float = 101.0) -> MailHost:
    files = {"/s/a.sieve": file(signed(text, version), source), "/s/a.svbin": file(mtime=binary)}
    return MailHost(dovecot=version, files=files)


def test_a_script_is_compiled_when_it_has_to_be(ask: ASK) -> None:
    there = compiled("keep;", (2, 4, 1))
    assert ask(there, scripts.script, "/s/a.sieve", "keep;") == []
    assert len(ask(there, scripts.script, "/s/a.sieve", "discard;")) == 1
    assert len(ask(compiled("keep;", (2, 4, 1), binary=99.0), scripts.script, "/s/a.sieve", "keep;")) == 1
    del there.files["/s/a.svbin"]
    assert len(ask(there, scripts.script, "/s/a.sieve", "keep;")) == 1
    upgraded = compiled("keep;", (2, 3, 19))
    upgraded.dovecot = (2, 4, 1)  # another Dovecot does not read what this one's sievec wrote
    assert len(ask(upgraded, scripts.script, "/s/a.sieve", "keep;")) == 1


STOCK = "pool 2.debian.pool.ntp.org iburst\nsourcedir /run/chrony-dhcp\nsourcedir /etc/chrony/sources.d\nmakestep 1 3\n"


def test_chosen_sources_replace_the_distributions(ask: ASK) -> None:
    conf, sources = ask(MailHost(files={clock.CONF: file(STOCK)}), clock.sources, ("ntp.example.org",))
    assert "#mailroom# pool" in conf and "#mailroom# sourcedir /run" in conf and "\nsourcedir /etc" in conf
    assert "server ntp.example.org iburst" in sources
    off = clock.without_others(STOCK, True)
    there = MailHost(files={clock.CONF: file(off), clock.SOURCES: file("server ntp.example.org iburst\n")})
    assert ask(there, clock.sources, ("ntp.example.org",)) == []
    assert clock.without_others(off, True) == off and clock.without_others(off, False) == STOCK
    conf, sources = ask(there, clock.sources, ())
    assert "#mailroom#" not in conf and "rm -f" in sources
    assert ask(MailHost(files={clock.CONF: file(STOCK)}), clock.sources, ()) == []


@pytest.mark.parametrize(
    ("capabilities", "watches"), [("00000000802415fb", True), ("000001ffffffffff", False), ("", False)]
)
def test_a_container_does_not_set_its_clock(ask: ASK, capabilities: str, watches: bool) -> None:
    there = MailHost(system={"capabilities": capabilities})
    assert len(ask(there, clock.adjustment)) == watches
    there.files[clock.DROP_IN] = file(clock.WATCH_ONLY)
    assert len(ask(there, clock.adjustment)) == (not watches)


def test_nothing_beside_chrony(ask: ASK) -> None:
    """A job of the operator's is named and stays."""
    jobs = {"clock_jobs": "/etc/crontab /etc/cron.daily/ntpdate"}
    assert ask(MailHost(system=jobs, files={clock.CONF: file(STOCK)}), clock.sources, ()) == []


def program(tmp_path: Path, name: str) -> Path:
    """A program of `learning` with its spool in a folder of the test's."""
    for kind in ("new", "spam", "ham"):
        (tmp_path / kind).mkdir(exist_ok=True)
    path = tmp_path / "program"
    path.write_text(render(Path(name), {}).replace(sieve.SPOOL, str(tmp_path)))
    return path


def test_dovecot_drops_a_message_into_the_spool(tmp_path: Path) -> None:
    pipe = program(tmp_path, "sieve/mailroom-learn.sh")
    for kind, text, code in (
        ("ham", b"y", 0),
        ("spam", b"y", 0),
        ("spam", b"y", 0),
        ("ham", b"z", 0),
        ("../spam", b"z", 64),
    ):
        done = subprocess.run(["sh", str(pipe), kind], input=b"Subject: x\r\n\r\n" + text + b"\r\n")
        assert done.returncode == code
    (message,) = (tmp_path / "spam").iterdir()
    assert message.read_bytes() == b"Subject: x\r\n\r\ny\r\n" and message.stat().st_mode & 0o777 == 0o640
    assert len(list((tmp_path / "ham").iterdir())) == 1, "the last word about y was spam"
    assert not list((tmp_path / "new").iterdir())


@pytest.mark.parametrize(("code", "left"), [(0, 0), (13, 2)])
def test_what_cannot_be_learned_stays(tmp_path: Path, code: int, left: int) -> None:
    learn = program(tmp_path, "sieve/learn.sh")
    fake = tmp_path / "bin" / "sa-learn"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\necho "$@"\nexit {code}\n')
    fake.chmod(0o755)
    for name in ("a", "b"):
        (tmp_path / "ham" / name).write_text("Subject: x\n\ny\n")
    path = f"{fake.parent}:{os.environ['PATH']}"
    done = subprocess.run(["sh", str(learn)], env={"PATH": path}, capture_output=True, text=True)
    assert len(list((tmp_path / "ham").iterdir())) == left
    assert "--ham" in done.stdout and "--spam" not in done.stdout
    assert (done.returncode, "2 messages stay" in done.stderr) == ((1, True) if left else (0, False))
