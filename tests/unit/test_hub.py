"""The hub of a class, as far as no host is needed: tokens, the certificate, the doors, the cards, and what an address may be."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from classroom.hub import bringing, certificate, commands, doors, facts, handout, opening, tokens
from classroom.hub.inside import furnish
from classroom.people import ClassError, Learner

ADA = {"name": "ada", "address": "198.18.3.101", "ssh_port": 20123}
CLIENT = {"name": "client", "address": "198.18.3.100", "ssh_port": 20124}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(tmp_path))
    return tmp_path / "hub"


def test_a_token_stays_until_another_one_is_asked_for(folder: Path) -> None:
    first = tokens.issue(["ada", "ben"])
    assert len(set(first.values())) == 2 and all(len(one) == 19 for one in first.values())
    assert tokens.issue(["ada", "ben", "cleo"]).items() > first.items()
    again = tokens.issue(["ada", "ben"], again=["ben"])
    assert again["ada"] == first["ada"] and again["ben"] != first["ben"] and list(again) == ["ada", "ben"]
    assert (folder / tokens.FILE).stat().st_mode & 0o777 == 0o600 and folder.stat().st_mode & 0o777 == 0o700


def test_a_token_may_be_typed_as_people_type() -> None:
    assert tokens.digest("ABCD-EFGH-JKMN-PQRS") == tokens.digest(" abcd efgh jkmnpqrs ")
    assert tokens.digest("ABCD-EFGH-JKMN-PQRS") != tokens.digest("ABCD-EFGH-JKMN-PQRT")
    assert not set("01OILU") & set(tokens.LETTERS)


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.7", "hub.school.example", "2001:db8::1"])
def test_the_certificate_is_for_the_address_of_the_cards(folder: Path, host: str) -> None:
    tokens.folder()
    certificate.ensure(folder, host)
    before = certificate.fingerprint(folder)
    names = certificate.load(folder).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert certificate.called(host) in list(names) and x509.DNSName("localhost") in list(names)
    certificate.ensure(folder, host)
    assert certificate.fingerprint(folder) == before and len(before) == 95
    certificate.ensure(folder, "another.example")
    assert certificate.fingerprint(folder) != before
    assert (folder / certificate.KEY).stat().st_mode & 0o777 == 0o600


def test_a_certificate_in_its_last_week_is_made_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens.folder()
    monkeypatch.setattr(certificate, "DAYS", certificate.LEFT - 1)
    certificate.ensure(folder, "a.example")
    before = certificate.fingerprint(folder)
    monkeypatch.undo()
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(folder.parent))
    certificate.ensure(folder, "a.example")
    assert certificate.fingerprint(folder) != before


def test_all_doors_of_a_learner_are_in_their_own_network() -> None:
    ways = doors.ways([ADA, CLIENT])
    assert ways == {20123: "198.18.3.101:22", 20124: "198.18.3.100:22", 8081: "127.0.0.1:8081"}
    units = doors.units("ada", doors.door(ADA), ways)
    for port, to in ways.items():
        socket, service = units[f"mailroom-way-ada-{port}.socket"], units[f"mailroom-way-ada-{port}.service"]
        assert "NetworkNamespacePath=/run/netns/ada\n" in socket and f"ListenStream=127.0.0.1:{port}\n" in socket
        assert "NetworkNamespacePath" not in service and service.count(f" {to}\n") == 1 + service.count(
            f"reaches {to}\n"
        )
    # to the server it is the other way round
    assert "NetworkNamespacePath" not in units["mailroom-door-ada.socket"]
    assert "NetworkNamespacePath=/run/netns/ada\n" in units["mailroom-door-ada.service"]
    assert len(units) == 2 * (len(ways) + 1)
    assert all(
        "{" not in text and "DynamicUser=yes" in text for name, text in units.items() if name.endswith(".service")
    )


def test_the_web_server_has_a_route_for_each_and_writes_no_query_down() -> None:
    text = doors.nginx({"ada": 9001, "ben": 9002})
    assert text.count("location /user/") == 2 and "location /user/ben/ { proxy_pass http://127.0.0.1:9002;" in text
    assert "LEARNERS" not in text and "$request_uri" not in text and '$request"' not in text and "$args" not in text
    assert text.count("listen ") == 1 and "listen 443 ssl;" in text


@pytest.mark.parametrize(
    ("typed", "is_"),
    [
        ("https://hub.example:8443", "https://hub.example:8443"),
        ("hub.example", "https://hub.example"),
        ("https://192.0.2.7:8443/", "https://192.0.2.7:8443"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_address_is_https(typed: str, is_: str) -> None:
    assert facts.checked(typed) == is_


@pytest.mark.parametrize(
    "typed",
    ["http://hub.example", "https://", "https://a.example/hub", "https://a.example:99999", "https://a@b.example"],
)
def test_what_is_no_address_is_refused_before_anything_is_changed(typed: str) -> None:
    with pytest.raises(ClassError, match="nothing was changed"):
        facts.checked(typed)


@pytest.mark.parametrize("typed", ["1", "1GB", "0M", "-1G", "infinity", "1G\nX"])
def test_what_is_no_size_is_refused(typed: str) -> None:
    assert facts.size("800M") == "800M"
    with pytest.raises(ClassError, match="nothing was changed"):
        facts.size(typed)


def test_without_a_hub_each_command_says_how_to_get_one() -> None:
    for ask in (facts.there, facts.told, facts.shown):
        with pytest.raises(ClassError, match="hub up"):
            ask()


@pytest.mark.parametrize(
    ("typed", "is_"),
    [
        ("192.0.2.7", ("192.0.2.7", 8443)),
        ("192.0.2.7:443", ("192.0.2.7", 443)),
        ("2001:db8::1", ("2001:db8::1", 8443)),
        ("[::1]:99", ("::1", 99)),
    ],
)
def test_where_it_is_opened(typed: str, is_: tuple[str, int]) -> None:
    assert opening.parse(typed) == is_
    with pytest.raises(ClassError, match="no port"):
        opening.parse("192.0.2.7:0")


def test_a_card_shows_names_as_they_are_and_keeps_its_token_behind_the_hash(folder: Path) -> None:
    people = [Learner("ada", "Ada <script>"), Learner("ben", "Ben & Söhne")]
    issued = tokens.issue(["ada", "ben"])
    certificate.ensure(folder, "hub.example")
    file = handout.write(people, "https://hub.example:8443")
    page = file.read_text()
    assert "Ada &lt;script&gt;" in page and "Ben &amp; Söhne" in page and "<script" not in page
    assert all(page.count(token) == 1 for token in issued.values()) and file.stat().st_mode & 0o777 == 0o600
    proof = certificate.fingerprint(folder)
    assert page.replace("<br>", "").count(proof) == 2
    assert handout.link("https://hub.example", "ada", "A-B") == "https://hub.example/hub/login#ada/A-B"
    assert "http" not in page.replace("https://hub.example:8443", "").replace("http://www.w3.org/2000/svg", "")
    assert "from itself only" in handout.page(people, "https://127.0.0.1:20000")


def test_what_is_told_is_put_there_once_and_never_through_a_link(tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "a" / "b", tmp_path / "elsewhere"
    assert furnish.put(file, "text", 0o600) and not furnish.put(file, "text", 0o600)
    assert furnish.put(file, "text", 0o644) and file.stat().st_mode & 0o777 == 0o644
    elsewhere.write_text("mine")
    file.unlink()
    file.symlink_to(elsewhere)
    assert furnish.put(file, "text", 0o600)
    assert elsewhere.read_text() == "mine" and not file.is_symlink()


def test_the_code_that_goes_there_has_no_secret_and_no_tests() -> None:
    assert not {"tests", "inventories/production.py", ".lab", ".class"} & set(bringing.CODE)
    lock = bringing.LOCK.read_text()
    assert "jupyterhub==" in lock and "jupyterhub-systemdspawner==" in lock and "--index-url" not in lock


def test_every_verb_is_known(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from classroom.__main__ import main

    monkeypatch.setenv("MAILROOM_CLASS_DIR", str(Path.cwd() / "none"))
    asked: dict[str, list[str]] = {"open": ["127.0.0.1"], "renew": ["ada"], "keep": ["x.tar.gz"]}
    for verb in commands.VERBS:
        code = main(["hub", verb, *asked.get(verb, [])])
        said: Any = capsys.readouterr()
        assert (code, bool(said.err)) == ((0, False) if verb == "down" else (2, True)), verb
    assert main(["hub", "down", "--json"]) == 0 and json.loads(capsys.readouterr().out) == {"removed": False}
