"""The client that knows only the card: another certificate hears nothing from it; and the card as it is shown."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from imapclient.exceptions import IMAPClientError

from checks.clients import card, pinned
from checks.clients.card import Card, Way
from checks.engine.target import Target
from checks.engine.verdicts import Failed
from notebooks.workbench.experiment import impostor
from notebooks.workbench.host import where
from notebooks.workbench.show.errors import NotReady
from notebooks.workbench.talk.card import Shown
from postmaster import card as desk
from postmaster.model import NotFound
from tests.checks import servers


def settings(fingerprint: str, *warnings: str) -> Card:
    return Card(
        user="foo@example.test",
        incoming=[Way("IMAP", servers.NAME, 993, card.TLS)],
        outgoing=[Way("SMTP", servers.NAME, 465, card.TLS)],
        authentication=["PLAIN"],
        fingerprint=fingerprint,
        signer="CN=<test>",
        self_signed=True,
        names=[servers.NAME],
        until="2030-01-01",
        firewall="",
        warnings=list(warnings),
    )


def test_a_visitor_who_compares_says_nothing_to_another_certificate(tmp_path: Path) -> None:
    visits: list[bytes] = []
    context = servers.context(tmp_path, ssl.TLSVersion.TLSv1_2)

    def serve(sock: socket.socket) -> None:
        visits.append(b"")
        with context.wrap_socket(sock, server_side=True) as secure:
            secure.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n")
            visits[-1] = secure.recv(4096)

    right = card.fingerprint(x509.load_pem_x509_certificate((tmp_path / "cert.pem").read_bytes()))
    other = ("00" if right[:2] != "00" else "11") + right[2:]
    with servers.Server(serve) as server:
        target = servers.target(p993=server.port)
        for fingerprint, ends in (
            (other, Failed),
            (right, IMAPClientError),
        ):  # the server answers nothing after its greeting
            way, trusting = settings(fingerprint).incoming[0], pinned.Pinned(servers.NAME, fingerprint)
            with pytest.raises(ends), pinned.reader(target, way, trusting, "foo", "sentinel"):
                pass
    assert len(visits) == 2 and visits[0] == b"" and visits[1]


def test_a_card_is_read_again_from_its_json() -> None:
    told = settings("AB:CD")
    assert card.from_json(json.dumps(told.as_dict())) == told


def test_a_card_is_shown_whole_and_escaped() -> None:
    told = settings(":".join(["AB"] * 31 + ["CD"]), "port 143: <closed>")
    words, drawn = desk.told(told), Shown(told)._repr_html_()
    for text in ("993", "465", "foo@example.test", servers.NAME, "AB:CD"):
        assert text in words and text in drawn
    assert "port 143: <closed>" in words and "&lt;closed&gt;" in drawn and "<closed>" not in drawn
    assert max(map(len, words.splitlines())) <= 80


def test_what_an_impostor_has_heard_is_told_without_the_password() -> None:
    said = impostor.named(b'a1 LOGIN "foo@example.test" "a\\"b"', "foo@example.test", 'a"b')
    assert said == "LOGIN foo@example.test and the password (3 characters)"
    assert impostor.named(b"", "foo", "x") == impostor.NOTHING


@pytest.mark.parametrize(
    ("listed", "named"),
    [
        (["mail.example.test"], True),
        (["Mail.Example.test"], True),
        (["example.test", "*.example.test"], True),  # an operator's own
        (["*.test"], False),
        (["*.mail.example.test"], False),
        ([], False),
    ],
)
def test_a_certificate_names_the_host_by_a_star_too(listed: list[str], named: bool) -> None:
    assert card.covers(listed, "mail.example.test") is named


def asked(said: str) -> Target:
    """A host on which every command prints this."""
    target = servers.target()
    target.shell = lambda *command, **given: said  # type: ignore[method-assign]
    return target


def test_a_firewall_that_lets_nothing_in_is_no_firewall_that_is_not_there() -> None:
    assert card.firewall(asked(""), [993, 465]) == ""
    assert card.firewall(asked("runs\n\n"), [993, 465]) == "keeps out 993, 465"
    assert card.firewall(asked("runs\nssh imaps\n465/tcp"), [993, 465]) == "lets all of them in"


def test_no_account_is_said_only_where_dovecot_knows_that_there_is_none() -> None:
    with pytest.raises(NotFound, match=r"no account nobody@example\.test"):
        desk.of(asked("67"), "nobody@example.test")
    for said, why in (
        ("Error: userdb lookup: Temporary failure\n75", "userdb lookup: Temporary failure"),
        ("sh: 1: doveadm: not found\n127", "doveadm: not found"),
        ("75", "ended with 75"),
    ):
        with pytest.raises(Failed, match=why):
            desk.of(asked(said), "foo@example.test")
    for odd in ("foo", "-u@example.test", "*@example.test", "foo bar@example.test"):
        with pytest.raises(NotFound):
            desk.of(asked("0"), odd)


@pytest.fixture
def desk_of_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """An IMAP server behind TLS, as the host of the notebook; the passwords that it was told."""
    context, told = servers.context(tmp_path, ssl.TLSVersion.TLSv1_2), []

    def serve(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as secure:
            secure.sendall(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
            for line in secure.makefile("rb"):
                tag, word = line.split()[:2]
                told.extend([line] * (word == b"LOGIN"))
                said = {b"CAPABILITY": b"* CAPABILITY IMAP4rev1", b"EXAMINE": b"* 2 EXISTS"}.get(word, b"* BYE")
                secure.sendall((said + b"\r\n") * (word != b"LOGIN") + tag + b" OK done\r\n")

    right = card.fingerprint(x509.load_pem_x509_certificate((tmp_path / "cert.pem").read_bytes()))
    monkeypatch.setattr(card, "read", lambda *_: settings(right))
    with servers.Server(serve) as server:
        monkeypatch.setattr(where, "place", lambda: SimpleNamespace(target=lambda: servers.target(p993=server.port)))
        yield told


def test_an_impostor_hears_who_accepts_and_nobody_who_compares(desk_of_bar: list[bytes]) -> None:
    before = threading.active_count()
    rows = impostor.man_in_the_middle().rows
    assert [row[3] for row in rows] == ["nothing", "LOGIN bar@example.test and the password (12 characters)", "nothing"]
    assert rows[0][1] == rows[0][2] and rows[1][1] == rows[1][2] == "is in: 2 letters in INBOX" == rows[2][1]
    assert "the fingerprint is" in rows[2][2] and "sentinel" not in str(rows)
    assert len(desk_of_bar) == 3
    end = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_where_somebody_is_in_between_already_no_password_is_said(
    desk_of_bar: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "read", lambda *_: settings("AB:CD"))
    with pytest.raises(NotReady, match="no password was said"):
        impostor.man_in_the_middle()
    assert not desk_of_bar
