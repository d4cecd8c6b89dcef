"""The refusal of old TLS is the server's, and the name is really compared."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.clients import tls
from checks.engine.target import Target
from checks.engine.verdicts import Failed, Warned
from tests.checks import servers

# It is used here on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")


def test_a_server_that_takes_tls_1_1_fails(tmp_path: Path) -> None:
    with (
        servers.tls(servers.context(tmp_path, ssl.TLSVersion.TLSv1_1)) as server,
        pytest.raises(Failed, match=r"port 993 agreed to TLSv1\.1"),
    ):
        tls.old_refused(servers.target(p993=server.port), 993)


def test_a_server_that_refuses_tls_1_1_passes(tmp_path: Path) -> None:
    with servers.tls(servers.context(tmp_path, ssl.TLSVersion.TLSv1_2)) as server:
        said = tls.old_refused(servers.target(p993=server.port), 993)
    assert "alert protocol version" in said


def hang_up(sock: socket.socket) -> None:
    sock.recv(1)


def alert(description: int) -> Callable[[socket.socket], object]:
    """Answers every ClientHello with this fatal alert (https://www.rfc-editor.org/rfc/rfc8446#section-6)."""

    def serve(sock: socket.socket) -> None:
        sock.recv(4096)
        sock.sendall(bytes([21, 3, 3, 0, 2, 2, description]))

    return serve


def in_turn(*ways: Callable[[socket.socket], object]) -> servers.Server:
    """A server that does this with its first connection, that with its second, and the last with all others."""
    left = list(ways)
    return servers.Server(lambda sock: (left.pop(0) if len(left) > 1 else left[0])(sock))


def test_a_server_that_hangs_up_on_everybody_proves_nothing() -> None:
    with servers.Server(hang_up) as server, pytest.raises((OSError, Failed)):
        tls.old_refused(servers.target(p993=server.port), 993)


def test_when_our_own_library_will_not_offer_it_that_is_no_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(target: Target, version: ssl.TLSVersion | None = None, suites: str = "") -> ssl.SSLContext:
        made = tls.NamedContext(target.hostname)
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        made.set_ciphers("DEFAULT:@SECLEVEL=2")
        made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_1
        return made

    monkeypatch.setattr(tls, "careless", unable)
    with (
        servers.tls(servers.context(tmp_path, ssl.TLSVersion.TLSv1_1)) as server,
        pytest.raises(Warned, match="not proven"),
    ):
        tls.old_refused(servers.target(p993=server.port), 993)


def handshakes(tmp_path: Path, suites: str = "ALL:@SECLEVEL=0") -> Callable[[socket.socket], object]:
    """A server's side that agrees to TLS 1.2."""
    context = servers.context(tmp_path, ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(suites)
    return lambda sock: context.wrap_socket(sock, server_side=True).recv(1)


def test_a_hang_up_is_a_refusal_when_it_comes_twice_and_others_get_in(tmp_path: Path) -> None:
    with in_turn(hang_up, hang_up, handshakes(tmp_path)) as server:
        said = tls.old_refused(servers.target(p993=server.port), 993)
    assert "hangs up, but takes TLSv1.2" in said


def test_a_hang_up_by_chance_hides_no_agreement(tmp_path: Path) -> None:
    old = servers.context(tmp_path, ssl.TLSVersion.TLSv1_1)
    with (
        in_turn(hang_up, lambda sock: old.wrap_socket(sock, server_side=True).recv(1)) as server,
        pytest.raises(Failed, match=r"agreed to TLSv1\.1") as found,
    ):
        tls.old_refused(servers.target(p993=server.port), 993)
    assert found.value.verdict == "fail"


def test_a_hang_up_by_chance_hides_no_weak_suite(tmp_path: Path) -> None:
    weak = handshakes(tmp_path)
    with (
        in_turn(weak, hang_up, weak) as server,
        pytest.raises(Failed, match=r"agreed to TLSv1\.2, ECDHE-ECDSA-AES\d+-SHA"),
    ):
        tls.suites_refused(servers.target(p587=server.port, p465=server.port), "ECDHE+SHA1", 465)


def test_an_alert_that_everybody_gets_proves_nothing() -> None:
    with servers.Server(alert(80)) as server, pytest.raises(ssl.SSLError, match="INTERNAL_ERROR"):
        tls.old_refused(servers.target(p993=server.port), 993)


@pytest.mark.parametrize("suites", ["no-such-suite", "ECDHE+SHA1:no-such-suite"])
def test_suites_that_our_own_library_does_not_have_are_no_pass(tmp_path: Path, suites: str) -> None:
    with (
        servers.Server(handshakes(tmp_path, "ECDHE+AESGCM")) as server,
        pytest.raises(Warned, match=r"our own OpenSSL cannot offer TLSv1_2 with .*no-such-suite"),
    ):
        tls.suites_refused(servers.target(p993=server.port), suites, 993)


def test_where_our_own_side_stops_with_the_suites_that_is_no_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server agrees, and it is our own library that wants none of its certificate."""
    server_side, asked = servers.context(tmp_path, ssl.TLSVersion.TLSv1_2), []
    make = tls.careless

    def strict(target: Target, version: ssl.TLSVersion, suites: str = "ALL") -> ssl.SSLContext:
        context = make(target, version, suites)
        asked.append(suites)
        if suites != "ALL":
            context.check_hostname, context.verify_mode = True, ssl.CERT_REQUIRED
        return context

    monkeypatch.setattr(tls, "careless", strict)
    with (
        servers.tls(server_side) as server,
        pytest.raises(Warned, match="our own side stopped with CERTIFICATE_VERIFY"),
    ):
        tls.suites_refused(servers.target(p993=server.port), "ECDHE+SHA1", 993)
    assert asked[0] == "ECDHE+SHA1"


def test_what_one_port_agrees_to_counts_more_than_what_another_does_not_prove(tmp_path: Path) -> None:
    """The first answers with something that is no TLS."""
    old = servers.tls(servers.context(tmp_path, ssl.TLSVersion.TLSv1_1))
    with servers.Server(lambda sock: sock.sendall(b"250 Ok\r\n" * 9)) as odd, old:
        target = servers.target(p465=odd.port, p993=old.port)
        with pytest.raises(Warned, match="465: not proven"):
            tls.old_refused(target, 465)
        with pytest.raises(Failed, match="port 993 agreed") as found:
            tls.old_refused(target, 465, 993)
    assert found.value.verdict == "fail"


def trusting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> tuple[servers.Server, Target]:
    """A server with a certificate for these names, and a client that trusts exactly it."""
    server = servers.tls(servers.context(tmp_path, ssl.TLSVersion.TLSv1_2, *names))
    target = servers.target(p993=server.port)
    target.ssh_host = "mx1"
    monkeypatch.setattr(target, "read", lambda path: (tmp_path / "cert.pem").read_text())
    return server, target


def test_the_name_is_the_mail_hosts_though_the_socket_goes_to_127_0_0_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, target = trusting(tmp_path, monkeypatch)
    with server:
        assert "993: TLSv1.3" in tls.verified(target, 993)
        assert "Hostname mismatch" in tls.other_name_refused(target, 993)


def test_a_certificate_for_another_name_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, target = trusting(tmp_path, monkeypatch, "other.example.test")
    with server, pytest.raises(Failed, match="Hostname mismatch"):
        tls.verified(target, 993)


def test_a_certificate_for_all_names_does_not_pass_for_the_right_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, target = trusting(tmp_path, monkeypatch, "*.example.test")
    with server, pytest.raises(Failed, match="passes for not-mx1"):
        tls.other_name_refused(target, 993)


def test_an_unknown_self_signed_certificate_fails(tmp_path: Path) -> None:
    with (
        servers.tls(servers.context(tmp_path, ssl.TLSVersion.TLSv1_2)) as server,
        pytest.raises(Failed, match="self-signed"),
    ):
        tls.verified(servers.target(p993=server.port), 993)


def test_a_port_for_tls_that_talks_in_the_clear_fails() -> None:
    with servers.smtp(lambda line: "250 Ok") as server, pytest.raises(Failed, match="220 here"):
        tls.no_cleartext(servers.target(p465=server.port), 465, "EHLO x")


def test_starttls_refused_is_said() -> None:
    with (
        servers.smtp(lambda line: "454 4.7.0 TLS not available", ("STARTTLS",)) as server,
        pytest.raises(Failed, match="port 25 answers STARTTLS with: 454"),
    ):
        target = servers.target(p25=server.port)
        tls.tls_socket(target, 25, tls.careless(target))


def test_a_server_that_agrees_to_a_weak_suite_fails(tmp_path: Path) -> None:
    with (
        servers.tls(servers.context(tmp_path, ssl.TLSVersion.TLSv1_2)) as server,
        pytest.raises(Failed, match=r"port 993 agreed to TLSv1\.2, ECDHE-ECDSA-AES\d+-SHA"),
    ):
        tls.suites_refused(servers.target(p993=server.port), "ECDHE+SHA1", 993)


def test_a_server_that_refuses_it_passes(tmp_path: Path) -> None:
    context = servers.context(tmp_path, ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("ECDHE+AESGCM")
    with servers.tls(context) as server:
        said = tls.suites_refused(servers.target(p993=server.port), "ECDHE+SHA1", 993)
    assert "GCM" in said


def test_a_server_that_speaks_no_tls_at_all_proves_nothing_about_suites() -> None:
    with servers.Server(hang_up) as server, pytest.raises((OSError, Failed)):
        tls.suites_refused(servers.target(p993=server.port), "ECDHE+SHA1", 993)


def test_a_dovecot_that_hangs_up_once_is_asked_again(tmp_path: Path) -> None:
    """It does so while its auth process ends; a server that never speaks TLS is one that refuses it."""
    with in_turn(hang_up, handshakes(tmp_path)) as server:
        assert tls.served_certificate(servers.target(p993=server.port), 993)


def test_a_postfix_that_hangs_up_once_is_not(tmp_path: Path) -> None:
    with in_turn(hang_up, handshakes(tmp_path)) as server, pytest.raises((ssl.SSLEOFError, ConnectionError)):
        tls.served_certificate(servers.target(p465=server.port), 465)
