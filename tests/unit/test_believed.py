"""Chapter 6: its knob, what speaks against a host, and the key, which is made once."""

import itertools
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from pyinfra.api.exceptions import OperationError

from deploys import misfits
from deploys.data import mail_data
from deploys.platforms import PLATFORMS
from deploys.told import by_step
from facts.mail_host import File, MailHost
from operations import amavis, dkim, hold
from postmaster.keys import hands
from tests.unit.inventories import good, problems

FOLDER = "/etc/amavis/mailroom-dkim/example.test"
KEY, SIGNING = f"{FOLDER}/mailroom.pem", f"{FOLDER}/signing"
RIGHT = File("640", "root", "amavis", 1.0, "regular file")
ASK = Callable[..., list[str]]
RUN = Callable[..., subprocess.CompletedProcess[str]]


def test_the_red_hat_family_is_refused() -> None:
    known = mail_data({}, "mx1.example.test", secrets_too=False)
    (problem,) = misfits.unsigned(MailHost(), known, PLATFORMS["rocky", "9"])
    assert "chapter 6" in problem and "Rocky Linux 9" in problem and "deploys/dovecot.py" in problem
    assert misfits.unsigned(MailHost(), known, PLATFORMS["debian", "12"]) == []


@pytest.mark.parametrize("name", ["", "Mailroom", "a.b", "-a", "a_b", "../a", "a" * 64, "a\n"])
def test_a_selector_is_a_label(knobs: dict[str, Any], name: str) -> None:
    (problem,) = problems(knobs, dkim_selector=name)
    assert "is not a name of the DNS without dots" in problem and "mailroom-2027" in problem


def test_the_name_of_the_record_fits_into_the_dns(knobs: dict[str, Any]) -> None:
    domain = ".".join(["a" * 60] * 3 + ["example", "test"])
    assert good(knobs, mail_domains=["example.test", domain], dkim_selector="a" * 40)
    (problem,) = problems(knobs, mail_domains=["example.test", domain], dkim_selector="a" * 63)
    assert "the DNS takes 253" in problem


def test_each_domain_has_a_key_and_all_have_one_part() -> None:
    known = mail_data({"mail_domains": ["example.test", "example.org"]}, "mx1.example.test", secrets_too=False)
    kept = by_step(known, PLATFORMS["debian", "13"], MailHost())["believed.signing"]
    made = [given["folder"] for operation, given in kept if operation is dkim.key]
    (text,) = [given["text"] for operation, given in kept if operation is amavis.part]
    assert made == [FOLDER, FOLDER.replace("example.test", "example.org")]
    assert (
        "for my $domain (qw(example.test example.org)) {" in text
        and f'"{FOLDER.rpartition("/")[0]}/$domain/signing"' in text
    )


def test_no_run_takes_a_key_for_what_a_killed_one_left_behind() -> None:
    """Whatever the domain is called: a key that is removed is lost."""
    (pattern,) = re.findall(r'-name "([^"]+)" -type f -delete', hold.HOLD)
    values = {"mail_domains": ["mailroom.org.uk", "a.mailroom.example.org"], "mail_users": ["foo@mailroom.org.uk"]}
    known = mail_data(values, "mx1.example.test", secrets_too=False)
    kept = by_step(known, PLATFORMS["debian", "13"], MailHost())["believed.signing"]
    made = [given["selector"] for operation, given in kept if operation is dkim.key]
    assert made == ["mailroom"] * 2 and not [name for name in made if fnmatch(f"{name}.pem", pattern)]
    for script in (dkim.FIRST, hands.ROTATE, hands.SWITCH):
        candidates = re.findall(r'mktemp "?[^ ]*/([^"/]+?)"?\)', script)
        assert candidates and all(fnmatch(name.replace("X", "a"), pattern) for name in candidates), script


def test_postfix_sends_nothing_to_a_port_before_amavis_listens_there() -> None:
    known = mail_data({}, "mx1.example.test", secrets_too=False)
    kept = by_step(known, PLATFORMS["debian", "13"], MailHost())["believed.signing"]
    told = [given.get("service", given.get("folder", given.get("dest", ""))) for _, given in kept]
    assert told.index(FOLDER) < told.index("/etc/amavis/conf.d/66-mailroom-dkim") < told.index("amavis")
    assert told.index("amavis") < told.index("pickup/unix") < told.index("postfix")


