"""What a user finds there, and that it is the user's own."""

import imaplib

from checks.clients import mail
from checks.engine import Failed, Target, claim, negative

NEEDS = "login"
SPECIAL = {"Sent": b"\\Sent", "Trash": b"\\Trash", "Drafts": b"\\Drafts", "Junk": b"\\Junk"}


@claim(
    "Sent, Trash, Drafts and Junk are there and subscribed",
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


@negative(
    "A user cannot open another user's mailboxes", remedy="Take the namespace out of dovecot.conf that leads there."
)
def own_only(target: Target) -> str:
    target.two_accounts("there is no other user")
    other = target.bar.partition("@")[0]
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
            for whose in (other, target.bar):
                guesses += [f"{prefix}{whose}", f"{prefix}{whose}/INBOX", f"{prefix}{whose}.INBOX"]
        for name in guesses:
            try:
                client.select_folder(name, readonly=True)
            except imaplib.IMAP4.error as error:
                heard = mail.words(error)
            else:
                raise Failed(f"SELECT {name} is allowed")
    return f"{len(guesses)} names refused, such as: {heard}"
