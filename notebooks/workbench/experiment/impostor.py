"""A man in the middle, in this kernel: a certificate that anybody can make, and a relay to the real server behind it."""

import contextlib
import datetime
import select
import socket
import ssl
import tempfile
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from imapclient.exceptions import IMAPClientError

from checks.clients import card, mail, pinned, tls
from checks.clients.card import Card
from checks.engine.target import Target
from checks.engine.vantage import Direct
from checks.engine.verdicts import Failed, words
from notebooks.workbench.host import where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import NotExpected, NotReady

NOTHING = "nothing"


class Led(Direct):
    """Whoever asks for the server is led to a port of this machine, as a router or a false DNS answer would do it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        return "127.0.0.1", self.port


class Impostor:
    """Shows a certificate of the server's name, hands everything on, and keeps what visitors say."""

    def __init__(self, target: Target, port: int, trusting: ssl.SSLContext) -> None:
        self.target, self.port, self.trusting = target, port, trusting  # a lesson leaks no real password
        self.heard = b""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            self.context.load_cert_chain(forged(target.hostname, Path(folder) / "pair.pem"))
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: the experiment is over
            while True:
                threading.Thread(target=self._serve, args=(self.listener.accept()[0],), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with (
            contextlib.suppress(OSError, Failed),
            self.context.wrap_socket(sock, server_side=True) as visitor,
            tls.tls_socket(self.target, self.port, self.trusting) as server,
        ):
            other = {visitor: server, server: visitor}
            while (
                waiting := [one for one in other if one.pending()] or select.select([*other], [], [], mail.PATIENCE)[0]
            ):
                for one in waiting:
                    if not (said := one.recv(65536)):
                        return
                    if one is visitor:
                        self.heard += said
                    other[one].sendall(said)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def forged(name: str, file: Path) -> Path:
    """A key and a certificate for this name, signed by itself. No one was asked."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(
        subject, subject, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(7)
    )
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(pem + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return file


def visitors(told: Card) -> dict[str, tls.NamedContext]:
    """Three ways to look at a certificate."""
    by_authority = tls.NamedContext(told.server)
    by_authority.load_default_certs()
    return {
        "asks an authority": by_authority,
        "clicks “accept”": tls.NamedContext(told.server, verify=False),
        "compares with the card": pinned.Pinned(told.server, told.fingerprint),
    }


@stoppable("The impostor is gone with the cell. Nothing was changed on {host}.")
def man_in_the_middle() -> html.Table:
    """Three visitors log in as bar, at the desk and with an impostor in between; and what the impostor has heard then.

    NotExpected: he has heard something from a visitor who compared, or nothing from one who accepted. NotReady: nobody can log in
    where TLS comes first, or another certificate than the card's is shown already; then no password was said.
    """
    rows = []
    with closing(where.place().target()) as target, progress.Progress("three visitors, and an impostor", delay=0.5):
        try:
            told, (user, password) = card.read(target, target.bar), target.account(1)
        except (Failed, OSError) as error:
            raise NotReady("There is no card yet.", str(error), 'verify("dovecot.listener")') from None
        way, trusting = told.incoming[0], pinned.Pinned(told.server, told.fingerprint)
        if way.security != card.TLS:
            raise NotReady(
                "The impostor speaks TLS from the first byte, and 993 does not.", remedy='apply("dovecot.tls")'
            )
        try:
            pinned.compared(target, way, trusting)  # two visitors would not notice
        except (Failed, OSError) as error:
            what = f"From here port {way.port} does not show the card's certificate; no password was said."
            raise NotReady(what, words(error), 'verify("dovecot.client")') from None
        for who, context in visitors(told).items():
            with closing(Impostor(target, way.port, trusting)) as impostor:
                between = replace(target, _vantage=Led(impostor.listener.getsockname()[1]))
                seen = [visit(one, told, context, user, password) for one in (target, between)]
                heard = named(impostor.heard, user, password)
            rows.append([who, *seen, heard])
    table = html.Table(
        ["a visitor who …", "at the desk", "with an impostor in between", "and the impostor has heard"], rows
    )
    if rows[1][3] == NOTHING or rows[2][3] != NOTHING or rows[2][1] == rows[2][2]:
        raise NotExpected("The impostor has not heard what the text says.", str(table))
    return table


def visit(target: Target, told: Card, context: tls.NamedContext, user: str, password: str) -> str:
    """How a login ends by the card's first way."""
    try:
        with pinned.reader(target, told.incoming[0], context, user, password) as client:
            count = client.select_folder("INBOX", readonly=True)[b"EXISTS"]
            return f"is in: {count} letter{'s' * (count != 1)} in INBOX"
    except ssl.SSLCertVerificationError as error:
        return f"warned: {error.verify_message}"
    except Failed as error:
        return f"hangs up: {error}"
    except (IMAPClientError, OSError) as error:
        return f"refused: {mail.words(error)}"


def named(heard: bytes, user: str, password: str) -> str:
    """What was heard, without the secret itself: a notebook may be saved and shared."""
    if not heard:
        return NOTHING
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    secret = f" and the password ({len(password)} characters)" if quoted in heard.decode(errors="replace") else ""
    return f"LOGIN {user}{secret}" if b"LOGIN" in heard else "something else"
