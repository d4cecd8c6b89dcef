"""DMARC reports as a table: whose mail it is, how much of it, where the reports are, and what is passed over."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from postmaster.__main__ import main
from postmaster.reports import mailbox, sources
from postmaster.reports.read import report
from tests.unit.test_reports import BARE, MICROSOFT, NEWER, TEXT, D, feedback, mailed, record, zipped


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (record("198.18.0.25", spf="pass", dkim="pass"), "ours"),
        (record("198.18.0.25", spf="pass"), "ours"),
        (record("198.18.0.25"), "ours_failed"),
        (record("2001:0db8:0::25", dkim="pass"), "ours"),
        (record(spf="pass"), "allowed"),
        (record(dkim="pass"), "forwarded"),
        (record(auth=f"<dkim><domain>{D}</domain><result>fail</result></dkim>"), "changed"),
        (record(auth=f"<dkim><domain>mail.{D}</domain><result>fail</result></dkim>"), "changed"),
        (record(auth="<dkim><domain>evil.example</domain><result>pass</result></dkim>"), "stranger"),
        (record(auth=f"<dkim><domain>{D}</domain><result>none</result></dkim>"), "stranger"),
        (record(auth=f"<spf><domain>{D}</domain><result>fail</result></spf>"), "stranger"),
        (record(more="<reason><type>mailing_list</type><comment>x</comment></reason>"), "changed"),
        (record(more="<reason><type>local_policy</type></reason>"), "stranger"),
    ],
)
def test_whose_mail_that_is(row: str, kind: str) -> None:
    (one,) = sources.summed([report(feedback(row).encode())], {"198.18.0.25", "2001:db8::25"})
    assert one.kind == kind and one.letters == 3


def test_sums_by_source_over_reporters_and_days() -> None:
    first = report(feedback(record(count="4", dkim="pass"), record("192.0.2.1", "100")).encode())
    second = report(
        feedback(record(count="1", disposition="none"), name="Yahoo", begin="1796256000", end="1796342399").encode()
    )
    stranger, other = sources.summed([first, second], ())
    assert (stranger.address, stranger.letters) == ("192.0.2.1", 100)
    assert (other.letters, other.dkim, other.spf, dict(other.dispositions)) == (5, 4, 0, {"quarantine": 4, "none": 1})
    assert other.kind == "forwarded" and other.reporters == {"google.com", "Yahoo"}
    assert (min(other.days), max(other.days)) == ("2026-12-01", "2026-12-03")


@pytest.mark.parametrize("count", ["-1", "", "1e9", "99999999999999999999", "²", "1 000", "0x10"])
def test_a_record_without_a_number_is_named_and_the_others_count(count: str) -> None:
    found = report(feedback(record(count=count), record()).encode())
    assert len(found.rows) == 1 and found.unread == 1


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("1796083200", "2026-12-01"),
        ("2026-12-01T00:00:00", "2026-12-01"),
        ("", ""),
        ("-5", ""),
        ("9" * 30, ""),
        ("soon", ""),
    ],
)
def test_days(word: str, day: str) -> None:
    assert report(feedback(begin=word).encode()).begin == day


Desk = Callable[..., tuple[int, str, str]]


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("MAILROOM_INVENTORY", "/nowhere/at/all.py")  # no host is asked
    monkeypatch.setenv("COLUMNS", "160")

    def said(*words: str, **files: bytes) -> tuple[int, str, str]:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        code = main(["reports", *(str(tmp_path / name) for name in files), *words])
        out = capsys.readouterr()
        return code, out.out, out.err

    return said


def test_the_table_and_a_bad_file_beside_good_ones(desk: Desk) -> None:
    evil = feedback(record(count="9"), name="evil\x9b31m\u202eorg", number="18").encode()
    code, out, err = desk(
        "--address", "198.18.0.25",
        google=gzip.compress(TEXT), same=TEXT, microsoft=MICROSOFT.encode(), newer=zipped(("a", NEWER.encode())), evil=evil, bad=b"no",
    )  # fmt: skip
    assert code == 1 and "bad: neither XML" in err and "Traceback" not in err
    assert "5 DMARC reports, 1 of them again and counted once" in out
    assert all(
        word in out
        for word in ("this server", "a forward", "a stranger", "2001:db8::5", "12", "quarantine", "2026-12-01")
    )
    assert all(char.isprintable() or char == "\n" for char in out)
    code, out, err = desk("--json", google=TEXT, same=TEXT)
    found = json.loads(out)
    assert (
        code == 0
        and found["counted_once"] == 1
        and found["sources"][0]["kind"] == "stranger"
        and not found["passed_over"]
    )
    assert found["reports"] == [
        {"reporter": "google.com", "id": "17", "domain": D, "begin": "2026-12-01", "end": "2026-12-01", "letters": 3}
    ]


def test_many_large_ones_are_not_read_to_the_last(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postmaster.reports.command.TOGETHER", 10)
    code, out, err = desk(first=TEXT, second=MICROSOFT.encode())
    assert code == 1 and "1 DMARC report, by" in out and "second: those before it" in err


def test_what_cannot_be_asked(desk: Desk, tmp_path: Path) -> None:
    assert "no such file" in desk(str(tmp_path / "none"))[2] and "no file" in desk(str(tmp_path))[2]
    assert desk("--address", "mail.example", google=TEXT)[0] == 2 and desk("--days", "0", google=TEXT)[0] == 2
    assert "whenever" not in desk(google=BARE.encode())[1]
    code, out, _ = desk(letter=mailed())
    assert code == 1 and "No DMARC report" in out


class Host:
    """A mail host with aliases, by what it is asked."""

    hostname = "mx1"

    def __init__(self, **aliases: str) -> None:
        self.aliases = aliases
        self.asked: list[str] = []

    def shell(self, command: str, **_: Any) -> str:
        self.asked.append(command)
        words = command.partition("for address in ")[2].partition(";")[0].split()
        return "\n".join(f"{one} {to}" for one in words for to in self.aliases.get(one.partition("@")[0], "").split())


def test_where_reports_arrive() -> None:
    host = Host(postmaster="root@a foo@a postmaster@a", root="postmaster@a", foo="=", loop="loop@a")
    assert mailbox.mailboxes(host, ["postmaster@a"]) == ["foo@a"]  # type: ignore[arg-type]
    assert len(host.asked) == 2 and mailbox.mailboxes(host, ["loop@a", "nobody@a"]) == []  # type: ignore[arg-type]
    mailbox.mailboxes(host, ["$(reboot)@a;"])  # type: ignore[arg-type]
    assert "'$(reboot)@a;'" in host.asked[-1]
