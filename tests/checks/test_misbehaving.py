"""Every negative can fail: here are servers that do what they must not."""

import smtplib
import socket
from collections.abc import Callable

import pytest

from checks.claims.dovecot import cleartext, sasl
from checks.claims.postfix import aliases, identity, restrictions, submission
from checks.claims.postgresql import delivery
from checks.claims.sieve import managesieve
from checks.clients import mail
from checks.engine.target import Target
from checks.engine.verdicts import Failed
from tests.checks import servers


def yes(line: str) -> str:
    return {"AUTH": "235 2.7.0 ok"}.get(line[:4].upper(), "250 2.1.5 Ok")


@pytest.mark.parametrize(
    "check",
    [
        restrictions.no_relay,
        identity.no_subdomains,
        restrictions.no_vrfy,
        restrictions.hello_first,
        aliases.unknown,
        delivery.unknown,
        delivery.no_forged_sender,
    ],
)
def test_a_server_that_takes_everything_fails(check: Callable[[Target], str]) -> None:
    with servers.smtp(yes) as server, pytest.raises(Failed, match=r"got 250 2\.1\.5"):
        check(servers.target(p25=server.port))


def test_a_temporary_refusal_is_not_a_permanent_one() -> None:
    def defer(line: str) -> str:
        return "454 4.7.1 Relay access denied" if line.startswith("RCPT") else "250 2.1.0 Ok"

    with servers.smtp(defer) as server, pytest.raises(Failed, match=r"got 454 4\.7\.1"):
        restrictions.no_relay(servers.target(p25=server.port))


def test_a_relay_by_an_old_trick_is_found() -> None:
    def percent(line: str) -> str:
        return "554 5.7.1 Relay access denied" if line.endswith("<somebody@example.org>") else "250 2.1.5 Ok"

    with servers.smtp(percent) as server, pytest.raises(Failed, match=r"somebody%example\.org"):
        restrictions.no_relay(servers.target(p25=server.port))


def test_auth_offered_in_the_clear_fails() -> None:
    with servers.smtp(yes, ("STARTTLS", "AUTH PLAIN")) as server:
        target = servers.target(p25=server.port, p587=server.port)
        with pytest.raises(Failed, match="AUTH before STARTTLS"):
            submission.tls_demanded(target)
        with pytest.raises(Failed, match="AUTH in the clear"):
            sasl.not_on_25(target)


def test_auth_not_offered_but_taken_all_the_same_fails() -> None:
    def sly(line: str) -> str:
        return "530 5.7.0 Must issue a STARTTLS command first" if line.startswith("MAIL") else "235 2.7.0 ok"

    with servers.smtp(sly, ("STARTTLS",)) as server, pytest.raises(Failed, match="AUTH: expected 530"):
        submission.tls_demanded(servers.target(p587=server.port))


def test_a_connection_that_breaks_off_is_no_pass() -> None:
    with (
        servers.Server(lambda sock: sock.sendall(b"220 hi\r\n")) as server,
        pytest.raises(smtplib.SMTPServerDisconnected, match="closed"),
    ):
        restrictions.no_relay(servers.target(p25=server.port))


def test_imap_that_lets_in_without_tls_fails() -> None:
    with servers.imap(lambda command: "OK done", "IMAP4rev1 AUTH=PLAIN") as server:
        target = servers.target(p143=server.port)
        with pytest.raises(Failed, match="IMAP4REV1 AUTH=PLAIN"):
            cleartext.announced(target)
        with pytest.raises(Failed, match="logged in"):
            cleartext.refused(target)


def test_imap_that_refuses_for_another_reason_fails() -> None:
    with (
        servers.imap(lambda command: "NO [AUTHENTICATIONFAILED] no", "IMAP4rev1") as server,
        pytest.raises(Failed, match="not for want of TLS"),
    ):
        cleartext.refused(servers.target(p143=server.port))


def test_no_password_of_an_account_crosses_an_open_wire() -> None:
    heard: list[str] = []

    def listen(line: str) -> str:
        heard.append(line)
        return "530 5.7.0 first TLS"

    def refuse(command: str) -> str:
        heard.append(command)
        return "NO [PRIVACYREQUIRED] first TLS"

    with servers.smtp(listen, ("STARTTLS",)) as one, servers.imap(refuse, "IMAP4rev1") as two:
        target = servers.target(p587=one.port, p143=two.port)
        submission.tls_demanded(target)
        cleartext.refused(target)
    assert len(heard) == 4
    for line in heard:
        assert target.scrub(line) == line
        assert "sentinel" not in line


def test_the_words_of_imaplib_are_unwrapped() -> None:
    assert mail.words(Exception("b'[AUTHENTICATIONFAILED] no.'")) == "[AUTHENTICATIONFAILED] no."
    assert mail.words(Exception("")) == "Exception"


def managesieve_that_says(last: str, greeting: str = '"SASL" ""') -> servers.Server:
    def serve(sock: socket.socket) -> None:
        sock.sendall(f'{greeting}\r\n"STARTTLS"\r\nOK "ready"\r\n'.encode())
        sock.makefile("rb").readline()
        sock.sendall(f"{last}\r\n".encode())

    return servers.Server(serve)


@pytest.mark.parametrize(
    ("last", "greeting", "found"),
    [
        ('OK "Logged in."', '"SASL" ""', "in the clear: OK"),
        ('NO "Authentication failed."', '"SASL" ""', "in the clear: NO"),
        ("NO (ENCRYPT-NEEDED)", '"SASL" "PLAIN"', "before STARTTLS"),
    ],
)
def test_managesieve_that_takes_a_password_without_tls_fails(last: str, greeting: str, found: str) -> None:
    with managesieve_that_says(last, greeting) as server:
        target = servers.target(p4190=server.port)
        with pytest.raises(Failed, match=found):
            managesieve.starttls(target)
