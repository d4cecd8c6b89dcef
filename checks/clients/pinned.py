"""A mail client that knows the settings card and nothing else: it trusts one certificate, by its fingerprint."""

import imaplib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Self

from cryptography import x509
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from checks.clients import card, mail, tls
from checks.clients.card import Way
from checks.engine import Failed, Target


class Pinned(tls.NamedContext):
    """Trusts one certificate, by its fingerprint, and no authority. Another one hears nothing from us: raises Failed."""

    wanted: str

    def __new__(cls, name: str, wanted: str) -> Self:
        self = super().__new__(cls, name, verify=False)
        self.minimum_version = ssl.TLSVersion.TLSv1_2
        self.wanted = wanted
        return self

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        sock = super().wrap_socket(*args, **kwargs)
        shown = card.fingerprint(x509.load_der_x509_certificate(sock.getpeercert(binary_form=True) or b""))
        if shown != self.wanted:
            sock.close()
            raise Failed(f"the fingerprint is {shown[:11]}…, and the card says {self.wanted[:11]}…")
        return sock


@contextmanager
def reader(target: Target, way: Way, context: tls.NamedContext, user: str, password: str) -> Iterator[IMAPClient]:
    """Logged in by these settings alone; `target` only says from where."""
    host, port = target.vantage.endpoint(way.server, way.port)
    direct = way.security == card.TLS
    client = IMAPClient(host, port, ssl=direct, ssl_context=context if direct else None, timeout=mail.PATIENCE)
    try:
        if not direct:
            client.starttls(context)
        client.login(user, password)
        yield client
    finally:
        with suppress(IMAPClientError, imaplib.IMAP4.error, OSError):
            client.logout()
        with suppress(OSError):
            client.shutdown()


@contextmanager
def sender(target: Target, way: Way, context: tls.NamedContext, user: str, password: str) -> Iterator[smtplib.SMTP]:
    """The same for sending."""
    host, port = target.vantage.endpoint(way.server, way.port)
    options: dict[str, Any] = {"local_hostname": target.helo, "timeout": mail.PATIENCE}
    direct = way.security == card.TLS
    session = (
        smtplib.SMTP_SSL(host, port, context=context, **options) if direct else smtplib.SMTP(host, port, **options)
    )
    try:
        if not direct:
            session.starttls(context=context)
        session.ehlo()
        mail.expect(mail.log_in(session, user, password), "235", what=f"{way.port}")
        yield session
        with suppress(smtplib.SMTPException, OSError):
            session.quit()
    finally:
        session.close()


def compared(target: Target, way: Way, context: Pinned) -> None:
    """Shake hands, compare, and hang up. Raises Failed where the fingerprint is another one."""
    tls.tls_socket(replace(target, address=way.server), way.port, context).close()
