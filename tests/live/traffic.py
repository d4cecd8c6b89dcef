"""Messages from the world, each found again by its mark, and what became of them on the mail host and out there."""

from __future__ import annotations

import io
import json
import re
import shlex
import smtplib
import ssl
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from checks.clients.samples import GTUBE
from lab import Host, state

ALICE = "alice@example.net"
HOLD = "/var/lib/amavis/virusmails"
INBOX = "INBOX"
T = TypeVar("T")


def message(
    to: str,
    *headers: tuple[str, str],
    text: str = "A letter.\n",
    sender: str = ALICE,
    attached: bytes = b"",
    name: str = "",
) -> tuple[str, str]:
    """A letter as text, and the mark in its Message-ID."""
    mark = uuid4().hex
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, f"A letter, {mark[:8]}"
    made["Date"], made["Message-ID"] = formatdate(), f"<{mark}@example.net>"
    for header, value in headers:
        made[header] = value
    made.set_content(text)
    if attached:
        made.add_attachment(attached, "application", "octet-stream", filename=name or "sample.txt")
    return mark, made.as_string()


def zipped(inside: bytes, name: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, inside)
    return made.getvalue()


def spam(to: str) -> tuple[str, str]:
    return message(to, text=f"{GTUBE}\n")


def send(world: Host, text: str, *to: str, sender: str = ALICE) -> None:
    """By the world's own mail server: queued there, signed, and brought to whatever the MX says."""
    world.run(["sendmail", "-f", sender, *to], stdin=text)


def bring(world: Host, text: str, to: str, sender: str = ALICE, home: str = "elm.homes.example.net") -> str:
    """By SMTP, from an ordinary address of the client network, unsigned: the whole conversation."""
    address = world.record["clients"][home]
    return world.run(
        f"swaks --server mx1.example.test --local-interface {address} --helo {home} --from '{sender}' --to '{to}' --data -",
        stdin=text,
        check=False,
    ).stdout


def until(look: Callable[[], T], what: str, patience: float = 60) -> T:
    """What `look` finds, as soon as it finds anything."""
    end = time.monotonic() + patience
    while not (found := look()):
        if time.monotonic() > end:
            pytest.fail(f"not within {patience:.0f} s: {what}")
        time.sleep(0.3)
    return found


def places(host: Host, marks: Iterable[str], below: str = "/home/mail") -> dict[str, list[str]]:
    """The files of each letter in mailboxes, by mark."""
    listed = host.run(
        f"find {below} -type f '(' -path '*/new/*' -o -path '*/cur/*' ')' -exec grep -oHE 'Message-I[Dd]: *<[0-9a-f]{{32}}' {{}} +",
        check=False,
    ).stdout
    found: dict[str, list[str]] = {mark: [] for mark in marks}
    for line in listed.splitlines():
        path, _, rest = line.partition(":")
        if (mark := rest.rpartition("<")[2]) in found:
            found[mark].append(path)
    return found


def delivered(host: Host, mark: str, patience: float = 60) -> str:
    """Where the letter is, once it is in one mailbox."""
    found = until(lambda: places(host, [mark])[mark], f"{mark} arrives; the log: {trace(host, mark)}", patience)
    assert len(found) == 1, found
    return found[0]


def folder(path: str) -> str:
    inside = path.split("/")[-3]
    return inside[1:] if inside.startswith(".") else INBOX


def read(host: Host, path: str) -> str:
    return host.run(["cat", path]).stdout


def trace(host: Host, mark: str) -> str:
    return host.run(
        f"journalctl -q --no-pager -o cat -n 400 | grep -F {shlex.quote(mark)} | tail -n 3", check=False
    ).stdout


def queue(host: Host) -> int:
    return int(host.run("postqueue -j | wc -l").stdout)


def settled(*hosts: Host, patience: float = 60) -> None:
    """Nothing is on its way any more."""
    until(lambda: not any(queue(host) for host in hosts), "every queue is empty", patience)


def held(host: Host, mark: str) -> list[str]:
    return host.run(f"grep -rlF -- {mark} {HOLD}", check=False).stdout.split()


def scanned(text: str) -> bool:
    """Whether this host's own workers looked at it: they say so above the line of whoever brought it."""
    head = text.partition("\n\n")[0]
    above = re.split(r"^Received: from (?:world|\w+\.homes)\.example\.net", head, flags=re.M)[0]
    return bool(re.search(r"\(amavis(?:d-new)?, port 10024\)", above)) and "X-Spam-Score:" in head


def mail_out_there(world: Host) -> list[str]:
    """Everything that arrived in the world, whoever it was for."""
    return world.run("find /var/mail -type f -path '*/new/*'", check=False).stdout.split()


def empty(*hosts: Host) -> None:
    """No mail anywhere: the next test counts from nothing. Dovecot's by itself, or its indexes would go on counting it."""
    for host in hosts:
        host.run("command -v doveadm >/dev/null && doveadm expunge -A mailbox '*' all; true", check=False)
        host.run(
            "find /var/mail /home/mail -type f '(' -path '*/new/*' -o -path '*/cur/*' ')' -delete 2>/dev/null;"
            f" rm -f {HOLD}/virus-* {HOLD}/banned-* 2>/dev/null; true"
        )


def password(user: str) -> str:
    return str(json.loads(state.path("accounts.json").read_text())[user])


@contextmanager
def encrypted(host: Host, port: int = 587) -> Iterator[smtplib.SMTP]:
    """A session of submission inside TLS, with whatever certificate, before the login."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    where = ("127.0.0.1", host.record["ports"][str(port)])
    if port == 465:
        client: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=60, context=context)
    else:
        client = smtplib.SMTP(*where, timeout=60)
        client.starttls(context=context)
    with client:
        client.ehlo()
        yield client


@contextmanager
def submission(host: Host, user: str, port: int = 587) -> Iterator[smtplib.SMTP]:
    """A session of somebody who has logged in. All tests come from one address, and Postfix counts its logins by the minute."""
    with encrypted(host, port) as client:
        try:
            client.login(user, password(user))
        except smtplib.SMTPAuthenticationError as refused:
            if b"too many AUTH" not in refused.smtp_error:
                raise
            host.run("pkill -x anvil")  # who counts; a new one begins at nothing
            client.login(user, password(user))
        yield client


def submit(host: Host, user: str, data: bytes, *recipients: str) -> None:
    """A letter of somebody who has logged in; `data` as it is, recipients with their brackets and parameters."""
    with submission(host, user) as client:
        for command in (f"MAIL FROM:<{user}>", *(f"RCPT TO:{one}" for one in recipients)):
            code, text = client.docmd(command)
            assert code == 250, (command, text)
        code, text = client.data(data)
        assert code == 250, text


def submitted(host: Host, to: str, *headers: tuple[str, str], sender: str = "foo@example.test") -> str:
    """The mark of a letter that foo has handed in."""
    mark, text = message(to, *headers, sender=sender)
    submit(host, sender, text.replace("\n", "\r\n").encode(), f"<{to}>")
    return mark


def judged(world: Host, path: str) -> dict[str, Any]:
    """What the world's judge finds in a letter that has arrived there, and his verdicts."""
    found: dict[str, Any] = json.loads(world.run(["judge", path]).stdout)
    return found


def out_there(world: Host, mark: str) -> str:
    """The path of a letter that has reached the world."""
    found = f"grep -rlF -- {mark} /var/mail/example.net /var/mail/big /var/mail/sink | grep /new/"
    return until(lambda: world.run(found, check=False).stdout.strip(), f"{mark} in the world")
