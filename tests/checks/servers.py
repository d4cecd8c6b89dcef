"""Small servers that answer as they are told, well or badly, for the checks to look at."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from checks.engine.target import Target
from checks.engine.vantage import Direct

NAME = "mx1.example.test"


class Mapped(Direct):
    """The well-known ports of the target, on whatever ports the servers of a test got."""

    def __init__(self, ports: dict[int, int]) -> None:
        self.ports = ports

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        return "127.0.0.1", self.ports[port]

    def probe(self, address: str, port: int, timeout: float = 5.0) -> str:
        return "" if port in self.ports else "Connection refused"


def target(**ports: int) -> Target:
    """A target whose port 25 is target(p25=…)."""
    made = Target(
        NAME,
        "127.0.0.1",
        "example.test",
        accounts={"foo@example.test": "sentinel-foo", "bar@example.test": "sentinel-bar"},
        secrets={"mailreader": "sentinel-reader"},
    )
    made._vantage = Mapped({int(name[1:]): port for name, port in ports.items()})
    return made


class Server:
    """Accepts connections and hands each to `serve`, in threads, until the test ends."""

    def __init__(self, serve: Callable[[socket.socket], object]) -> None:
        self.serve = serve
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._guard, args=(sock,), daemon=True).start()

    def _guard(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError, ValueError):
            self.serve(sock)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def smtp(answers: Callable[[str], str], features: tuple[str, ...] = ()) -> Server:
    """An SMTP server: `answers` gives the reply to each command after EHLO."""

    def serve(sock: socket.socket) -> None:
        sock.sendall(b"220 here ESMTP\r\n")
        for raw in sock.makefile("rb"):
            line = raw.decode().strip()
            if line.upper().startswith("EHLO"):
                lines = [NAME, *features]
                reply = "\r\n".join(f"250{'-' if i < len(lines) - 1 else ' '}{text}" for i, text in enumerate(lines))
            elif line.upper() in ("QUIT", "RSET"):
                reply = "250 2.0.0 Ok"
            else:
                reply = answers(line)
            sock.sendall(f"{reply}\r\n".encode())

    return Server(serve)


def imap(answers: Callable[[str], str], capabilities: str) -> Server:
    """An IMAP server: `answers` gives what follows the tag."""

    def serve(sock: socket.socket) -> None:
        sock.sendall(b"* OK ready\r\n")
        for raw in sock.makefile("rb"):
            tag, _, command = raw.decode().strip().partition(" ")
            if command.upper() == "CAPABILITY":
                sock.sendall(f"* CAPABILITY {capabilities}\r\n{tag} OK done\r\n".encode())
            elif command.upper() == "LOGOUT":
                sock.sendall(f"* BYE\r\n{tag} OK bye\r\n".encode())
                return
            else:
                sock.sendall(f"{tag} {answers(command)}\r\n".encode())

    return Server(serve)


def tls(context: ssl.SSLContext) -> Server:
    """A server that agrees on TLS at once, as on 993, and then says nothing."""

    def serve(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as secure:
            secure.recv(1)

    return Server(serve)


def context(folder: Path, minimum: ssl.TLSVersion, *names: str) -> ssl.SSLContext:
    """A server's TLS, with a self-signed certificate for these names in folder/cert.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names or (NAME,)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers("ALL:@SECLEVEL=0")
    made.minimum_version = minimum
    made.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return made
