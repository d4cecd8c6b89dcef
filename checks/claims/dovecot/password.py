"""Who gets in: the right password, the wrong one, and a user nobody knows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from checks.mail import imap, words
from checks.model import AFTERWARDS, LAST, Failed, check
from checks.target import Target

LOOKUP = ("postgresql", "dovecot-sql", "imap", "imap tls")


@check(
    "dovecot.password.login",
    "foo logs in, and really has mailboxes to open",
    needs=LOOKUP,
    provides="login",
    remedy="journalctl -u dovecot says why; doveadm auth test foo@… asks the passdb alone.",
)
def login(target: Target) -> str:
    with imap(target, 0) as client:
        return opened(client)


def opened(client: IMAPClient) -> str:
    """A tagged OK at LOGIN is not proof: it also says "Logged in, but initialization failed"."""
    try:
        folders = [name for _, _, name in client.list_folders()]
        client.select_folder("INBOX", readonly=True)
    except (IMAPClientError, OSError) as error:
        raise Failed(f"logged in, but then: {words(error)}") from error
    return f"LIST: {', '.join(sorted(folders))}; INBOX opens"


@check("dovecot.password.every_account", "bar logs in as well, on 993", needs=("login",))
def every_account(target: Target) -> str:
    with imap(target, 1, port=993) as client:
        return opened(client)


@check(
    "dovecot.password.capitals",
    "An address typed in capitals is the same account",
    needs=("login",),
    remedy="auth_username_format lowercases; addresses are stored lower.",
)
def capitals(target: Target) -> str:
    user, password = target.account(0)
    with imap(target) as client:
        try:
            client.login(user.capitalize(), password)
        except LoginError as error:
            raise Failed(f"{user.capitalize()}: {words(error)}") from error
        return opened(client)


@check(
    "dovecot.passdb.wrong_password",
    "A wrong password is refused; so is an unknown user, alike",
    negative=True,
    order=LAST,
    needs=LOOKUP,
    elsewhere=True,
)
def wrong_password(target: Target) -> str:
    users = [target.account(0)[0], f"no-such-user@{target.domain}"]
    # At the same time: the server lets each failed login wait, on purpose.
    with ThreadPoolExecutor() as pool:
        known, unknown = pool.map(lambda user: attempt(target, user), users)
    if known != unknown:
        raise Failed(f"a known user hears {known!r}, an unknown one {unknown!r}")
    if not known.startswith("[AUTHENTICATIONFAILED]"):
        raise Failed(f"refused, but with: {known}")
    return known


def attempt(target: Target, user: str) -> str:
    with imap(target) as client:
        try:
            client.login(user, "not-the-password")
        except LoginError as error:
            return words(error)
    raise Failed(f"{user} logged in with a wrong password")


@check(
    "dovecot.password.not_locked_out",
    "After wrong passwords the right one still works",
    order=AFTERWARDS,
    needs=("login",),
    remedy="Look at auth_penalty, and for a ban of ours.",
)
def not_locked_out(target: Target) -> str:
    # It also ends the waiting that Dovecot gave this address, so that the next person has none.
    with imap(target, 0) as client:
        return opened(client)
