"""What a rehearsal calls a difference, what it calls lost, and what it takes over from a real server."""

from __future__ import annotations

import os
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checks.engine.target import Target
from rehearsal import double, upgrade
from rehearsal.__main__ import looked
from rehearsal.life import Letter, Life, Mailbox, differences
from rehearsal.report import Report, page
from rehearsal.server import Refused, Taken
from rehearsal.traffic import Traffic

FOO = "foo@example.org"
ONE, TWO = Letter(("$Label1", "\\Seen"), "aa", "mark-one"), Letter((), "bb", "mark-two")


def life(**letters: Letter) -> Life:
    """A server with one mailbox; a letter's UID is the number in its name."""
    box = Mailbox(7, {int(name[1:]): one for name, one in letters.items()})
    return Life(
        mailboxes={FOO: {"INBOX": box}},
        subscribed={FOO: ["Sent"]},
        rows={"users": {FOO: "{SCHEME}hash"}, "aliases": {"postmaster@example.org": FOO}},
        scripts={"./foo/sieve/work.sieve": "cc"},
        held={"virus-1": "dd"},
        bayes={"nspam": "3"},
        queue={"4abc": [FOO]},
    )


BEFORE = life(u1=ONE, u2=TWO)


def test_what_is_as_it_was_is_no_difference_nor_is_a_letter_that_was_sent() -> None:
    assert differences(BEFORE, life(u1=ONE, u2=TWO)) == []
    assert differences(BEFORE, replace(BEFORE, bayes={"nspam": "10", "nham": "1"})) == []
    more = life(u1=ONE, u2=TWO, u3=Letter((), "ee", "mark-three"))
    assert differences(BEFORE, more, ["mark-three"]) == []
    assert ["1 letters that nobody sent" in one for one in differences(BEFORE, more)] == [True]


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (life(u1=ONE), "1 of 2 letters are gone, UID 2"),
        (life(u1=ONE, u9=TWO), "1 of 2 letters are gone, UID 2"),
        (life(u1=replace(ONE, flags=()), u2=TWO), "UID 1 was"),
        (life(u1=replace(ONE, sum="ff"), u2=TWO), "UID 1 was"),
        (replace(BEFORE, mailboxes={FOO: {"INBOX": Mailbox(8, {1: ONE, 2: TWO})}}), "UIDVALIDITY was 7 and is 8"),
        (replace(BEFORE, mailboxes={FOO: {}}), "INBOX of foo@example.org is gone"),
        (replace(BEFORE, subscribed={FOO: []}), "was subscribed"),
        (replace(BEFORE, rows={"users": {FOO: "another"}, "aliases": BEFORE.rows["aliases"]}), "accounts: 1 of 1"),
        (replace(BEFORE, rows={"users": BEFORE.rows["users"], "aliases": {}}), "aliases: 1 of 1"),
        (replace(BEFORE, scripts={}), "Sieve scripts: 1 of 1"),
        (replace(BEFORE, held={"virus-1": "ee"}), "letters in quarantine: 1 of 1"),
        (replace(BEFORE, bayes={"nspam": "2"}), "Bayes knew 3 letters (nspam) and knows 2"),
        (replace(BEFORE, queue={}), "1 letters that waited in the queue"),
    ],
)
def test_whatever_is_not_as_it_was_is_named(after: Life, words: str) -> None:
    assert words in "\n".join(differences(BEFORE, after))


def test_a_letter_is_lost_or_delivered_twice_or_refused() -> None:
    sent = Traffic(sent={"mark-one": FOO, "mark-two": FOO, "nowhere": FOO, "back": FOO}, refused={"back": "550"})
    twice = life(u1=ONE, u2=ONE, u3=TWO)
    assert sent.lost({mark: len(twice.places(mark)) for mark in sent.sent}) == ["nowhere"]
    assert twice.places("mark-one") == ["INBOX of foo@example.org"] * 2


def asked(traffic: Traffic, *ports: int) -> Traffic:
    """The ports, or all of them, were asked."""
    for number in ports or traffic.ports:
        traffic.ports[number].asked = 9
    return traffic


