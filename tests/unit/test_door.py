"""What DMARC asks for, case by case: the part of Amavis's configuration that knows no Amavis, run by perl alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploys import texts

PART = Path(texts.__file__).with_name("templates") / "believed" / "67-mailroom-dmarc.pl"
SUFFIXES = """// a comment
com
org
net
uk
co.uk
*.ck
!www.ck
jp
*.kawasaki.jp
!city.kawasaki.jp
// ===BEGIN PRIVATE DOMAINS===
github.io
"""
# $ask of a table: a list of texts, null where nobody answers; a name is there if the table knows it.
DRIVER = r"""
use strict; use JSON::PP;
my ($part, $list) = @ARGV;
{ no warnings 'once'; $Mailroom::DMARC::LIST = $list;
  $Mailroom::DMARC::ascii = sub { $_[0] eq "b\xc3\xbccher.org" ? 'xn--bcher-kva.org' : $_[0] }; }
do $part or die $@ || $!;
local $/; my ($what, $dns, @given) = @{decode_json(<STDIN>)};
my $ask = sub { my ($name, $type) = @_; return exists $dns->{$name} ? $dns->{$name} : $type ? [] : 0 };
no strict 'refs';
utf8::encode($_) for grep { !ref } @given;
my @said = $what eq 'wanted' ? &{"Mailroom::DMARC::wanted"}(@given, $ask)
  : $what eq 'judged' ? Mailroom::DMARC::judged($given[0], scalar Mailroom::DMARC::wanted($given[0], $ask), @given[1 .. $#given])
  : &{"Mailroom::DMARC::$what"}(@given);
print encode_json(\@said);
"""
pytestmark = pytest.mark.skipif(not shutil.which("perl"), reason="there is no perl here")


@pytest.fixture(scope="module")
def suffixes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("door") / "list.dat"
    path.write_text(SUFFIXES)
    return path


def said(suffixes: Path, what: str, *given: Any, dns: dict[str, Any] | None = None) -> list[Any]:
    done = subprocess.run(
        ["perl", "-w", "-e", DRIVER, str(PART), str(suffixes)],
        input=json.dumps([what, dns or {}, *given]),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    return list(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("domain", "organization"),
    [
        ("example.org", "example.org"),
        ("a.b.example.org", "example.org"),
        ("news.bbc.co.uk", "bbc.co.uk"),
        ("co.uk", "co.uk"),
        ("mine.github.io", "mine.github.io"),
        ("a.b.c.ck", "b.c.ck"),
        ("a.www.ck", "www.ck"),
        ("x.city.kawasaki.jp", "city.kawasaki.jp"),
        ("y.x.kawasaki.jp", "y.x.kawasaki.jp"),
        ("a.b.example.test", "example.test"),  # no rule: the last label is the suffix
        ("localhost", "localhost"),
    ],
)
def test_the_organization_is_one_label_below_the_public_suffix(suffixes: Path, domain: str, organization: str) -> None:
    assert said(suffixes, "organization", domain) == [organization]


@pytest.mark.parametrize(
    ("fields", "domains"),
    [
        (["foo@example.org"], ["example.org"]),
        ([' "Boss" <boss@EXAMPLE.org.>\n'], ["example.org"]),
        (['"boss@example.net" <x@example.org>'], ["example.org"]),
        (["x@example.org (boss@example.net)"], ["example.org"]),
        (["boss@example.net <x@example.org>"], ["example.org"]),
        (["a@example.org, <b@example.net>"], ["example.org", "example.net"]),
        (["<a@example.org> <b@example.net>"], ["example.org", "example.net"]),
        (["a@example.org", "b@example.net"], ["example.org", "example.net"]),  # two fields
        (["us: a@example.org, b@example.net;"], ["example.org", "example.net"]),
        (['"Doe, John" <a@example.org>'], ["example.org"]),
        (["a @ example.org"], ["example.org"]),
        (["\n a\n @example.org\n"], ["example.org"]),
        (['"a"@example.org'], ["example.org"]),
        (['"a@b"@example.org'], ["example.org"]),
        (['"unclosed <a@example.org>'], ["example.org"]),
        (["(unclosed a@example.org"], ["example.org"]),
        ([r'"a\" <b@example.net>" <a@example.org>'], ["example.org"]),
        (["(a (nested) comment) a@example.org"], ["example.org"]),
        (["a@bücher.org"], ["xn--bcher-kva.org"]),
        ([f'"{"x" * 100000}" <a@example.org>'], ["example.org"]),
        ([f"{' ' * 300000}a{' ' * 300000}@{' ' * 300000}example.org{'.' * 500}"], ["example.org"]),
        ([f"{'(' * 100000} a@example.org"], ["example.org"]),
        ([f"a@{'.' * 300000}x"], []),
        (["a@[192.0.2.1]"], []),
        ([""], []),
        (["<>"], []),
        (["foo"], []),
        ([], []),
    ],
)
def test_authors_are_all_that_a_mail_program_may_show(suffixes: Path, fields: list[str], domains: list[str]) -> None:
    assert said(suffixes, "authors", *fields) == domains


RECORDS = {
    "nothing": ([], None),
    "another text": (["v=spf1 -all"], None),
    "plain": (["v=DMARC1; p=reject"], "reject"),
    "blanks and capitals": (["v = DMARC1 ;P = Quarantine ;"], "quarantine"),
    "small letters in the version": (["v=dmarc1; p=reject"], None),
    "the version not first": (["p=reject; v=DMARC1"], None),
    "a longer version": (["v=DMARC10; p=reject"], None),
    "two records": (["v=DMARC1; p=reject", "v=DMARC1; p=none"], None),
    "a record and something else": (["hello", "v=DMARC1; p=reject"], "reject"),
    "no policy": (["v=DMARC1; rua=mailto:a@example.org"], None),
    "a policy that nobody knows": (["v=DMARC1; p=block"], None),
    "two policies": (["v=DMARC1; p=none; p=reject"], "none"),
    "none of a hundred": (["v=DMARC1; p=reject; pct=0"], "quarantine"),
    "all of a hundred": (["v=DMARC1; p=reject; pct=100"], "reject"),
    "no number": (["v=DMARC1; p=quarantine; pct=lots"], "quarantine"),
    "on trial": (["v=DMARC1; p=quarantine; t=y"], "none"),
    "not on trial": (["v=DMARC1; p=quarantine; t=n"], "quarantine"),
    "far too long": (["v=DMARC1; p=reject;" + " " * 60000], None),
    "sp is for others": (["v=DMARC1; p=none; sp=reject"], "none"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_what_a_record_asks_for(suffixes: Path, name: str) -> None:
    found, policy = RECORDS[name]
    (asked,) = said(suffixes, "wanted", "example.org", dns={"_dmarc.example.org": found})
    assert asked.get("policy") == policy


@pytest.mark.parametrize(
    ("record", "there", "policy"),
    [
        ("v=DMARC1; p=reject", True, "reject"),
        ("v=DMARC1; p=reject; sp=none", True, "none"),
        ("v=DMARC1; p=none; np=reject", True, "none"),
        ("v=DMARC1; p=none; np=reject", False, "reject"),
        ("v=DMARC1; p=none; sp=quarantine; np=reject", True, "quarantine"),
        ("v=DMARC1; p=none; sp=quarantine; np=reject", None, "quarantine"),  # nobody said whether it is there
        ("v=DMARC1; p=reject; sp=block", True, None),
    ],
)
def test_below_a_domain_sp_and_np_count(suffixes: Path, record: str, there: bool | None, policy: str | None) -> None:
    dns = {"_dmarc.example.org": [record], "a.b.example.org": there}
    (asked,) = said(suffixes, "wanted", "a.b.example.org", dns=dns)
    assert asked.get("policy") == policy


def test_a_record_of_its_own_counts_before_the_organizations(suffixes: Path) -> None:
    dns = {"_dmarc.example.org": ["v=DMARC1; p=reject"], "_dmarc.a.example.org": ["v=DMARC1; p=none"]}
    assert said(suffixes, "wanted", "a.example.org", dns=dns)[0]["policy"] == "none"


REJECT = ["v=DMARC1; p=reject"]
NONE = ["none", "example.net"]


@pytest.mark.parametrize(
    ("record", "author", "proofs", "result"),
    [
        (REJECT, "example.org", [NONE], "fail"),
        (REJECT, "example.org", [["pass", "example.org"]], "pass"),
        (REJECT, "example.org", [["pass", "mail.example.org"]], "pass"),
        (REJECT, "example.org", [["pass", "example.net"]], "fail"),
        (REJECT, "example.org", [["fail", "example.org"]], "fail"),
        (REJECT, "example.org", [["permerror", "example.org"]], "fail"),
        (REJECT, "example.org", [["temperror", "example.org"]], "temperror"),
        # a broken name below the domain is no excuse
        (REJECT, "example.org", [["temperror", "lame.example.org"]], "fail"),
        (REJECT, "example.org", [["temperror", "example.net"]], "fail"),
        (REJECT, "example.org", [["temperror", "example.org"], ["pass", "example.org"]], "pass"),
        (REJECT, "example.org", [NONE, ["fail", "example.org"], ["pass", "example.org"]], "pass"),
        (REJECT, "example.org", [NONE, ["policy", "example.org"]], "fail"),
        (["v=DMARC1; p=reject; aspf=s"], "example.org", [["pass", "mail.example.org"]], "fail"),
        (["v=DMARC1; p=reject; aspf=s"], "example.org", [NONE, ["pass", "mail.example.org"]], "pass"),
        (["v=DMARC1; p=reject; adkim=s"], "example.org", [NONE, ["pass", "mail.example.org"]], "fail"),
        (["v=DMARC1; p=reject; adkim=s"], "example.org", [NONE, ["pass", "example.org"]], "pass"),
        (None, "example.org", [NONE], "temperror"),
        ([], "example.org", [NONE], "none"),
    ],
)
def test_what_proves_an_author(suffixes: Path, record: Any, author: str, proofs: list[list[str]], result: str) -> None:
    assert said(suffixes, "judged", author, *proofs, dns={"_dmarc.example.org": record}) == [result]


def test_a_name_of_a_hundred_thousand_labels_costs_nothing(suffixes: Path) -> None:
    name = ".".join("a" * 100000) + ".example.org"
    assert said(suffixes, "organization", name) == [name]


def test_two_companies_below_one_suffix_prove_nothing_of_each_other(suffixes: Path) -> None:
    dns = {"_dmarc.good.co.uk": REJECT}
    assert said(suffixes, "judged", "good.co.uk", ["pass", "bad.co.uk"], dns=dns) == ["fail"]


TRUST = {"lists.org": 1, "edge.org": 1}
PROVED = " lists.org; dmarc=pass (p=reject) header.from=example.org"


@pytest.mark.parametrize(
    ("sets", "who"),
    [
        ([["lists.org", PROVED]], "lists.org"),
        ([["evil.net", PROVED]], None),
        ([["evil.net", "x; arc=pass"], ["lists.org", PROVED]], None),  # the newest could have changed all
        ([["edge.org", "edge.org; dmarc=fail header.from=example.org; arc=pass"], ["lists.org", PROVED]], "lists.org"),
        ([["edge.org", "edge.org; arc=pass"], ["evil.net", PROVED]], None),
        ([["lists.org", "lists.org; dkim=pass header.i=@example.org header.s=x"]], "lists.org"),
        ([["lists.org", "lists.org; dkim=pass header.d=mail.example.org"]], "lists.org"),
        ([["lists.org", "lists.org; spf=pass (ok) smtp.mailfrom=bounce@example.org"]], "lists.org"),
        ([["lists.org", "lists.org; dkim=pass header.d=example.net"]], None),
        ([["lists.org", "lists.org; dmarc=pass header.from=example.net"]], None),
        ([["lists.org", "lists.org; dmarc=passed header.from=example.org"]], None),
        ([["lists.org", "lists.org (dmarc=pass header.from=example.org)"]], None),
        ([["lists.org", 'lists.org; dkim=fail reason="x; dmarc=pass header.from=example.org"']], None),
        ([["lists.org", 'lists.org; dkim=fail reason="x; dmarc=pass header.from=example.org']], None),
        ([["lists.org", "lists.org; DMARC=Pass HEADER.FROM=Example.ORG"]], "lists.org"),
        ([], None),
    ],
)
def test_who_vouches(suffixes: Path, sets: list[list[str]], who: str | None) -> None:
    assert (said(suffixes, "vouched", "example.org", {"adkim": 0, "aspf": 0}, TRUST, *sets) or [None])[0] == who


def test_without_the_list_amavis_does_not_start(suffixes: Path, tmp_path: Path) -> None:
    """What a run sees before the part goes live."""
    done = subprocess.run(
        ["perl", "-w", "-e", DRIVER, str(PART), str(tmp_path / "away")], input="[]", capture_output=True, text=True
    )
    assert done.returncode and "Debian's package publicsuffix" in done.stderr
