"""The front desk: what it says, how a password may travel, and what a user finds there."""

from __future__ import annotations

import imaplib
import re

from imapclient.exceptions import IMAPClientError, LoginError

from checks.mail import imap, imap_bare, words
from checks.model import Failed, check
from checks.target import Target

TLS = ("imap", "imap tls")
SPECIAL = {"Sent": b"\\Sent", "Trash": b"\\Trash", "Drafts": b"\\Drafts", "Junk": b"\\Junk"}
CLEAR = "2.3: disable_plaintext_auth = yes; 2.4: auth_allow_cleartext = no; and ssl = required."


@check(
    "dovecot.install.version",
    "Dovecot is a version that the chapter has a dialect for",
    needs=("ssh",),
    remedy="Install Dovecot 2.3 or 2.4; see chapter 4, install.",
)
def version(target: Target) -> str:
    found = target.shell("dovecot --version")
    if not found.startswith(("2.3.", "2.4.")):
        raise Failed(found)
    return found


@check(
    "dovecot.protocols.imap",
    "IMAP is served, on 143 and on 993",
    needs=("imap",),
    remedy="protocols = imap … in dovecot.conf.",
)
def protocols(target: Target) -> str:
    with imap_bare(target) as client:
        found = [item.decode().upper() for item in client.capabilities()]
    if "IMAP4REV1" not in found:
        raise Failed(" ".join(found))
    return "IMAP4rev1 on 143, and 993 is open"


@check(
    "dovecot.protocols.nothing_else",
    "POP3, which nobody asked for, is not served",
    negative=True,
    elsewhere=True,
    needs=("imap",),
    remedy="Take pop3 out of protocols.",
)
def nothing_else(target: Target) -> str:
    found = [port for port in (110, 995) if not target.vantage.probe(target.address, port)]
    if found:
        raise Failed(f"port {' and '.join(map(str, found))} answers")
    return "110 and 995 are closed"


@check("dovecot.greeting.ready", "Dovecot greets a client", needs=("imap",))
def ready(target: Target) -> str:
    return greeting(target)


@check(
    "dovecot.greeting.no_version",
    "The greeting does not tell the version",
    negative=True,
    needs=("imap",),
    remedy="Take the version out of login_greeting.",
)
def no_version(target: Target) -> str:
    text = greeting(target)
    if re.search(r"\d+\.\d+", re.sub(r"\[CAPABILITY[^]]*\]", "", text)):
        raise Failed(text)
    return re.sub(r".*\] *", "", text)


def greeting(target: Target) -> str:
    with imap_bare(target) as client:
        return client.welcome.decode(errors="replace").removeprefix("* ")


@check(
    "dovecot.cleartext.after_tls",
    "After STARTTLS, AUTH=PLAIN is offered",
    needs=TLS,
    remedy="auth_mechanisms = plain in dovecot.conf.",
)
def after_tls(target: Target) -> str:
    with imap(target) as client:
        found = [item.decode() for item in client.capabilities()]
    if "AUTH=PLAIN" not in found or "LOGINDISABLED" in found:
        raise Failed(" ".join(found))
    return " ".join(item for item in found if item.startswith(("AUTH", "SASL")))


@check(
    "dovecot.cleartext.announced",
    "Before STARTTLS, LOGINDISABLED is announced",
    negative=True,
    needs=("imap",),
    elsewhere=True,
    remedy=CLEAR,
)
def announced(target: Target) -> str:
    with imap_bare(target) as client:
        found = [item.decode() for item in client.capabilities()]
    if "LOGINDISABLED" not in found or any(item.startswith("AUTH=") for item in found):
        raise Failed(" ".join(found))
    return "LOGINDISABLED, and no AUTH="


@check(
    "dovecot.cleartext.refused",
    "A client that logs in without TLS all the same is refused",
    negative=True,
    needs=("imap",),
    elsewhere=True,
    remedy=CLEAR,
)
def refused(target: Target) -> str:
    # Nobody's password: these lines do cross the network in the clear.
    with imap_bare(target) as client:
        try:
            client.login("nobody", "nothing")
        except LoginError as error:
            login = words(error)
        else:
            raise Failed("logged in")
        try:
            client.plain_login("nobody", "nothing")
        except IMAPClientError as error:
            plain = words(error)
    for text in (login, plain):
        if "PRIVACYREQUIRED" not in text:
            raise Failed(f"refused, but not for want of TLS: {text}")
    return login


@check(
    "dovecot.mailboxes.special",
    "Sent, Trash, Drafts and Junk are there and subscribed",
    needs=("login",),
    remedy="mailbox X { auto = subscribe; special_use = \\X } in the inbox "
    "namespace, each setting on a line of its own.",
)
def special(target: Target) -> str:
    with imap(target, 0) as client:
        marked = {flag: name for flags, _, name in client.list_folders() for flag in flags}
        subscribed = {name for _, _, name in client.list_sub_folders()}
        for name in SPECIAL:
            client.select_folder(name, readonly=True)
    lacking = [name for name, flag in SPECIAL.items() if marked.get(flag) != name or name not in subscribed]
    if lacking:
        raise Failed(f"not marked or not subscribed: {', '.join(lacking)}")
    return ", ".join(f"{name} {flag.decode()}" for name, flag in SPECIAL.items())


@check("dovecot.mailboxes.own_only", "A user cannot open another user's mailboxes", negative=True, needs=("login",))
def own_only(target: Target) -> str:
    address = target.account(1)[0]
    other = address.partition("@")[0]
    heard = ""
    with imap(target, 0) as client:
        shared = [prefix for kind in client.namespace() for prefix, _ in kind or ()]
        guesses = [
            f"../{other}",
            f"../{other}/.Sent",
            "../../etc",
            f"~{other}",
            f"{target.mail_base}/{target.domain}/{other}",
        ]
        for prefix in dict.fromkeys((*shared, "user/", "shared/")):
            for whose in (other, address):
                guesses += [f"{prefix}{whose}", f"{prefix}{whose}/INBOX", f"{prefix}{whose}.INBOX"]
        for name in guesses:
            try:
                client.select_folder(name, readonly=True)
            except imaplib.IMAP4.error as error:
                heard = words(error)
            else:
                raise Failed(f"SELECT {name} is allowed")
    return f"{len(guesses)} names refused, such as: {heard}"
