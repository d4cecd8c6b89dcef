"""Who follows from whom in a passport, and which setting decided."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace

from checks.engine.check import CHAPTERS
from postmaster import text
from postmaster.follow import decisions
from postmaster.read import events, lines
from tests.mail_logs import SETTINGS, hundred, passport, settings_of, stations


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
    assert found.places == ["Junk"]
    waits, judged = settings_of(found, "Amavis")
    assert waits == "$virus_scanners_failure_is_fatal = 1" and judged == "$sa_tag2_level_deflt = 5.0"
    assert settings_of(found, "Postfix qmgr")[0] == "content_filter = smtp-amavis:[127.0.0.1]:10024"
    assert settings_of(found, "Postfix qmgr")[2] == "transports: example.test → lmtp:unix:private/dovecot-lmtp"
    assert "spam.sieve" in settings_of(found, "Sieve")[0]
    assert [hop.chapter for _, hop in found.walked()] == [1, 2, 3, 3, 3, 3, 3, 2, 5, 5, 5, 4]
    assert [hop.queue for _, hop in found.walked()] == ["79C4241E382"] * 6 + ["9156241E068"] * 6


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
    assert [(hop.station, hop.queue) for hop in found.following(blocked)] == [("Quarantine", "")]
    assert set(found.folders) == {"foo@example.test", "bar@example.test"}


def test_a_discarded_message_ends_there() -> None:
    found = passport(13, "<eicar3.mx1@example.net>", without="408D941E006")
    assert stations(found)[-1] == ("Amavis", "Blocked INFECTED") and not found.folders
    assert "Blocked INFECTED, bar@example.test, foo@example.test" in text.fates(found)[0]
    assert found.places == ["quarantine"]


def test_a_virus_of_ones_own_comes_back_as_a_letter() -> None:
    found = passport(13, "<subeicar3.mx1@example.test>")
    assert settings_of(found, "Amavis") == ["ORIGINATING: final_virus_destiny => D_REJECT"]
    assert found.hops[-1].station == "Postfix bounce" and "passport 8B0FA41E0AD" in found.hops[-1].what
    assert "a letter to foo@example.test, who is on the envelope" in found.hops[-1].what and found.places == ["bounced"]


def test_sieve_redirects_discards_and_files_twice() -> None:
    forward = passport(13, "<fwd2.mx1@example.net>")
    pickup = next(hop for hop in forward.hops if hop.station == "Postfix pickup")
    assert forward.hops[(pickup.after or 0) - 1].verdict == "redirect to foo@example.test"
    assert "content_filter = smtp-amavis:[127.0.0.1]:10027 (pickup)" in settings_of(forward, "Postfix qmgr")
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
    assert text.fates(spam) == ["Postfix smtpd: refused, foo@example.test."]
    assert len(passport(12, "<eicar4.mx2@example.net>").hops) == 2


def test_amavis_names_the_policy_bank_that_decided() -> None:
    """Chapter 3 with spam_refuse_score = 8."""
    bank = {"final_spam_destiny": "D_REJECT", "spam_kill_level_maps": "[8]", "final_virus_destiny": "D_REJECT"}
    with_bank = replace(SETTINGS, banks={"REFUSING": bank})
    said = "(1-01) Blocked SPAM {RejectedInbound}, REFUSING [198.18.0.9]:1 [198.18.0.9] <a@x> -> <b@y>, Message-ID: <c@x>, Hits: 9.1, 96 ms"
    event = events.understood(lines.Line(1.0, "amavis", "1", said))
    assert event and event.fields["bank"] == "REFUSING" and event.message_id == "<c@x>"
    decided = decisions.judging("Blocked SPAM", "9.1", "REFUSING", with_bank)
    assert decided.setting == "REFUSING: spam_kill_level_maps => [8], final_spam_destiny => D_REJECT"
    assert decisions.judging("Blocked INFECTED", "-", "", with_bank).setting == "$final_virus_destiny = D_DISCARD"


def test_without_a_message_id_postfix_tells_what_follows() -> None:
    rows = """
1795380000.0 mx1 postfix/smtpd[9]: EEEEEE1: client=a[198.18.0.9]
1795380000.1 mx1 postfix/cleanup[9]: EEEEEE1: message-id=<>
1795380000.2 mx1 postfix/qmgr[9]: EEEEEE1: from=<a@x>, size=1, nrcpt=1 (queue active)
1795380000.3 mx1 postfix/amavis/smtp[9]: EEEEEE1: to=<b@y>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, status=sent (250 queued as EEEEEE2)
1795380000.4 mx1 postfix/reinjection/smtpd[9]: EEEEEE2: client=localhost[127.0.0.1], orig_queue_id=EEEEEE1
1795380000.5 mx1 postfix/cleanup[9]: EEEEEE2: message-id=<>
1795380000.6 mx1 postfix/qmgr[9]: EEEEEE2: from=<a@x>, size=1, nrcpt=1 (queue active)
1795380000.7 mx1 dovecot[9]: lmtp(b@y)<9><abc123>: sieve: msgid=unspecified: stored mail into mailbox 'INBOX'
1795380000.8 mx1 postfix/lmtp[9]: EEEEEE2: to=<b@y>, relay=mx1[private/dovecot-lmtp], delay=1, status=sent (250 2.0.0 <b@y> abc123 Saved)
"""
    found = passport(13, "EEEEEE1", rows)
    assert len(found.hops) == 10 and found.folders == {"b@y": ["INBOX"]}


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
    again += "1795369164.1 mx1 postfix/cleanup[98]: 040C941E069: message-id=<forwarded@example.net>\n"
    assert len(passport(13, "<forwarded@example.net>", again).hops) == 2
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


def test_a_hundred_recipients_are_a_tree_that_a_person_can_read() -> None:
    found = passport(13, "<hundred@example.net>", hundred())
    assert len(found.hops) == 17 and len(found.folders) == 98
    manager = next(hop for hop in found.hops if hop.station == "Postfix qmgr")
    halves = [(hop.verdict, len(hop.recipients)) for hop in found.following(manager)]
    assert halves == [("Passed CLEAN", 50), ("Passed CLEAN", 50)]
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


def test_every_step_that_a_passport_names_is_one() -> None:
    """Asked in a program of its own: pyinfra is not for this process."""
    modules = {number: name for name, (number, _) in CHAPTERS.items() if number}
    script = "import importlib, json; print(json.dumps({n: [s.__name__ for s in importlib.import_module("
    script += f"'deploys.chapters.' + m).STEPS] for n, m in {modules}.items()}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    steps = {int(number): names for number, names in json.loads(done.stdout).items()}
    named = {(chapter, step) for _, _, chapter, step in decisions.REFUSALS} | set(decisions.AGENTS.values())
    named |= {(3, step) for _, step in decisions.DESTINIES.values()}
    for mark in ("gtube2", "fwd2", "both2", "gone2", "eicar3"):
        named |= {(hop.chapter, hop.step) for hop in passport(13, f"<{mark}.mx1@example.net>").hops}
    for mark in ("sub2", "subeicar3"):
        named |= {(hop.chapter, hop.step) for hop in passport(13, f"<{mark}.mx1@example.test>").hops}
    assert not {(chapter, step) for chapter, step in named if chapter and step not in steps[chapter]}
