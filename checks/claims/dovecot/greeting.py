"""What Dovecot says first."""

import re

from checks.clients import mail
from checks.engine import Failed, Target, claim, negative


@claim("Dovecot greets a client", needs="imap")
def ready(target: Target) -> str:
    return greeting(target)


@negative("The greeting does not tell the version", needs="imap", remedy="Take the version out of login_greeting.")
def no_version(target: Target) -> str:
    text = greeting(target)
    if re.search(r"\d+\.\d+", re.sub(r"\[CAPABILITY[^]]*\]", "", text)):
        raise Failed(text)
    return re.sub(r".*\] *", "", text)


def greeting(target: Target) -> str:
    with mail.imap_bare(target) as client:
        return client.welcome.decode(errors="replace").removeprefix("* ")