def like(text: str | None, *keys: str) -> MailHost:
    """A host whose file `signing` says this, with these keys."""
    files = {f"{FOLDER}/{key}.pem": RIGHT for key in keys}
    return MailHost(files=files | ({SIGNING: replace(RIGHT, text=text)} if text is not None else {}))


def test_a_key_is_made_once_and_its_rights_are_put_back(ask: ASK) -> None:
    def asked(there: MailHost, selector: str = "mailroom") -> list[str]:
        return ask(there, dkim.key, FOLDER, selector, group="amavis", part="/part")

    for lacking in (
        MailHost(),
        like(None, "mailroom"),
        like("", "mailroom"),
        like("m1 2026-01-01T00:00:00Z\n", "mailroom"),
    ):
        (command,) = asked(lacking)
        assert "openssl genrsa" in command and command.endswith("mailroom 2048 amavis /part")
    right = like(
        "m1 2026-01-01T00:00:00Z\nmailroom 2025-01-01T00:00:00Z 2026-01-01T00:00:00Z\n", "mailroom", "m1", "m2"
    )
    assert asked(right) == asked(right, "m1") == asked(right, "m2") == []
    for path, wrong in itertools.product(
        right.files, (("644", "root", "amavis"), ("640", "amavis", "amavis"), ("640", "root", "root"))
    ):
        mode, user, group = wrong
        (command,) = asked(
            MailHost(files={**right.files, path: replace(right.files[path], mode=mode, user=user, group=group)})
        )
        assert "genrsa" not in command and command.endswith(f"amavis {path}")


def test_another_selector_is_no_new_key_and_says_what_makes_one(ask: ASK, noops: list[str]) -> None:
    assert ask(like("m1 2026-01-01T00:00:00Z\n", "m1"), dkim.key, FOLDER, "m9", group="amavis") == []
    assert "example.test: m1 signs" in noops[-1] and "postmaster dkim rotate" in noops[-1]


