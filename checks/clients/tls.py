"""TLS as a careful client speaks it, and as a careless one would like to."""

import socket
import ssl
import time
import warnings
from collections.abc import Callable
from typing import Any, Self

from cryptography import x509

from checks.engine import Failed, Target, Warned

STARTTLS = (25, 143, 587, 4190)
DOVECOT = (143, 993, 4190)
ANONYMOUS = "aNULL"
# RSA's own key exchange, and suites that sign and encrypt apart (CBC); RFC 9325, 4.1 and 4.2.
WEAK = "kRSA:ECDHE+SHA1:ECDHE+SHA256:ECDHE+SHA384:DHE+SHA1:DHE+SHA256"
# Remedies of several checks.
RENEW = "Run the certificate step, or renew your own; then restart Postfix and Dovecot."
CERTIFICATE = "Chapter 1, a certificate, makes it; chapter 4, certificate and key, gives it to Dovecot."
DOVECOT_MINIMUM = "ssl_min_protocol = TLSv1.2 in dovecot.conf."
DOVECOT_SUITES = "ssl_cipher_list in dovecot.conf (chapter 4, TLS)."
ELSEWHERE = "Ask from a system whose OpenSSL can still offer it."
# No answer at all, and no alert either. The last is a close_notify in the middle of the handshake.
HUNG_UP = (ssl.SSLEOFError, ConnectionError, ssl.SSLZeroReturnError)
# Other alerts, such as "internal error", may be for everybody. https://www.rfc-editor.org/rfc/rfc8446#section-6.2
FOR_THE_OFFER = ("protocol version", "handshake failure", "insufficient security")
PAUSE = 0.5  # seconds after a hang-up: a process that ended is there again


class NamedContext(ssl.SSLContext):
    """Verifies one name, whatever name the caller believes to have connected to; or, without `verify`, nothing at all.

    The socket goes to a forwarded port on 127.0.0.1; the certificate must still be the server's.
    """

    name: str

    def __new__(cls, name: str, *, verify: bool = True) -> Self:
        self = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        self.name = name
        if not verify:
            self.check_hostname = False
            self.verify_mode = ssl.CERT_NONE
        return self

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*args, **(kwargs | {"server_hostname": self.name}))


def careful(target: Target, name: str = "") -> NamedContext:
    """Trusts what the system trusts (or SSL_CERT_FILE names), a self-signed certificate read over SSH, and else the lab's authority."""
    context = NamedContext(name or target.hostname)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    # What an ordinary client does; Python 3.13 would insist on extensions nobody else asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if target.ssh_host:
        certificate = on_disk(target)
        if certificate.issuer == certificate.subject:
            context.load_verify_locations(cadata=target.read(target.certificate))
        elif roots := target.roots():
            context.load_verify_locations(cadata=roots)
    return context


def on_disk(target: Target) -> x509.Certificate:
    """The server's own certificate, the first of its file."""
    try:
        text = target.read(target.certificate)
    except Failed as error:
        raise Failed(f"there is no certificate yet: {error.evidence.rpartition(': cat: ')[2]}", CERTIFICATE) from error
    return x509.load_pem_x509_certificate(text.encode())


