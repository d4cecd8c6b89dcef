"""A passport as text, JSON and picture; what is asked for; what is held in quarantine."""

from __future__ import annotations

import io
import json

import pytest

from notebooks.workbench.message.passport import Shown
from postmaster import picture, quarantine, reading, text
from postmaster.model import NotFound
from postmaster.read import lines
from tests.mail_logs import passport


@pytest.mark.parametrize("width", [80, 120])
def test_text_fits_the_terminal_and_json_holds_it_all(width: int) -> None:
    found = passport(13, "<gtube2.mx1@example.net>")
    out = io.StringIO()
    text.show(found, out, width=width, log=True)
    assert max(map(len, out.getvalue().splitlines())) <= width
    told = json.loads(json.dumps(found.as_dict()))
    assert told["hops"][0]["milliseconds"] == 0 and told["folders"]["bar@example.test"] == ["Junk"]


def test_the_picture_escapes_what_strangers_write_and_folds_wide_trees() -> None:
    rows = "\n1795380000.0 mx1 postfix/smtpd[9]: DDDDDD1: client=<script>[198.18.0.9]\n"
    rows += '1795380000.1 mx1 postfix/cleanup[9]: DDDDDD1: message-id=<"><svg/onload=x>@x>\n'
    rows += "1795380000.2 mx1 postfix/qmgr[9]: DDDDDD1: from=<a@x>, size=1, nrcpt=30 (queue active)\n"
    for n in range(30):
        rows += f"1795380001.{n:02} mx1 postfix/smtp[9]: DDDDDD1: to=<b@x{n}>, relay=mx{n}[198.18.0.{n}]:25, delay=1, "
        rows += f"dsn=2.0.0, status=sent (250 ok {n})\n"
    drawn = picture.document(passport(13, '<"><svg/onload=x>@x>', rows))
    assert "<script" not in drawn and drawn.count("<svg") == 1 and "18 more branches" in drawn
    assert "prefers-color-scheme: dark" in drawn


def test_a_notebook_shows_picture_words_and_log() -> None:
    found = passport(13, "<sub2.mx1@example.test>")
    shown = Shown(found, "\n".join(found.log()))
    html = shown._repr_html_()
    assert (
        html.count("<svg") == 1
        and f"{len(found.hops)} hops in words" in html
        and "sasl_username=foo@example.test" in html
    )
    assert str(shown).startswith("The passport of <sub2.mx1@example.test>")


def test_lines_of_a_syslogd_are_dated_and_contents_stay_out() -> None:
    now = 1795349164.0  # 2026-11-22 12:06:04 UTC, on a host two hours ahead
    rows = [
        "Nov 22 14:06:03 mx1 postfix/smtpd[1]: 79C4241E382: client=a[198.18.0.9]",
        "2026-11-22T14:06:02.5+02:00 mx1 postfix/smtpd[1]: 79C4241E383: client=a[198.18.0.9]",
        'Dec 31 23:00:00 mx1 amavis[2]: (2-01) Passed CLEAN {R}, Subject: "my \\"secret\\", love", Hits: 1',
    ]
    found = lines.parse(rows, now, 7200)
    assert [round(line.at - now, 1) for line in found[1:]] == [-1.5, -1.0]
    assert found[0].at < now - 300 * 86400 and "secret" not in found[0].text and "Hits: 1" in found[0].text


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("a@b", ("<a@b>", "")),
        ("Message-ID: <a@b>", ("<a@b>", "")),
        ("4jXSW25VyBzcWpm", ("", "4jXSW25VyBzcWpm")),
        ("<no-at-sign>", ("<no-at-sign>", "")),
    ],
)
def test_what_was_asked_is_understood(asked: str, wanted: tuple[str, str]) -> None:
    assert reading.understood(asked) == wanted


@pytest.mark.parametrize("asked", ["", "two words", "a\n@b", "x" * 2000])
def test_what_cannot_be_an_id_is_refused(asked: str) -> None:
    with pytest.raises(NotFound, match="neither a Message-ID"):
        reading.understood(asked)


HELD = """Return-Path: <alice@example.net>
X-Envelope-From: <alice@example.net>
X-Envelope-To: <bar@example.test>, <foo@example.test>
X-Quarantine-ID: <5mMRHWlt9jx5>
X-Amavis-Alert: INFECTED, message contains virus:
 Eicar-Test-Signature.UNOFFICIAL
Received: from localhost
X-Amavis-Alert: nothing to see here
From: =?utf-8?q?M=C3=BCller?= <alice@example.net>
Subject: =?utf-8?b?G1szMW1Sb3Q=?=
Message-ID: <eicar3.mx1@example.net>
"""


def test_a_held_message_is_described_by_amavis_and_cannot_command_the_terminal() -> None:
    item = quarantine.one(1795349234.4, 1621, "5/virus-5mMRHWlt9jx5", HELD)
    assert item.id == "virus-5mMRHWlt9jx5" and item.mail_id == "5mMRHWlt9jx5"
    assert item.reason == "INFECTED, message contains virus: Eicar-Test-Signature.UNOFFICIAL"
    assert item.recipients == ["bar@example.test", "foo@example.test"] and item.details["From"].startswith("Müller")
    assert item.subject == "\N{REPLACEMENT CHARACTER}[31mRot"
    odd = quarantine.one(0, 1, "virus-5mMRHWlt9jx5", HELD.replace("?utf-8?b?", "?nonsense?b?"))
    assert odd.subject == "=?nonsense?b?G1szMW1Sb3Q=?="
    assert not quarantine.WORD.fullmatch("$(reboot)") and not quarantine.WORD.fullmatch("-rf x")
