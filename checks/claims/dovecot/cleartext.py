"""No password crosses the network in the clear."""

from imapclient.exceptions import IMAPClientError, LoginError

from checks.clients import mail, tls
from checks.engine import Failed, Target, claim, negative

CLEAR = "2.3: disable_plaintext_auth = yes; 2.4: auth_allow_cleartext = no; and ssl = required."


@claim(
    "After STARTTLS, AUTH=PLAIN is offered", needs="imap imap-tls", remedy="auth_mechanisms = plain in dovecot.conf."
)
def after_tls(target: Target) -> str:
    with mail.imap(target) as client:
        found = [item.decode() for item in client.capabilities()]
    if "AUTH=PLAIN" not in found or "LOGINDISABLED" in found:
        raise Failed(" ".join(found))
    return " ".join(item for item in found if item.startswith(("AUTH", "SASL")))


@claim("STARTTLS on 143 agrees on TLS 1.2 or newer", needs="imap imap-tls", remedy="ssl = required in dovecot.conf.")
def starttls(target: Target) -> str:
    return tls.verified(target, 143)


@negative("Before STARTTLS, LOGINDISABLED is announced", needs="elsewhere imap", remedy=CLEAR)
def announced(target: Target) -> str:
    with mail.imap_bare(target) as client:
        found = [item.decode() for item in client.capabilities()]
    if "LOGINDISABLED" not in found or any(item.startswith("AUTH=") for item in found):
        raise Failed(" ".join(found))
    return "LOGINDISABLED, and no AUTH="


@negative("A client that logs in without TLS all the same is refused", needs="elsewhere imap", remedy=CLEAR)
def refused(target: Target) -> str:
    # Nobody's password: these lines do cross the network in the clear.
    with mail.imap_bare(target) as client:
        try:
            client.login("nobody", "nothing")
        except LoginError as error:
            login = mail.words(error)
        else:
            raise Failed("logged in")
        try:
            client.plain_login("nobody", "nothing")
        except IMAPClientError as error:
            plain = mail.words(error)
    for text in (login, plain):
        if "PRIVACYREQUIRED" not in text:
            raise Failed(f"refused, but not for want of TLS: {text}")
    return login


@negative("TLS 1.1 is refused on 143", needs="imap imap-tls", remedy=tls.DOVECOT_MINIMUM)
def old_refused(target: Target) -> str:
    return tls.old_refused(target, 143)
