"""relayhost: how it may be written, what is refused before the first change, and what a run with and without it does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploys.beside import beside
from deploys.data import mail_data
from deploys.misfits import misfits
from deploys.platforms import PLATFORMS
from deploys.told import Told, by_step, each, told
from facts.mail_host import File, MailHost
from operations import files, packages, postfix, relay
from postmaster.zone.port25 import RELAY
from tests.unit.inventories import SERVICES, good, problems, put

ASK = Callable[..., list[str]]
DEBIAN = PLATFORMS["debian", "13"]
TABLE = "/etc/postfix/mailroom-relay"
LOGIN = {"relayhost": "smtp.provider.example:587", "relayhost_user": "me@provider.example"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("smtp.provider.example:587", "smtp.provider.example:587"),
        ("smtp.provider.example", "smtp.provider.example:587"),
        ("[smtp.provider.example]:465", "smtp.provider.example:465"),
        ("[smtp.provider.example]", "smtp.provider.example:587"),
        ("SMTP.Provider.Example:2525", "smtp.provider.example:2525"),
        ("smtp.xn--bcher-kva.example:65535", "smtp.xn--bcher-kva.example:65535"),
        (None, None),
        ("None", None),  # as --data hands it over
    ],
)
def test_as_providers_write_it(knobs: dict[str, Any], written: str | None, meant: str | None) -> None:
    assert good(knobs, relayhost=written).relayhost == meant


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "a full host name"),
        ("provider", "a full host name"),
        ("smtp.bücher.example", "xn--bcher-kva"),
        ("192.0.2.1", "it is an IP address"),
        ("[192.0.2.1]:587", "it is an IP address"),
        ("[2001:db8::1]:587", "it is an IP address"),
        ("2001:db8::1", "not HOST or HOST:PORT"),
        ("smtp.provider.example.", "leave out the dot"),
        ("smtp.provider.example:", "not HOST or HOST:PORT"),
        ("smtp.provider.example:0", "a port up to 65535"),
        ("smtp.provider.example:65536", "a port up to 65535"),
        ("smtp.provider.example:smtp", "not HOST or HOST:PORT"),
        ("smtp://smtp.provider.example:587", "not HOST or HOST:PORT"),
        ("[smtp.provider.example:587", "not HOST or HOST:PORT"),
        ("smtp.provider.example:587\n", "not HOST or HOST:PORT"),
        ("a.example b.example", "write it like"),
        (587, "is no text"),
        (True, "is no text"),
        ({"host": "smtp.provider.example", "password": "S3ntinel"}, "the password is in secrets_file"),
        ("me:S3ntinel@smtp.provider.example", "has an @ in it"),
    ],
)
def test_refused(knobs: dict[str, Any], written: Any, says: str) -> None:
    (problem,) = problems(knobs, relayhost=written)
    assert says in problem and problem.startswith("relayhost") and "S3ntinel" not in problem
    assert "smtp.provider.example" in problem or "write that" in problem


@pytest.mark.parametrize("user", ["", " me", "me ", "me:you", "a\nb", "a" * 257, 5, "\ud800"])
def test_a_login_that_no_table_can_hold(knobs: dict[str, Any], user: Any) -> None:
    (problem,) = problems(knobs, **{**LOGIN, "relayhost_user": user})
    assert "one line without a colon" in problem


@pytest.mark.parametrize("name", ["mx1.example.test", "MX1.Example.Test:25", "localhost.example.test"])
def test_a_relay_is_another_host(knobs: dict[str, Any], name: str) -> None:
    (problem,) = problems(knobs, relayhost=name)
    assert "is this host itself" in problem


@pytest.mark.parametrize(
    ("password", "says"),
    [
        (None, "'relayhost' has no password"),
        ("", "is empty"),
        ("ends with a blank ", "one line"),
        ("two\nlines", "one line"),
        ("a\tb", "one line"),
        ("x" * 513, "at most 512"),
    ],
)
def test_its_password(knobs: dict[str, Any], tmp_path: Path, password: str | None, says: str) -> None:
    found = SERVICES if password is None else {**SERVICES, "relayhost": password}
    knobs["secrets_file"] = put(tmp_path / "secrets.json", found)
    (problem,) = problems(knobs, **LOGIN)
    assert says in problem and (not password or password not in problem)
    assert good(knobs, relayhost=LOGIN["relayhost"])  # no login, no password
    assert good(knobs, relayhost_user="me")  # and no relay, no login


@pytest.mark.parametrize("password", ["x", " begins with one", 'a"b\\c$d#e:f@g%h', "pässwörd", "{SHA}x", "x" * 512])
def test_any_password_that_a_provider_gives_is_told_as_it_is(
    knobs: dict[str, Any], tmp_path: Path, password: str
) -> None:
    knobs["secrets_file"] = put(tmp_path / "secrets.json", json.dumps({**SERVICES, "relayhost": password}))
    known = good(knobs, **LOGIN)
    assert password not in repr(known) or password == "x"
    (text,) = [given["text"] for given in each(kept(known), files.put) if given["dest"] == TABLE]
    assert text == f"[smtp.provider.example]:587 me@provider.example:{password}"


def kept(known: Any) -> Told:
    return by_step(known, DEBIAN, MailHost())["believed.relay"]


def shown(**values: Any) -> Told:
    return kept(mail_data(values, "mx1.example.test", secrets_too=False))


def options(**values: Any) -> dict[str, str]:
    (given,) = each(shown(**values), postfix.overrides)
    found: dict[str, str] = given["settings"]
    return found


def test_tls_is_verified_and_the_password_is_in_one_file() -> None:
    (put,) = each(shown(**LOGIN), files.put)
    assert (put["dest"], put["mode"], put.get("user", "root")) == (TABLE, "600", "root")
    told = options(**LOGIN)
    assert told["smtp_tls_security_level"] == "secure" and told["smtp_sasl_password_maps"] == f"texthash:{TABLE}"
    assert "(secret)" in put["text"] and "(secret)" not in str(told)
    (main,) = each(shown(**LOGIN), postfix.main_cf)
    assert main["settings"] == {"relayhost": "[smtp.provider.example]:587", "default_transport": "mailroom-relay"}


@pytest.mark.parametrize(
    ("port", "tls", "wrapped"),
    [(465, None, "yes"), (587, None, "no"), (2465, None, "no"), (2465, "wrapped", "yes"), (465, "starttls", "no")],
)
def test_how_tls_begins(port: int, tls: str | None, wrapped: str) -> None:
    told = options(relayhost=f"smtp.provider.example:{port}", relayhost_tls=tls)
    assert told["smtp_tls_wrappermode"] == wrapped and told["smtp_tls_security_level"] == "secure"


def test_without_a_login_there_is_no_password() -> None:
    told = shown(relayhost="smtp.provider.example:25")
    assert options(relayhost="smtp.provider.example:25")["smtp_sasl_auth_enable"] == "no"
    assert not list(each(told, files.put)) and not list(each(told, packages.packages))
    assert [given["path"] for given in each(told, files.file) if given["present"] is False] == [TABLE]


def test_an_authority_of_ones_own_has_to_be_on_the_host(knobs: dict[str, Any]) -> None:
    known = good(knobs, relayhost="smtp.provider.example", relayhost_ca="/etc/ssl/ours.pem")
    there = MailHost(system={"queue_free_mb": "9000"})
    assert any("is not on the host" in one for one in misfits(there, known, DEBIAN))
    for text, right in (("-----BEGIN CERTIFICATE-----\n…", True), ("DER", False)):
        there.files["/etc/ssl/ours.pem"] = File("644", "root", "root", 1.0, "regular file", "", text)
        assert any("relayhost_ca" in one for one in misfits(there, known, DEBIAN)) is not right
    assert options(relayhost="a.example", relayhost_ca="/etc/ssl/ours.pem")["smtp_tls_CAfile"] == "/etc/ssl/ours.pem"


def test_what_was_ours_is_taken_away_and_the_operators_own_stays(ask: ASK) -> None:
    ours = MailHost(main_cf={"default_transport": "mailroom-relay", "relayhost": "[a.example]:587"})
    (command,) = ask(ours, relay.no_road, "mailroom-relay")
    assert command.rstrip().endswith("-X default_transport relayhost")
    for settings in ({}, {"relayhost": "[own.example]"}, {"default_transport": "smtp:[own.example]"}):
        assert ask(MailHost(main_cf=settings), relay.no_road, "mailroom-relay") == []
    entry = MailHost(master_cf={"mailroom-relay/unix": "mailroom-relay unix - - y - - smtp"})
    (command,) = ask(entry, relay.no_service, "mailroom-relay/unix")
    assert command.rstrip().endswith("-MX mailroom-relay/unix")
    assert ask(MailHost(), relay.no_service, "mailroom-relay/unix") == []
    assert ask(ours, relay.retry, "mailroom-relay") == []  # a prediction knows of no change


def test_a_run_that_takes_it_away_does_not_call_it_somebody_elses() -> None:
    there = MailHost(
        main_cf={"default_transport": "mailroom-relay", "relayhost": "[a.example]:587"},
        master_cf={"mailroom-relay/unix": "mailroom-relay unix - - y - - smtp"},
        overrides={"mailroom-relay/unix/smtp_sasl_auth_enable": "yes"},
    )
    for values in ({}, LOGIN):
        known = mail_data(values, "mx1.example.test", secrets_too=False)
        assert beside(there, known, told(known, DEBIAN, there)) == []
    del there.main_cf["default_transport"]
    known = mail_data({}, "mx1.example.test", secrets_too=False)
    (named,) = beside(there, known, told(known, DEBIAN, there))
    assert "main.cf sets relayhost" in named


@pytest.mark.parametrize(
    ("value", "host", "port"), [("[a.example]:587", "a.example", "587"), ("a.example", "a.example", None)]
)
def test_the_desk_knows_where_to_knock(value: str, host: str, port: str | None) -> None:
    found = RELAY.fullmatch(value)
    assert found and (found[1], found[2]) == (host, port)
