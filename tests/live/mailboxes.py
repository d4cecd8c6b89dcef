"""People's mail as their programs see it: what is to be the same after a host has become another one."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from imapclient import IMAPClient

from lab import Host
from tests.live.traffic import message, password

Mailbox = tuple[
    int, dict[int, tuple[tuple[bytes, ...], str]]
]  # UIDVALIDITY; by UID: flags and keywords, and the letter's sum
FOLDERS = ("INBOX", "Archive", "Archive.2024", "Archive.2024.Grüße", "Work")
FLAGS: tuple[list[bytes], ...] = ([rb"\Seen"], [rb"\Seen", rb"\Answered", b"$Label1"], [rb"\Flagged", b"tax"], [])


@contextmanager
def mailbox(host: Host, user: str) -> Iterator[IMAPClient]:
    """A session of one user, inside TLS with whatever certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with IMAPClient("127.0.0.1", host.record["ports"]["993"], ssl_context=context, timeout=60) as client:
        client.login(user, password(user))
        yield client


def fill(host: Host, user: str, letters: int) -> None:
    """So many letters in folders of folders, with flags and keywords; one in five is thrown away again, so that UIDs have gaps."""
    with mailbox(host, user) as client:
        for folder in FOLDERS[1:]:
            if not client.folder_exists(folder):
                client.create_folder(folder)
                client.subscribe_folder(folder)
        for number in range(letters):
            folder = FOLDERS[number % len(FOLDERS)]
            text = message(user)[1].replace("\n", "\r\n").encode()
            client.append(folder, text, flags=FLAGS[number % len(FLAGS)])
        for folder in FOLDERS:
            client.select_folder(folder)
            if found := client.search()[::5]:
                client.delete_messages(found)
                client.expunge()


def seen(host: Host, user: str) -> dict[str, Mailbox]:
    """Each folder of a user: UIDVALIDITY, and each letter's UID, flags, keywords and sum."""
    found: dict[str, Mailbox] = {}
    with mailbox(host, user) as client:
        for _, _, folder in client.list_folders():
            validity = int(client.select_folder(folder, readonly=True)[b"UIDVALIDITY"])
            letters = client.fetch(client.search(), ["FLAGS", "BODY.PEEK[]"]) if client.search() else {}
            found[folder] = (
                validity,
                {
                    uid: (
                        tuple(sorted(flag for flag in one[b"FLAGS"] if flag != rb"\Recent")),
                        hashlib.sha256(one[b"BODY[]"]).hexdigest(),
                    )
                    for uid, one in letters.items()
                },
            )
    return found
