"""The refusal of old TLS is the server's, and the name is really compared."""

import socket
import ssl
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


def test_a_server_that_hangs_up_on_everybody_proves_nothing() -> None:
    with servers.Server(hang_up) as server, pytest.raises((OSError, Failed)):
        tls.old_refused(servers.target(p993=server.port), 993)


def test_when_our_own_library_will_not_offer_it_that_is_no_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(target: Target, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
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
