"""Odd but right accounts: addresses and passwords that the inventory accepts, and whether they truly work."""

from __future__ import annotations

import base64
import io
import random
import smtplib
import socket
import ssl
import string
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from uuid import uuid4

from passlib.hash import argon2, sha256_crypt, sha512_crypt

from checks.engine.target import Target
from deploys.addresses import LONGEST_ADDRESS
from operations.passwords import LONGEST, SHORTEST

DOMAIN = "example.test"
OTHER = f"xn--bcher-kva.{'a-' * 30}b.{'0' * 63}.{'c' * 40}.example.test"  # as long as a domain's labels make it
LOCALS = (
    *("0", "new", "cur", "root", "mailer-daemon", "vmail", "null", "1e5", "a_", "a.b-c_d.e", "x" * 64),
    *(
        "tmp",
        "dovecot",
        "maildirfolder",
        "anonymous",
        "owner-foo",
        "foo-request",
        "nobody",
        "inbox",
        "true",
        "xn--80ak6aa92e",
    ),
)
SIGNS = string.ascii_letters + string.digits + string.punctuation + " "
PASSWORDS = (
    '"' * LONGEST,
    "\\" * LONGEST,
    " leading and trailing ",
    "%u%{user}%w%%",
    "{no end of a scheme",
    "}{SHA512}x",
    "'; DROP TABLE users; --",
    "a\\'b\"c\\\\d",
    "$dollar$`tick`$(echo)",
    "        ",
    "#comment = ; & | < >",
    "~" * LONGEST,
    "NIL () {8+} *%",
    "+OK 235 AUTH=",
    "=3D=20&amp;%20+",
    "********",
    "-p --help",
)


@dataclass(frozen=True)
class Account:
    """What stands in the accounts file, and what its owner types."""

    email: str
    secret: str
    password: str


def hashed(password: str) -> list[str]:
    """The same password in each form of a ready-made hash that is accepted, at the ends of what is accepted."""
    blowfish = bcrypt_of(password)
    return [
        f"{{blf-crypt}}{blowfish}",
        f"{{CRYPT}}$2a{blowfish.removeprefix('$2y')}",
        "{Argon2id}" + argon2.using(type="ID", memory_cost=131072, time_cost=1, parallelism=1).hash(password),
        "{ARGON2I}" + argon2.using(type="I", memory_cost=7168, time_cost=3, parallelism=1).hash(password),
        "{SHA512-CRYPT}" + sha512_crypt.using(rounds=1000, salt_size=1).hash(password),
        "{sha256-crypt}" + sha256_crypt.using(rounds=5000).hash(password),
        "{CRYPT}" + sha512_crypt.using(rounds=1_000_000).hash(password),
    ]


def bcrypt_of(password: str) -> str:
    import bcrypt as library

    return "$2y" + library.hashpw(password.encode(), library.gensalt(5)).decode().removeprefix("$2b")


def odd(number: int, seed: int = 10) -> list[Account]:
    """So many accounts: by hand as far as these go, the rest by chance, the same for the same seed."""
    chance = random.Random(seed)
    locals_ = list(LOCALS[:number])
    while len(locals_) < number:
        size = chance.choice((1, 2, 9, 40, 64))
        name = "".join(chance.choice("abcxyz019._-") for _ in range(size)).replace("..", ".-")
        name = "a" + name[1:-1] + "z" if len(name) > 1 else chance.choice("bcdefgh")
        if name not in locals_:
            locals_.append(name)
    typed = [
        *PASSWORDS,
        *("".join(chance.choices(SIGNS, k=chance.choice((SHORTEST, 33, LONGEST)))) for _ in range(number)),
    ]
    chance.shuffle(typed)
    accounts = []
    for index, local in enumerate(locals_):
        password = typed[index]
        ready = hashed("a hash's own password")
        if index % 3 == 2:
            secret, password = ready[index // 3 % len(ready)], "a hash's own password"
        else:
            secret = password if not password.startswith("$") else "x" + password
            password = secret
        domain = OTHER if index % 4 == 3 else DOMAIN
        local = local[: LONGEST_ADDRESS - 1 - len(domain)].rstrip(".")
        accounts.append(Account(f"{local}@{domain}", secret, password))
    return accounts


def works(target: Target, accounts: list[Account], aliases: dict[str, str]) -> dict[str, list[str]]:
    """By account what does not work: the ways in, a letter sent, a letter received. An empty list where all does."""
    target.vantage  # noqa: B018  connected once, before the threads are
    wrong: dict[str, list[str]] = {account.email: [] for account in accounts}
    inner = {account.email: uuid4().hex for account in accounts}
    outer = {account.email: uuid4().hex for account in accounts}

    def attempt(account: Account, what: str, do: Callable[..., None], *args: str | list[str] | float) -> None:
        try:
            do(target, account, *args)
        except (OSError, smtplib.SMTPException, AssertionError, EOFError) as error:
            wrong[account.email].append(f"{what}: {str(error)[:200]}")

    def goes_in_and_out(account: Account, after: Account) -> None:
        to = aliases.get(after.email, after.email)
        attempt(account, "IMAP LOGIN", imap_login)
        attempt(account, "IMAP AUTHENTICATE PLAIN", imap_plain)
        attempt(account, f"sends to {to}", submit, to, inner[after.email])
        attempt(account, "a stranger writes", deliver, outer[account.email])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(goes_in_and_out, accounts, [*accounts[1:], *accounts[:1]]))
    end = time.monotonic() + 120  # for all of them together
    for account in accounts:
        attempt(account, "receives", received, [inner[account.email], outer[account.email]], end)
    return wrong


