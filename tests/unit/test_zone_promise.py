"""What is promised to who writes to us, and who may sign for us: each record right, missing, wrong and doubled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from checks.clients import web as client
from checks.engine.target import Target
from checks.engine.verdicts import Failed
from postmaster.zone import caa, promise
from tests.unit.test_zone import DOMAIN, FACTS, HOST, rows
from tests.zones import GLUE, SOA, authorities

TEXT = f"version: STSv1\nmode: enforce\nmx: {HOST}\nmax_age: 604800\n"
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
OURS = replace(FACTS, policy=TEXT, authority=LETS_ENCRYPT)
ID = promise.id_of(TEXT)
RECORD = f'_mta-sts 60 TXT "v=STSv1; id={ID}"'
ALIAS = "mta-sts 60 CNAME mail"
CAA = '@ 60 CAA 0 issue "letsencrypt.org"'
ROW = {"id": f"TXT _mta-sts.{DOMAIN}", "name": f"CNAME mta-sts.{DOMAIN}", "caa": f"CAA {DOMAIN}"}


def test_the_id_is_another_one_for_another_text_and_fits_a_record() -> None:
    assert promise.id_of(TEXT.replace("enforce", "testing")) != ID and promise.ID.fullmatch(ID)


def test_without_a_promise_and_without_an_authority_nothing_is_asked_for() -> None:
    assert not set(ROW.values()) & rows().keys()
    assert ROW["caa"] not in rows(facts=replace(OURS, authority="https://ca.example.test/dir"))


@pytest.mark.parametrize(
    ("which", "lines", "sign", "says"),
    [
        ("id", f"{RECORD}\n{ALIAS}", "right", "the id"),
        ("id", "", "advice", "there is none"),
        ("id", '_mta-sts 60 TXT "v=STSv1; id=20260101"', "wrong", "the promise has changed"),
        ("id", f'{RECORD}\n_mta-sts 60 TXT "v=STSv1; id=1"', "wrong", "there are 2"),
        ("id", '_mta-sts 60 TXT "v=STSv1;"', "wrong", "no id"),
        ("id", '_mta-sts 60 TXT "v=STSv1; id=2026-01-01"', "wrong", "no id"),
        ("id", f'_mta-sts 60 TXT "id={ID}"', "wrong", "v=STSv1"),
        ("name", ALIAS, "right", "an alias"),
        ("name", "mta-sts 60 A 198.18.0.25", "right", f"where {HOST} leads"),
        ("name", "mta-sts 60 A 198.18.0.99", "wrong", "198.18.0.99"),
        ("name", "mta-sts 60 A 198.18.0.25\nmta-sts 60 AAAA 2001:db8:1::99", "wrong", "2001:db8:1::99"),
        ("name", "mta-sts 60 AAAA 2001:db8:1::25", "wrong", "over IPv6 only"),
        ("name", "mta-sts 60 CNAME www", "wrong", f"www.{DOMAIN}"),
        ("name", "", "advice", "there is none"),
        ("caa", CAA, "right", "may sign"),
        ("caa", "", "advice", "there is none"),
        ("caa", '@ 60 CAA 0 issue "ca.example.net"', "wrong", "letsencrypt.org may not sign"),
        ("caa", '@ 60 CAA 0 issue ";"', "wrong", "may not sign"),
        ("caa", '@ 60 CAA 0 issue "ca.example.net"\n@ 60 CAA 0 issue "letsencrypt.org"', "right", "may sign"),
        ("caa", '@ 60 CAA 0 iodef "mailto:a@b.example"', "right", "may sign"),
        ("caa", f'{CAA}\nmail 60 CAA 0 issue "ca.example.net"', "wrong", f"sign for {HOST}"),
        ("caa", '@ 60 CAA 0 issue "letsencrypt.org; validationmethods=dns-01"', "wrong", "may not sign"),
        ("caa", '@ 60 CAA 0 issue "letsencrypt.org; validationmethods=http-01,dns-01"', "right", "may sign"),
    ],
)
def test_each_record(which: str, lines: str, sign: str, says: str) -> None:
    row = rows({"more": lines}, OURS)[ROW[which]]
    assert (row["sign"], says in str(row["says"])) == (sign, True), row


@pytest.mark.parametrize("name", ["mta-sts", "autoconfig", "autodiscover"])
def test_an_authority_has_to_be_allowed_for_each_name_of_the_certificate(name: str) -> None:
    lines = f'{CAA}\n{name} 60 CAA 0 issue "ca.example.net"'
    row = rows({"more": lines}, replace(OURS, autoconfig=True))[ROW["caa"]]
    assert row["sign"] == "wrong" and f"sign for {name}.{DOMAIN}" in str(row["says"]), row


def test_a_host_in_another_zone_than_its_mail_has_a_record_of_its_own() -> None:
    found = [need.name for need in caa.needs(replace(OURS, name="mx.example.net"))]
    assert found == [DOMAIN, "mx.example.net"]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """read(text, …): the row of a promise that is read over https with this text, status and type; a Failed is raised."""

    def ask(
        text: str | Failed, status: int = 200, kind: str = "text/plain", facts: Any = OURS, mx: str = "@ 60 MX 10 mail"
    ) -> Any:
        def answered(*_: Any, **given: Any) -> tuple[int, str, dict[str, str]]:
            assert given == {"name": f"mta-sts.{DOMAIN}", "port": 443}
            if isinstance(text, Failed):
                raise text
            return status, text, {"Content-Type": kind}

        monkeypatch.setattr(client, "answered", answered)
        names = authorities((DOMAIN, f"{SOA}{GLUE}{mx}\n{RECORD}\n"))
        target = Target(hostname=HOST, address=HOST, domain=DOMAIN)
        return list(promise.rows(target, facts, names))

    yield ask


def test_the_promise_is_read_as_a_sender_does(read: Any) -> None:
    (right,) = read(TEXT.replace("\n", "\r\n"), kind="text/plain; charset=utf-8")
    assert (right["sign"], right["required"]) == ("right", True) and HOST in right["says"]
    for one, says in (
        (read(TEXT, status=404), "404"),
        (read(TEXT, kind="text/html"), "no policy"),
        (read("hello"), "no policy"),
        (read(TEXT.replace("enforce", "testing")), "another promise"),
        (read(TEXT, mx="@ 60 MX 10 mail\n@ 60 MX 20 mx.example.net."), "mx.example.net"),
        (read(Failed("port 443 gives no answer: certificate verify failed")), "verify failed"),
        (read(TEXT, facts=replace(OURS, policy="", addresses=("198.18.0.25",))), "makes none"),
    ):
        assert one[0]["sign"] == "wrong" and says in one[0]["says"] and one[0]["remedy"], one
    (row,) = read(TEXT, facts=replace(OURS, policy="", addresses=(), private=()))  # by its name alone
    assert row["sign"] == "right"


@pytest.mark.parametrize(
    ("host", "pattern", "fits"),
    [
        ("mail.example.test", "mail.example.test", True),
        ("mail.example.test", "*.example.test", True),
        ("a.mail.example.test", "*.example.test", False),
        ("example.test", "*.example.test", False),
    ],
)
def test_a_star_stands_for_one_label(host: str, pattern: str, fits: bool) -> None:
    assert promise.matches(host, pattern) == fits
