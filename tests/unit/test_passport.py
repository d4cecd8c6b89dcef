"""The passport from log lines of real hosts: Debian 13 after the queue, Debian 12 before it, with long queue ids."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from postmaster import events, graph, lines, picture, quarantine, reading, settings, text
from postmaster.model import NotFound, Passport

FIXTURES = Path(__file__).parent / "fixtures"
SETTINGS = settings.read(
    reading.sections(
        """--- postconf
content_filter = smtp-amavis:[127.0.0.1]:10024
transport_maps = proxy:pgsql:/etc/postfix/pgsql/transport.cf
--- services
smtp/inet/smtpd_proxy_filter = 127.0.0.1:10028
submission/inet/syslog_name = postfix/submission
submission/inet/content_filter = smtp-amavis:[127.0.0.1]:10026
127.0.0.1:10025/inet/syslog_name = postfix/reinject
127.0.0.1:10025/inet/content_filter =
--- amavis
$final_virus_destiny = D_DISCARD;
$virus_scanners_failure_is_fatal = 1;
$sa_tag2_level_deflt = 5.0;  # a remark
$policy_bank{'ORIGINATING'} = {
  spam_tag2_level_maps => [2 * 5.0],
  final_virus_destiny => D_REJECT,
--- sieve
sieve_script spam {
  path = /etc/dovecot/sieve/spam.sieve
  type = before
--- transports
example.test lmtp:unix:private/dovecot-lmtp
"""
    )
)


def passport(release: int, asked: str, more: str = "", without: str = "") -> Passport:
    rows = (FIXTURES / f"mail-debian{release}.log").read_text() + more
    told = events.read(lines.parse(row for row in rows.splitlines() if not without or without not in row))
    mine = asked if "@" in asked else ""
    hops, notes = graph.build(told, SETTINGS, asked, mine)
    return Passport(asked, mine, "mx1.example.test", "the journal", hops, notes)


def stations(found: Passport) -> list[tuple[str, str]]:
    return [(hop.station, hop.verdict) for _, hop in found.walked()]


def settings_of(found: Passport, station: str) -> list[str]:
    return [hop.setting for _, hop in found.walked() if hop.station == station]


def test_spam_waits_for_clamd_and_ends_in_junk() -> None:
    found = passport(13, "<gtube2.mx1@example.net>")
    assert stations(found) == [
        ("Postfix smtpd, port 25", "accepted"),
        ("Postfix cleanup", "headers read"),
        ("Postfix qmgr", "queued"),
        ("Amavis", "deferred"),
        ("Postfix qmgr", "tried again (2.)"),
        ("Amavis", "Passed SPAM"),
        ("Re-injection", "new queue id 9156241E068"),
        ("Postfix cleanup", "headers read"),
        ("Postfix qmgr", "queued"),
        ("Dovecot LMTP", "delivered"),
        ("Sieve", "fileinto Junk"),
        ("Folder", "Junk"),
    ]
    assert found.folders == {"bar@example.test": ["Junk"], "foo@example.test": ["Junk"]} and found.ended
    waits, judged = settings_of(found, "Amavis")
    assert waits == "$virus_scanners_failure_is_fatal = 1" and judged == "$sa_tag2_level_deflt = 5.0"
    assert settings_of(found, "Postfix qmgr")[0] == "content_filter = smtp-amavis:[127.0.0.1]:10024"
    assert settings_of(found, "Postfix qmgr")[2] == "transports: example.test → lmtp:unix:private/dovecot-lmtp"
    assert "spam.sieve" in settings_of(found, "Sieve")[0]
    assert [hop.chapter for _, hop in found.walked()] == [1, 2, 3, 3, 3, 3, 3, 2, 5, 5, 5, 4]


def test_an_alias_names_its_row_and_a_login_its_policy_bank() -> None:
    found = passport(13, "<sub2.mx1@example.test>")
    first = found.hops[0]
    assert first.station == "Postfix smtpd, port 587" and "TLSv1.3, logged in as foo@example.test" in first.what
    assert "aliases abuse@example.test → foo@example.test" in settings_of(found, "Postfix cleanup")[0]
    assert "10026 (submission)" in settings_of(found, "Postfix qmgr")[0]
    assert settings_of(found, "Amavis")[-1] == "ORIGINATING: spam_tag2_level_maps => [2 * 5.0]"
    assert ("Sieve", "no vacation answer") in stations(found) and ("Sieve", "keep") in stations(found)


def test_a_virus_is_discarded_and_what_the_postmaster_releases_goes_on() -> None:
    found = passport(13, "<eicar3.mx1@example.net>")
    blocked = next(hop for hop in found.hops if hop.verdict == "Blocked INFECTED")
    assert "quarantine virus-5mMRHWlt9jx5" in blocked.what and blocked.setting == "$final_virus_destiny = D_DISCARD"
    assert [hop.station for hop in found.following(blocked)] == ["Quarantine"]
    assert set(found.folders) == {"foo@example.test", "bar@example.test"}


def test_a_discarded_message_ends_there() -> None:
    found = passport(13, "<eicar3.mx1@example.net>", without="408D941E006")
    assert stations(found)[-1] == ("Amavis", "Blocked INFECTED") and not found.folders
    assert "Blocked INFECTED, bar@example.test, foo@example.test" in text.fates(found)[0]


def test_a_virus_of_ones_own_comes_back_as_a_letter() -> None:
    found = passport(13, "<subeicar3.mx1@example.test>")
    assert settings_of(found, "Amavis") == ["ORIGINATING: final_virus_destiny => D_REJECT"]
    assert found.hops[-1].station == "Postfix bounce" and "passport 8B0FA41E0AD" in found.hops[-1].what


def test_sieve_redirects_discards_and_files_twice() -> None:
    forward = passport(13, "<fwd2.mx1@example.net>")
    pickup = next(hop for hop in forward.hops if hop.station == "Postfix pickup")
    assert forward.hops[(pickup.after or 0) - 1].verdict == "redirect to foo@example.test"
    assert forward.folders == {"foo@example.test": ["INBOX"]} and not forward.notes
    assert stations(passport(13, "<gone2.mx1@example.net>"))[-1] == ("Sieve", "discard")
    assert passport(13, "<both2.mx1@example.net>").folders == {"bar@example.test": ["Lists", "INBOX"]}


def test_before_the_queue_the_sender_waits_for_the_answer() -> None:
    clean, spam = passport(12, "<clean4.mx2@example.net>"), passport(12, "<gtube4.mx2@example.net>")
    assert stations(clean)[:3] == [
        ("Postfix smtpd, port 25", "asks Amavis first"),
        ("Amavis", "Passed CLEAN"),
        ("Re-injection", "new queue id 4jXSW25VyBzcWpm"),
    ]
    assert clean.hops[0].setting == "smtpd_proxy_filter = 127.0.0.1:10028 (smtp)"
    assert stations(spam)[1:] == [("Amavis", "Blocked SPAM"), ("Postfix smtpd", "refused")]
    assert "554 5.7.0 Reject" in spam.hops[-1].what
    assert len(passport(12, "<eicar4.mx2@example.net>").hops) == 2


def test_without_dovecot_postfix_delivers() -> None:
    found = passport(12, "<sub1.mx2@example.test>")
    assert ("Postfix virtual", "delivered") in stations(found) and ("Amavis", "Passed UNCHECKED") in stations(found)
    assert found.folders == {"bar@example.test": ["INBOX"], "foo@example.test": ["INBOX"]}


def test_a_queue_id_finds_the_same_way_and_one_used_again_is_told_apart() -> None:
    again = """
1795359164.0 mx1 postfix/smtpd[99]: 79C4241E382: client=later.example.net[198.18.0.9]
1795359164.1 mx1 postfix/cleanup[98]: 79C4241E382: message-id=<later@example.net>
1795359164.2 mx1 postfix/qmgr[97]: 79C4241E382: from=<later@example.net>, size=1, nrcpt=1 (queue active)
"""
    later, first = passport(13, "<later@example.net>", again), passport(13, "<gtube2.mx1@example.net>", again)
    assert [hop.verdict for hop in later.hops] == ["accepted", "headers read", "waits"] and not later.ended
    assert len(first.hops) == 12
    assert "latest" in passport(13, "79C4241E382", again).notes[0]


def test_a_message_id_may_come_twice() -> None:
    rows = "".join(
        f"179535916{n}.0 mx1 postfix/smtpd[99]: {n}9C4241E38{n}: client=a.example.net[198.18.0.9]\n"
        f"179535916{n}.1 mx1 postfix/cleanup[98]: {n}9C4241E38{n}: message-id=<twice@example.net>\n"
        for n in (1, 2)
    )
    found = passport(13, "<twice@example.net>", rows)
    assert len(found.following(None)) == 2 and found.notes == ["It came in 2 times under this Message-ID."]


def hundred() -> str:
    """A hundred recipients as Postfix and Amavis log them: 50 at a time, Amavis's line in two pieces."""
    people = [f"u{n:03}@example.test" for n in range(100)]
    rows = [
        "1795360000.1 mx1 postfix/smtpd[1]: AAAAAA1: client=a.example.net[198.18.0.9]",
        "1795360000.2 mx1 postfix/cleanup[1]: AAAAAA1: message-id=<hundred@example.net>",
        "1795360000.3 mx1 postfix/qmgr[1]: AAAAAA1: from=<alice@example.net>, size=400, nrcpt=100 (queue active)",
    ]
    for job, half in enumerate((people[:50], people[50:]), 1):
        at, queue = 1795360000 + job, f"BBBBBB{job}"
        to = ",".join(f"<{one}>" for one in half)
        rows += [
            f"{at}.4 mx1 amavis[7]: (7-0{job}) Passed CLEAN {{RelayedInbound}}, [198.18.0.9]:1 <alice@example.net> -> {to[:900]}...",
            f"{at}.400001 mx1 amavis[7]: (7-0{job}) ...{to[900:]}, Queue-ID: AAAAAA1, Message-ID: <hundred@example.net>, "
            f"mail_id: x{job}, Hits: 1.2, size: 400, queued_as: {queue}, 90 ms",
            f"{at}.3 mx1 postfix/reinject/smtpd[2]: {queue}: client=localhost[127.0.0.1], orig_queue_id=AAAAAA1",
            f"{at}.31 mx1 postfix/cleanup[2]: {queue}: message-id=<hundred@example.net>",
            f"{at}.5 mx1 postfix/qmgr[1]: {queue}: from=<alice@example.net>, size=900, nrcpt=50 (queue active)",
        ]
        for one in half:
            sent = f"to=<{one}>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent"
            lost = f"to=<{one}>, relay=mx1[private/dovecot-lmtp], delay=1, delays=0/0/0/1, dsn=5.2.2, status=bounced"
            rows.append(f"{at}.45 mx1 postfix/amavis/smtp[3]: AAAAAA1: {sent} (250 2.0.0 Ok: queued as {queue})")
            if one in ("u007@example.test", "u077@example.test"):
                rows.append(
                    f"{at}.6 mx1 postfix/lmtp[4]: {queue}: {lost} (host mx1 said: 552 5.2.2 <{one}> Quota exceeded)"
                )
            else:
                rows.append(
                    f"{at}.6 mx1 postfix/virtual[4]: {queue}: to=<{one}>, relay=virtual, dsn=2.0.0, status=sent (to maildir)"
                )
    return "\n" + "\n".join(rows) + "\n"


def test_a_hundred_recipients_are_a_tree_that_a_person_can_read() -> None:
    found = passport(13, "<hundred@example.net>", hundred())
    assert len(found.hops) == 17 and len(found.folders) == 98
    manager = next(hop for hop in found.hops if hop.station == "Postfix qmgr")
    assert [len(hop.recipients) for hop in found.following(manager)] == [50, 50]
    out = io.StringIO()
    text.show(found, out, width=80)
    assert "and 47 more" in out.getvalue() and out.getvalue().count("u0") < 40
    out = io.StringIO()
    text.show(found, out, width=80, everybody=True)
    assert "u049@example.test" in out.getvalue()


def test_the_same_failure_again_and_again_is_one_hop() -> None:
    wait = "delays=0/0/0/0, dsn=4.4.1, status=deferred (connect to 127.0.0.1[127.0.0.1]:10024: Connection refused)"
    rows = "1795370000.0 mx1 postfix/smtpd[9]: CCCCCC1: client=a[198.18.0.9]\n"
    rows += "1795370000.1 mx1 postfix/cleanup[9]: CCCCCC1: message-id=<w@x>\n"
    for n in range(1, 8):
        rows += f"179537{n}000.2 mx1 postfix/qmgr[9]: CCCCCC1: from=<a@x>, size=1, nrcpt=1 (queue active)\n"
        rows += f"179537{n}000.3 mx1 postfix/smtp[9]: CCCCCC1: to=<b@x>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, {wait}\n"
    found = passport(13, "<w@x>", "\n" + rows)
    assert [hop.times for hop in found.hops] == [1, 1, 1, 7] and found.hops[-1].what.startswith(
        "Amavis does not answer"
    )
    assert "7 times until" in text.times(found.hops[-1])


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
Subject: =?utf-8?b?G1szMW1Sb3Q=?= =?nonsense?q?x?=
Message-ID: <eicar3.mx1@example.net>
"""


def test_a_held_message_is_described_by_amavis_and_cannot_command_the_terminal() -> None:
    item = quarantine.one(1795349234.4, 1621, "5/virus-5mMRHWlt9jx5", HELD)
    assert item.id == "virus-5mMRHWlt9jx5" and item.mail_id == "5mMRHWlt9jx5"
    assert item.reason == "INFECTED, message contains virus: Eicar-Test-Signature.UNOFFICIAL"
    assert item.recipients == ["bar@example.test", "foo@example.test"] and item.details["From"].startswith("Müller")
    assert "\x1b" not in item.subject
    assert not quarantine.WORD.fullmatch("$(reboot)") and not quarantine.WORD.fullmatch("-rf x")