def careless(target: Target, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_1, suites: str = "ALL") -> NamedContext:
    """Speaks an old version and nothing else, with any of these suites, and verifies nothing.

    Our own library would rather not: SECLEVEL=0 makes it, so that a refusal is the server's. Raises Warned where it cannot.
    """
    context = NamedContext(target.hostname, verify=False)
    try:
        context.set_ciphers(f"{suites}:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
    except (ssl.SSLError, ValueError) as error:
        raise Warned(f"not proven, our own OpenSSL cannot offer {version.name} with {suites}", ELSEWHERE) from error
    return context


def negotiated(sock: Any) -> str:
    """Version and suite, such as "TLSv1.3, TLS_AES_256_GCM_SHA384"."""
    cipher = sock.cipher()
    return f"{sock.version()}, {cipher[0] if cipher else 'no cipher'}"


def tls_socket(target: Target, port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A socket to the port with TLS agreed on, by STARTTLS where the port begins in the clear.

    A Dovecot that hangs up is asked once more: it drops whoever is shaking hands when its auth process ends, as it does again
    and again in chapter 4 until there is a passdb. Raises Failed where STARTTLS is refused, ssl.SSLError where TLS is.
    """
    try:
        return _tls_socket(target, port, context)
    except HUNG_UP:
        if port not in DOVECOT:
            raise
        time.sleep(PAUSE)
        return _tls_socket(target, port, context)


def _tls_socket(target: Target, port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    sock = socket.create_connection(target.vantage.endpoint(target.address, port), timeout=10)
    try:
        if port in STARTTLS:
            _ask_for_tls(sock, port, target.helo)
        return context.wrap_socket(sock)
    except BaseException:
        sock.close()
        raise


def _ask_for_tls(sock: socket.socket, port: int, helo: str) -> None:
    with sock.makefile("rb", buffering=0) as replies:

        def reply() -> bytes:
            line = replies.readline()
            # SMTP: more lines follow; ManageSieve: its capabilities come first, each in quotes
            while line[3:4] == b"-" or line[:1] == b'"':
                line = replies.readline()
            if not line:
                raise ConnectionResetError(f"port {port} closed the connection")
            return line.strip()

        reply()
        if port in (25, 587):
            sock.sendall(f"EHLO {helo}\r\n".encode())
            reply()
        sock.sendall(b"a STARTTLS\r\n" if port == 143 else b"STARTTLS\r\n")
        answer = reply()
        agreed = answer.startswith({143: b"a OK", 4190: b"OK"}.get(port, b"220"))
        if not agreed:
            raise Failed(f"port {port} answers STARTTLS with: {answer.decode(errors='replace')}")


def served_certificate(target: Target, port: int) -> x509.Certificate:
    """The certificate the server shows on that port, trusted or not."""
    with tls_socket(target, port, NamedContext(target.hostname, verify=False)) as sock:
        der = sock.getpeercert(binary_form=True)
    if not der:
        raise Failed(f"port {port} shows no certificate")
    return x509.load_der_x509_certificate(der)


def verified(target: Target, *ports: int) -> str:
    """Trust, name and dates hold on each port; says what was agreed on."""
    agreed = []
    for port in ports:
        try:
            with tls_socket(target, port, careful(target)) as sock:
                agreed.append(f"{port}: {negotiated(sock)}")
        except ssl.SSLCertVerificationError as error:
            raise Failed(f"port {port}: {error.verify_message}") from error
    return "; ".join(agreed)


def old_refused(target: Target, *ports: int) -> str:
    """The server itself refuses TLS 1.1 on each port."""
    offer = careless(target)
    return _on_each(ports, lambda port: _refusal(target, port, offer))


def suites_refused(target: Target, suites: str, *ports: int) -> str:
    """Each port agrees to TLS 1.2, and refuses it with these suites (as OpenSSL names them)."""
    offer = careless(target, ssl.TLSVersion.TLSv1_2, suites)

    def refused(port: int) -> str:
        agreed = _todays(target, port)  # so that what comes next is refused for the suites alone
        return f"{agreed}, and none of those ({_refusal(target, port, offer)})"

    seen = _on_each(ports, refused)
    for one in suites.split(":"):  # OpenSSL leaves out, without a word, those that it was built without
        careless(target, ssl.TLSVersion.TLSv1_2, one)
    return seen


def _on_each(ports: tuple[int, ...], ask: Callable[[int], str]) -> str:
    """What is found on each port. Raises Failed for the first that agrees, and only then Warned, for those that prove nothing."""
    seen, doubts = [], []
    for port in ports:
        try:
            seen.append(f"{port}: {ask(port)}")
        except Warned as doubt:
            doubts.append(doubt.evidence)
    if doubts:
        raise Warned("; ".join(doubts), ELSEWHERE)
    return "; ".join(seen)


def _refusal(target: Target, port: int, offer: ssl.SSLContext) -> str:
    """How the server itself refuses this offer: by an alert, or twice without a word.

    Raises Failed where it agrees, and Warned where our own side stopped: then nothing is known of the server.
    """
    how = "hangs up"  # as Dovecot 2.3 does
    for _ in range(2):
        try:
            with _tls_socket(target, port, offer) as sock:
                raise Failed(f"port {port} agreed to {negotiated(sock)}")
        except HUNG_UP:
            time.sleep(PAUSE)  # once may be by chance
        except ssl.SSLError as error:
            reason = error.reason or str(error)
            if "ALERT" not in reason:
                raise Warned(f"port {port}: not proven, our own side stopped with {reason}", ELSEWHERE) from error
            how = reason.lower().replace("_", " ")
            if how.endswith(FOR_THE_OFFER):
                return how
            break
    # That it is for the offer, and not that this client gets nowhere at all, shows in what the same client is told with TLS 1.2.
    return f"{how}, but takes {_todays(target, port)}"


def _todays(target: Target, port: int) -> str:
    """What the careless client agrees on with TLS 1.2 and all suites."""
    with tls_socket(target, port, careless(target, ssl.TLSVersion.TLSv1_2)) as sock:
        return negotiated(sock)


def other_name_refused(target: Target, port: int) -> str:
    """A client that wants another host is told that this is not it."""
    wrong = f"not-{target.hostname}"
    try:
        tls_socket(target, port, careful(target, wrong)).close()
    except ssl.SSLCertVerificationError as error:
        if error.verify_code != 62:  # X509_V_ERR_HOSTNAME_MISMATCH
            raise Failed(f"refused, but not for the name: {error.verify_message}") from error
        return error.verify_message
    raise Failed(f"the certificate passes for {wrong} too")


def no_cleartext(target: Target, port: int, greeting: str) -> str:
    """A port for TLS alone has no answer to a line in the clear."""
    endpoint = target.vantage.endpoint(target.address, port)
    with socket.create_connection(endpoint, timeout=5) as sock:
        sock.sendall(f"{greeting}\r\n".encode())
        try:
            answer = sock.recv(512)
        except ConnectionError:
            answer = b""
    # A TLS alert is an answer too, of the right kind: its first byte is 21.
    if answer and answer[0] != 21:
        raise Failed(f"it says {answer.decode(errors='replace').strip()}")
    return f"`{greeting}` in the clear gets no answer"


def loaded(target: Target, port: int) -> str:
    """A renewed certificate helps nobody before the daemon has read it."""
    disk, shown = on_disk(target), served_certificate(target, port)
    if shown != disk:
        raise Failed(
            f"port {port} shows serial {shown.serial_number:x}, the file on the disk is {disk.serial_number:x}"
        )
    return f"serial {disk.serial_number:x}, on the disk and on port {port}"