def tls(target: Target, port: int) -> ssl.SSLSocket:
    raw = socket.create_connection(target.vantage.endpoint(target.address, port), timeout=30)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(raw, server_hostname=target.hostname)


def imap_login(target: Target, account: Account) -> None:
    """LOGIN with quoted strings, as most clients do, byte by byte our own."""
    quoted = account.password.replace("\\", "\\\\").replace('"', '\\"')
    say(target, f'a LOGIN "{account.email}" "{quoted}"')


def imap_plain(target: Target, account: Account) -> None:
    say(target, f"a AUTHENTICATE PLAIN {plain(account)}")


def plain(account: Account) -> str:
    return base64.b64encode(f"\0{account.email}\0{account.password}".encode()).decode()


def say(target: Target, command: str) -> None:
    with closing(tls(target, 993)) as wire, wire.makefile("rwb") as talk:
        assert talk.readline().startswith(b"* OK")
        for line in (command, "a SELECT INBOX"):  # an OK at LOGIN may be followed by "initialization failed"
            talk.write(line.encode() + b"\r\n")
            talk.flush()
            while (answer := talk.readline()) and not answer.startswith(b"a "):
                pass
            assert answer.startswith(b"a OK") and b"failed" not in answer, answer.decode(errors="replace").strip()


def letter(sender: str, to: str, mark: str) -> bytes:
    """Every line ended by CR LF: smtplib sends bytes as they are, and a bare LF is refused."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, "An odd account"
    made["Date"], made["Message-ID"] = formatdate(), f"<{mark}@example.net>"
    made.set_content("A letter.\n")
    return made.as_bytes(policy=SMTP)


def submit(target: Target, account: Account, to: str, mark: str) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP_SSL(*target.vantage.endpoint(target.address, 465), context=context, timeout=60) as session:
        session.ehlo(target.helo)
        code, answer = session.docmd("AUTH", f"PLAIN {plain(account)}")
        assert code == 235, f"AUTH: {code} {answer.decode(errors='replace')}"
        session.sendmail(account.email, [to], letter(account.email, to, mark))


def deliver(target: Target, account: Account, mark: str) -> None:
    with smtplib.SMTP(*target.vantage.endpoint(target.address, 25), timeout=60) as session:
        session.ehlo(target.helo)
        message = letter("alice@elsewhere.example", account.email, mark)
        session.sendmail("alice@elsewhere.example", [account.email], message)


def received(target: Target, account: Account, marks: list[str], end: float) -> None:
    """The letters are in the INBOX that the owner opens."""
    with closing(tls(target, 993)) as wire, wire.makefile("rwb") as talk:
        talk.readline()
        missing = list(marks)
        for number, line in enumerate((f"a0 AUTHENTICATE PLAIN {plain(account)}", "a1 SELECT INBOX")):
            ask(talk, f"a{number}", line)
        while missing := [mark for mark in missing if not found(ask(talk, "s", f"s SEARCH HEADER Message-ID {mark}"))]:
            if time.monotonic() > end:
                break
            time.sleep(0.5)
            ask(talk, "n", "n NOOP")
    assert not missing, f"{len(missing)} of {len(marks)} letters did not come"


def ask(talk: io.BufferedRWPair, tag: str, line: str) -> list[bytes]:
    talk.write(line.encode() + b"\r\n")
    talk.flush()
    answers = [talk.readline()]
    while answers[-1] and not answers[-1].startswith(tag.encode() + b" "):
        answers.append(talk.readline())
    assert answers[-1].startswith(tag.encode() + b" OK"), answers[-1].decode(errors="replace").strip()
    return answers


def found(answers: list[bytes]) -> bool:
    return any(line.startswith(b"* SEARCH ") and line.split()[2:] for line in answers)
