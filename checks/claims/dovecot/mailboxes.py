"""What a user finds there, and that it is the user's own."""

import imaplib

from checks.clients import mail
from checks.engine.check import check
from checks.engine.target import Target
from checks.engine.verdicts import Failed

SPECIAL = {"Sent": b"\\Sent", "Trash": b"\\Trash", "Drafts": b"\\Drafts", "Junk": b"\\Junk"}


@check(
    "Sent, Trash, Drafts and Junk are there and subscribed",
    needs="login",
    remedy="mailbox X { auto = subscribe; special_use = \\X } in the inbox "
    "namespace, each setting on a line of its own.",
)
def special(target: Target) -> str:
    with mail.imap(target, 0) as client:
        marked = {flag: name for flags, _, name in client.list_folders() for flag in flags}
        subscribed = {name for _, _, name in client.list_sub_folders()}
        for name in SPECIAL:
            client.select_folder(name, readonly=True)
    lacking = [name for name, flag in SPECIAL.items() if marked.get(flag) != name or name not in subscribed]
    if lacking:
        raise Failed(f"not marked or not subscribed: {', '.join(lacking)}")
    return ", ".join(f"{name} {flag.decode()}" for name, flag in SPECIAL.items())


@check(
    "A user cannot open another user's mailboxes",
    negative=True,
    needs="login",
    remedy="Take the namespace out of dovecot.conf that leads there.",
)
def own_only(target: Target) -> str:
    address = target.account(1)[0]
    other = address.partition("@")[0]
    heard = ""
    with mail.imap(target, 0) as client:
        shared = [prefix for kind in client.namespace() for prefix, _ in kind or ()]
        guesses = [
            f"../{other}",
            f"../{other}/.Sent",
            "../../etc",
            f"~{other}",
            f"{target.mail_home}/{target.domain}/{other}",
        ]
        for prefix in dict.fromkeys((*shared, "user/", "shared/")):
            for whose in (other, address):
                guesses += [f"{prefix}{whose}", f"{prefix}{whose}/INBOX", f"{prefix}{whose}.INBOX"]
        for name in guesses:
            try:
                client.select_folder(name, readonly=True)
            except imaplib.IMAP4.error as error:
                heard = mail.words(error)
            else:
                raise Failed(f"SELECT {name} is allowed")
    return f"{len(guesses)} names refused, such as: {heard}"
