"""What people and programs get to read."""

import errno
import io
import json
import os
import re
from pathlib import Path

import pytest

import checks
from checks import __main__ as cli
from checks.engine import report
from checks.engine.check import Result
from checks.engine.target import read_json
from checks.engine.verdicts import CannotStart, Failed, Verdict, words
from tests.checks import servers

DEAD = Result(
    "dovecot.start.listens",
    4,
    "start",
    "claim",
    "Dovecot listens",
    "fail",
    "port 143: refused\ndovecot is inactive",
    "systemctl status dovecot",
    0.1,
)
RESULTS = [
    Result("host.ssh.answers", 0, "ssh", "claim", "SSH answers", "pass", "Debian " * 20),
    Result(
        "postfix.tls.old_refused",
        1,
        "tls",
        "negative",
        "TLS 1.1 is refused",
        "warn",
        "not proven",
        "ask from elsewhere",
        2.25,
    ),
    DEAD,
    *(
        Result(
            f"dovecot.tls.x{n}",
            4,
            "tls",
            "claim",
            f"T{n}",
            "skip",
            "needs what failed: Dovecot listens",
            "See dovecot.start.listens: python -m checks --only dovecot.start.listens",
        )
        for n in range(3)
    ),
]


def shown(encoding: str = "utf-8", short: bool = False) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    report.show(servers.target(), RESULTS, 3.21, file, short=short)
    file.flush()
    return raw.getvalue().decode(encoding)


def test_readable_at_80_columns_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = shown()
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= 80
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_a_dead_service_comes_first_with_its_remedy_and_its_place() -> None:
    text = shown()
    head = text[: text.index("Chapter 0")]
    assert "✖ Dovecot listens" in head and "Remedy: systemctl status dovecot" in head
    assert "chapter 4, start [dovecot.start.listens]" in head
    assert text.count("Dovecot listens") == 2  # there, and once as the reason of all the skips
    assert "– skipped: 3 checks" in text
    assert "! TLS 1.1 is refused (2.2 s)" in text
    assert text.rstrip().endswith("1 passed, 1 failed, 1 to look at, 3 skipped in 3.2 s")


def test_the_short_report_counts_what_passed_and_tells_what_did_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = shown(short=True)
    assert max(len(line) for line in text.splitlines()) <= 80 and "\n\nChapter" not in text
    assert "SSH answers" not in text and "skipped: 3 checks" not in text
    for told in (
        r"Chapter 0  The host itself +1 proven",
        r"Chapter 4 .* +3 skipped",
        r"! TLS 1.1 is refused",
        r"✖ Dovecot listens",
    ):
        assert re.search(told, text), text
    assert text.splitlines()[-1] == "Each claim with its evidence: python -m checks"


def test_an_error_is_told_in_its_words() -> None:
    """ "[Errno 104] Connection reset by peer" is a number too many."""
    reset = ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
    assert words(reset) == "Connection reset by peer"
    assert (words(ValueError("no")), words(EOFError())) == ("no", "EOFError")


def test_a_finding_ends_a_cell_without_a_stack_trace() -> None:
    assert Failed("port 25: refused", "start it")._render_traceback_() == ["✖ port 25: refused", "  Remedy: start it"]
    assert CannotStart("no way")._render_traceback_() == ["✖ no way"]


def test_a_terminal_without_signs_gets_words() -> None:
    text = shown("latin-1")
    assert "FAIL Dovecot listens" in text and "ok   SSH answers" in text


def test_json() -> None:
    found = json.loads(report.as_json(servers.target(), RESULTS, 3.21))
    assert found["target"]["hostname"] == servers.NAME
    assert (found["passed"], found["failed"], found["warned"], found["skipped"]) == (1, 1, 1, 3)
    assert found["results"][2] == {
        "id": "dovecot.start.listens",
        "chapter": 4,
        "step": "start",
        "kind": "claim",
        "title": "Dovecot listens",
        "verdict": "fail",
        "seconds": 0.1,
        "evidence": "port 143: refused\ndovecot is inactive",
        "remedy": "systemctl status dovecot",
    }
    assert "sentinel" not in json.dumps(found)


def test_without_a_lab_one_sentence_and_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(tmp_path))
    assert cli.main([]) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.strip().splitlines()) == 1
    assert "make up" in said.err


def test_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cli, "target_of", lambda options: servers.target())
    codes: tuple[tuple[Verdict, int], ...] = (("pass", 0), ("warn", 0), ("skip", 0), ("fail", 1))
    for verdict, code in codes:
        one = Result("postfix.tls.x", 1, "tls", "claim", "T", verdict, "", "")
        monkeypatch.setattr(checks, "run", lambda *a, one=one, **k: [one])
        assert cli.main(["--json"]) == code
        assert json.loads(capsys.readouterr().out)["results"][0]["verdict"] == verdict


def test_the_list_needs_no_lab(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--list", "--only", "dovecot.tls"]) == 0
    assert "dovecot.tls." in capsys.readouterr().out
    assert cli.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert "foo writes to bar over submission" in listed and "{" not in listed


def test_a_broken_secrets_file_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"mailreader": "sentinel"')
    with pytest.raises(CannotStart) as error:
        read_json(tmp_path / "s.json")
    assert "sentinel" not in str(error.value) and "is not JSON" in str(error.value)
