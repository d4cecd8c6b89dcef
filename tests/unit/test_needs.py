"""A step stands on each earlier step that makes what its own texts name: a file, a service, a user, a folder for mail, a socket.

Of a step that is run alone nothing else says so: its operations would fail half way, or nothing would, and mail would wait.
"""

import re
from collections.abc import Iterator
from typing import Any

from deploys.data import mail_data
from deploys.platforms import PLATFORMS
from deploys.told import Told, by_step, needs
from facts.mail_host import MailHost
from operations import base, dovecot, files, packages, postfix, services, users

DEBIAN = PLATFORMS["debian", "13"]
# What is asked for in a dialect: a folder that is made, a socket.
IN_BLOCKS = (r"^ *mailbox (\w+) \{\n +auto", r"unix_listener \S*/(private/\S+)")
# Users that come with a package.
BROUGHT = {"postfix": "postfix", "amavis": "amavis"}


def made(kept: Told) -> Iterator[str]:
    """What a step makes, by the words that other steps have for it."""
    for operation, given in kept:
        if operation is not files.file:  # it makes none
            yield from set(base.touched(operation, given).get("writes", ())) - {postfix.MAIN_CF, postfix.MASTER_CF}
        if operation in (postfix.master_cf, files.directory, users.user):
            yield given[{postfix.master_cf: "service", files.directory: "path", users.user: "user"}[operation]]
        if operation is packages.packages:
            yield from (user for user, role in BROUGHT.items() if set(DEBIAN.packages[role]) & set(given["packages"]))
        if operation is dovecot.block:
            for text in given["dialects"].values():
                yield from (found for one in IN_BLOCKS for found in re.findall(one, text, re.MULTILINE))


def texts(given: Any) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, dict | list | tuple):
        for value in given.values() if isinstance(given, dict) else given:
            yield from texts(value)


def named(kept: Told, words: set[str]) -> set[str]:
    """Which of these words the texts of a step have. A step restarts daemons of others, too."""
    pattern = re.compile(
        r"(?<![\w./-])(" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + r")(?![\w./-])"
    )
    every = (given for operation, given in kept if operation is not services.service and "packages" not in given)
    told = (text for given in every for text in texts({key: one for key, one in given.items() if key != "name"}))
    return {found for text in told for found in pattern.findall(text)}


def test_a_step_stands_on_the_makers_of_what_it_names() -> None:
    known = mail_data({"spam_refuse_score": 12.0}, "mx1.example.test", secrets_too=False)
    told = by_step(known, DEBIAN, MailHost())
    makers: dict[str, list[str]] = {}
    lacking = {}
    for step, kept in told.items():  # in their order: what comes later can be no need
        behind = {step, *needs(step)}
        own = set(made(kept))
        others = named(kept, set(makers) - own or {"-"})
        if lost := {word: makers[word] for word in others if not behind & set(makers[word])}:
            lacking[step] = lost
        for word in own:
            makers.setdefault(word, []).append(step)
    assert {"Junk", "submission/inet", "vmail", "/etc/postfix/pgsql/senders.cf", "private/dovecot-lmtp"} <= set(makers)
    assert lacking == {}