def test_a_report_says_what_is_wrong_and_only_then() -> None:
    good = Report(BEFORE, asked(Traffic(sent={"mark-one": FOO})), checks={"passed": 259})
    assert (
        good.problems == []
        and "Nothing was lost: 2 letters" in page(good, "A title")
        and "wrong" not in page(good, "A title")
    )
    for bad in (
        replace(good, lost=["mark-one"]),
        replace(good, differences=["all of it"]),
        replace(good, wrong=["postfix.tls"]),
        replace(good, again=1),
        replace(good, traffic=asked(Traffic(sent={"mark-one": FOO}, refused={"mark-one": "550"}))),
        replace(good, traffic=asked(Traffic())),
        replace(good, checks={}),
        replace(good, traffic=asked(Traffic(sent={"mark-one": FOO}), 25, 587)),
    ):
        assert (
            len(bad.problems) == 1 and "## What is wrong" in page(bad, "A title") and bad.verdict.startswith("Not yet")
        )


def test_what_a_run_has_to_say_is_a_paragraph() -> None:
    lines = [
        "  Chapter 1: TLS      as it was\n",
        "  ! the packages of the new\n",
        "    release are installed\n",
        "  Chapter 2\n",
    ]
    assert upgrade.warnings(lines) == ["the packages of the new release are installed"]


def taken(**knobs: Any) -> Taken:
    given = {
        "mail_domains": ["example.org"],
        "mail_users": [{"email": FOO, "name": "Foo"}],
        "mail_postmaster": None,
        **knobs,
    }
    users = [{"email": FOO, "password": "{SHA512-CRYPT}$6$x", "name": "Foo"}]
    aliases = {"postmaster@example.org": [FOO], "sales@example.org": [FOO]}
    target = Target("mail.example.org", "192.0.2.1", "example.org")
    return Taken("mail", target, "bookworm", given, users, aliases, [], {}, [], 1, 1)


def test_the_double_has_the_real_accounts_and_nothing_that_reaches_out() -> None:
    out = {
        "acme": True,
        "relayhost": "smtp.example.net:587",
        "mail_hostname": "mail.example.org",
        "dane": True,
        "tls_key": "/k",
    }
    found = double.values(taken(**out, spam_score=4.0, mail_home="/srv/mail"))
    assert not out.keys() & found.keys() and found["spam_score"] == 4.0 and found["mail_home"] == "/srv/mail"
    assert [one["email"] for one in found["mail_users"]] == ["judge-one@example.org", "judge-two@example.org", FOO]
    assert found["mail_postmaster"] is None and found["mail_aliases"] == {"sales@example.org": [FOO]}
    passwords = double.accounts(taken())
    assert passwords[FOO] == "{SHA512-CRYPT}$6$x" and len(set(passwords.values())) == 3


def test_the_sample_takes_no_key_and_no_password(tmp_path: Path) -> None:
    folder = tmp_path / "foo"
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    for number in range(5):
        (file := folder / f"cur/{number}:2,S").write_text("A letter.\n")
        os.utime(file, (number, number))
    (folder / "new/large").write_bytes(b"x" * 2_000_000)
    for name in ("dovecot-uidlist", "dovecot.index.cache", "key.pem", "work.sieve", "work.svbin"):
        (folder / name).write_text("x")
    real = replace(taken(), target=Target("mail", "192.0.2.1", "example.org", mail_home=str(tmp_path)))
    tar = tmp_path / "sample.tar"
    with tar.open("wb") as written:
        subprocess.run(["sh", "-c", real.sample(3)], stdout=written, check=True)
    with tarfile.open(tar) as archive:
        names = sorted(Path(one).name for one in archive.getnames())
    assert names == ["2:2,S", "3:2,S", "4:2,S", "dovecot-uidlist", "work.sieve"]


@pytest.mark.parametrize("code", [0, 1])
def test_what_would_be_refused_is_told_without_what_surrounds_it(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "--> Connecting to hosts...\n    [mail] Connected\n"
    refusal = "    [mail] refused: held back: bash; apt-mark unhold bash\n    [mail] refused: nothing was changed on this host\n"
    done = subprocess.CompletedProcess([], code, "", said + refusal * code)
    monkeypatch.setattr(subprocess, "run", lambda *words, **more: done)
    assert looked(taken()) == ["held back: bash; apt-mark unhold bash"] * code


def test_a_dry_run_that_fails_without_a_refusal_is_no_empty_list(monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.CompletedProcess([], 1, "", "Traceback")
    monkeypatch.setattr(subprocess, "run", lambda *words, **more: done)
    with pytest.raises(Refused, match="Traceback"):
        looked(taken())