@pytest.mark.parametrize("text", ["Mailroom now\n", "../x 2026\n", "# a remark\nm1 2026\n"])
def test_a_file_that_names_no_key_is_not_replaced(ask: ASK, text: str) -> None:
    assert ask(like(text, "m1"), dkim.key, FOLDER, "m1", group="amavis") == []
    with pytest.raises(OperationError, match=r"nothing was changed.*SELECTOR"):
        list(dkim.key.__wrapped__(FOLDER, "m1", group="amavis"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "example.test"
    made.mkdir()
    return made


@pytest.fixture
def run(tmp_path: Path, folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command as a host runs it, but for chown, which only root may."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "chown").write_text('#!/bin/sh\necho "$*" >"$0.was"\n')
    (programs / "chown").chmod(0o755)

    def command(selector: str = "mailroom", part: str = "") -> subprocess.CompletedProcess[str]:
        words = ["sh", "-euc", dkim.FIRST, "mailroom", str(folder), selector, "2048", "amavis", part]
        env = {"PATH": f"{programs}:{os.environ['PATH']}"}
        return subprocess.run(words, env=env, capture_output=True, text=True)

    return command


def test_the_command_makes_a_private_key_and_replaces_none(run: RUN, folder: Path, tmp_path: Path) -> None:
    assert run().returncode == 0
    first, path = (folder / "mailroom.pem").read_text(), folder / "mailroom.pem"
    assert "PRIVATE KEY" in first and path.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "bin/chown.was").read_text().startswith("root:amavis ")
    assert re.fullmatch(r"mailroom \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", (folder / "signing").read_text())
    assert run("m9").returncode == 0 and path.read_text() == first
    assert sorted(one.name for one in folder.iterdir()) == ["mailroom.pem", "signing"]


@pytest.mark.parametrize(
    ("keys", "was", "signs"),
    [
        (["mailroom"], "mailroom", "mailroom"),
        (["mailroom", "second"], "second", "second"),
        (["mailroom"], "second", "mailroom"),
        (["second"], "", "second"),
        (["mailroom", "second"], "", None),
        (["mailroom", "second"], "third", None),
    ],
)
def test_a_host_of_an_earlier_version_keeps_the_key_that_signs(
    run: RUN, folder: Path, tmp_path: Path, keys: list[str], was: str, signs: str | None
) -> None:
    """It has no file that says so, but the part of Amavis's that was written then. Where nobody can say, nothing changes."""
    for key in keys:
        (folder / f"{key}.pem").write_text(key)
    lines = [f"dkim_key('{name}', '{was}', '{KEY}');" for name in ("other.example", "example.test") if was]
    (tmp_path / "part").write_text("\n".join(["use strict;", *lines, "1;\n"]))
    done = run("third", str(tmp_path / "part"))
    assert (done.returncode == 0) == bool(signs), done.stderr
    if not signs:
        assert "nothing was changed" in done.stderr.lower() and not (folder / "signing").exists()
        return
    assert [line.split(" ")[0] for line in (folder / "signing").read_text().splitlines()] == [
        signs,
        *(one for one in keys if one != signs),
    ]
    assert {one.name: one.read_text() for one in folder.glob("*.pem")} == {f"{key}.pem": key for key in keys}


def test_a_key_that_signs_and_is_lost_is_made_anew_by_its_name(run: RUN, folder: Path) -> None:
    text = "m2 2026-02-01T00:00:00Z\nm1 2026-01-01T00:00:00Z 2026-02-01T00:00:00Z\n"
    (folder / "signing").write_text(text)
    (folder / "m1.pem").write_text("old")
    assert run("m1").returncode == 0
    assert "PRIVATE KEY" in (folder / "m2.pem").read_text() and (folder / "signing").read_text() == text


def door(**values: Any) -> str:
    known = mail_data(values, "mx1.example.test", secrets_too=False)
    kept = by_step(known, PLATFORMS["debian", "13"], MailHost())["believed.door"]
    (text,) = [given["text"] for operation, given in kept if operation is amavis.part and "door" in given["dest"]]
    return str(text)


def test_the_door_knows_whom_it_trusts_and_what_is_enough() -> None:
    assert "qw()" in door() and "qw(lists.example.org)" in door(trusted_forwarders=["Lists.Example.org"])
    assert "spam_level(5.0)" in door() and "spam_level(7.5)" in door(spam_score=7.5)
    equal = "$policy_bank{'REFUSING'}{spam_kill_level_maps} = [6.0 + 0.001];"
    assert equal in door(spam_score=6.0, spam_refuse_score=6.0) and equal not in door(spam_refuse_score=6.0)


def test_without_network_tests_the_door_asks_nobody() -> None:
    text = door(spam_network_tests=False)
    assert "Mail::DKIM::DNS::query = sub { die" in text and "Mail::SPF" not in text and "sub judged { 'none' }" in text
    assert "DNS::query = " not in door()


@pytest.mark.parametrize(
    "name", ["", "lists", "lists.example.org.", "*.example.org", "a@example.org", 'x.org"; die', 7]
)
def test_a_forwarder_is_a_domain(knobs: dict[str, Any], name: Any) -> None:
    (problem,) = problems(knobs, trusted_forwarders=[name])
    assert "trusted_forwarders" in problem and "lists.example.org" in problem


def test_spamassassins_own_dmarc_counts_nothing() -> None:
    known = mail_data({}, "mx1.example.test", secrets_too=False)
    kept = by_step(known, PLATFORMS["debian", "13"], MailHost())["amavis.spamassassin"]
    (text,) = [given["text"] for operation, given in kept if operation is amavis.rules]
    scores = re.findall(r"^score DMARC_(\w+) 0$", text, re.MULTILINE)
    assert scores == ["PASS", "REJECT", "QUAR", "NONE", "MISSING"]
    assert not [name for names in PLATFORMS["debian", "13"].packages.values() for name in names if "dmarc" in name]
