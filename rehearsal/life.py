"""What a mail server holds, recorded before an upgrade and compared afterwards.

People's mail is read as their programs see it, by IMAP, in a session that the host itself opens (`doveadm exec imap`): nobody's
password is needed. https://doc.dovecot.org/latest/core/man/doveadm-exec.1.html
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from imapclient import IMAPClient

from lab import Host

FOLDERS = ("INBOX", "Archive", "Archive.2024", "Archive.2024.Grüße", "Work")
FLAGS: tuple[list[bytes], ...] = ([rb"\Seen"], [rb"\Seen", rb"\Answered", b"$Label1"], [rb"\Flagged", b"tax"], [])
FETCHED = ["FLAGS", "BODY.PEEK[]"]
SCRIPTS = """cd {home} &&
find . '(' -name '*.sieve' -type f -exec sha256sum {{}} + ')' -o '(' -name .dovecot.sieve -type l -printf '%l  %p\\n' ')'"""
ROWS = """SELECT json_build_object(
    'users', (SELECT json_object_agg(email, password) FROM users),
    'aliases', (SELECT json_object_agg(alias, email) FROM aliases))"""
BAYES = "cd /; runuser -u amavis -- sa-learn --dump magic 2>/dev/null | awk '/nspam|nham/ { print $NF, $3 }'"
HELD = "find /var/lib/amavis/virusmails -type f -exec sha256sum {} + 2>/dev/null"


@dataclass(frozen=True)
class Letter:
    """A letter in a mailbox: flags and keywords, its sum, and the mark in its Message-ID."""

    flags: tuple[str, ...]
    sum: str
    mark: str


@dataclass(frozen=True)
class Mailbox:
    """A folder of somebody's: letters by UID. UIDs mean something for as long as UIDVALIDITY is the same."""

    validity: int
    letters: dict[int, Letter]


@dataclass
class Life:
    """What a server holds. Mailboxes are by person and folder; the queue has its letters' recipients by queue id."""

    mailboxes: dict[str, dict[str, Mailbox]] = field(default_factory=dict)
    subscribed: dict[str, list[str]] = field(default_factory=dict)
    rows: dict[str, dict[str, str]] = field(default_factory=dict)  # users with their hashes, and aliases
    scripts: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)  # in quarantine, with their sums
    bayes: dict[str, str] = field(default_factory=dict)
    queue: dict[str, list[str]] = field(default_factory=dict)

    @property
    def letters(self) -> int:
        return sum(len(one.letters) for folders in self.mailboxes.values() for one in folders.values())

    @property
    def folders(self) -> int:
        return sum(map(len, self.mailboxes.values()))

    def places(self, mark: str) -> list[str]:
        """Where the letters of this mark are: a place for each copy."""
        return [
            f"{folder} of {person}"
            for person, folders in self.mailboxes.items()
            for folder, box in folders.items()
            for letter in box.letters.values()
            if letter.mark == mark
        ]


class Stream(IMAPClient):
    """IMAPClient over a command. Its version 3 asks for the socket of a stream, which has none."""

    def _set_read_timeout(self) -> None:
        pass


@contextmanager
def session(host: Host, person: str) -> Iterator[IMAPClient]:
    """An IMAP session of this person, opened by the host."""
    words = [
        "ssh",
        "-F",
        str(host.folder / "ssh_config"),
        host.name,
        "doveadm",
        "exec",
        "imap",
        "-u",
        shlex.quote(person),
    ]
    with Stream(f"{shlex.join(words)} 2>/dev/null", ssl=False, stream=True) as client:
        yield client


def people(host: Host) -> list[str]:
    return list(rows(host)["users"])


def rows(host: Host) -> dict[str, dict[str, str]]:
    told = host.run(f"cd /; runuser -u postgres -- psql -XqAtd mail -c {shlex.quote(ROWS)}").stdout
    return {table: found or {} for table, found in json.loads(told).items()}


def recorded(host: Host, home: str = "/home/mail") -> Life:
    """All of it, as it is now."""
    life = Life(rows=rows(host))
    for person in life.rows["users"]:
        with session(host, person) as client:
            life.mailboxes[person] = mailboxes(client)
            life.subscribed[person] = sorted(name for _, _, name in client.list_sub_folders())
    life.scripts = pairs(host.run(SCRIPTS.format(home=shlex.quote(home)), check=False).stdout)
    life.held = pairs(host.run(HELD, check=False).stdout)
    life.bayes = dict(line.split() for line in host.run(BAYES, check=False).stdout.splitlines())
    life.queue = queued(host)
    return life


def pairs(listed: str) -> dict[str, str]:
    """Lines of a sum and a path, by path."""
    return {path: sum for sum, _, path in (line.partition("  ") for line in listed.splitlines())}


def queued(host: Host) -> dict[str, list[str]]:
    found = [json.loads(line) for line in host.run("postqueue -j").stdout.splitlines()]
    return {one["queue_id"]: sorted(to["address"] for to in one["recipients"]) for one in found}


def mailboxes(client: IMAPClient) -> dict[str, Mailbox]:
    found = {}
    for _, _, folder in client.list_folders():
        validity = int(client.select_folder(folder, readonly=True)[b"UIDVALIDITY"])
        uids = client.search()
        letters = client.fetch(uids, FETCHED) if uids else {}
        found[folder] = Mailbox(validity, {uid: letter(one) for uid, one in letters.items()})
    return found


def letter(fetched: dict[bytes, object]) -> Letter:
    flags, text = fetched[b"FLAGS"], fetched[b"BODY[]"]
    assert isinstance(flags, tuple) and isinstance(text, bytes)
    head = text.partition(b"\r\n\r\n")[0].decode(errors="replace")
    marks = [line for line in head.splitlines() if line.lower().startswith("message-id:")]
    mark = marks[0].partition("<")[2].partition("@")[0] if marks else ""
    kept = tuple(sorted(flag.decode() for flag in flags if flag != rb"\Recent"))
    return Letter(kept, hashlib.sha256(text).hexdigest(), mark)


def fill(host: Host, person: str, letters: Sequence[bytes]) -> None:
    """These letters in folders of folders, with flags and keywords; one in five is thrown away again, so that UIDs have gaps."""
    with session(host, person) as client:
        for folder in FOLDERS[1:]:
            if not client.folder_exists(folder):
                client.create_folder(folder)
                client.subscribe_folder(folder)
        for number, folder in enumerate(FOLDERS):
            texts = letters[number :: len(FOLDERS)]
            for nth, text in enumerate(texts):
                client.append(folder, text, flags=FLAGS[nth % len(FLAGS)])
            client.select_folder(folder)
            if found := client.search()[::5]:
                client.delete_messages(found)
                client.expunge()


def differences(before: Life, after: Life, marks: Collection[str] = ()) -> list[str]:
    """What is not as it was, in sentences. Letters with these marks have come meanwhile (how often, `places` says)."""
    return [*_mail(before, after, marks), *_rest(before, after)]


def _mail(before: Life, after: Life, marks: Collection[str]) -> Iterator[str]:
    for person, folders in before.mailboxes.items():
        for folder, was in folders.items():
            now = after.mailboxes.get(person, {}).get(folder)
            if now is None:
                yield f"{folder} of {person} is gone, with {len(was.letters)} letters"
                continue
            if now.validity != was.validity:
                yield f"{folder} of {person}: UIDVALIDITY was {was.validity} and is {now.validity}; clients fetch all of it again"
            if gone := was.letters.keys() - now.letters.keys():
                yield f"{folder} of {person}: {len(gone)} of {len(was.letters)} letters are gone, UID {min(gone)} for instance"
            changed = [uid for uid in was.letters.keys() & now.letters.keys() if was.letters[uid] != now.letters[uid]]
            if changed:
                uid = min(changed)
                yield f"{folder} of {person}: UID {uid} was {was.letters[uid]} and is {now.letters[uid]}, and {len(changed) - 1} more"
            new = {uid: now.letters[uid].mark for uid in now.letters.keys() - was.letters.keys()}
            if strange := [f"UID {uid} <{mark}>" for uid, mark in new.items() if mark not in marks]:
                yield f"{folder} of {person} has {len(strange)} letters that nobody sent: {', '.join(strange[:3])}"
    for person in before.subscribed:
        if before.subscribed[person] != after.subscribed.get(person):
            yield f"{person} was subscribed to {before.subscribed[person]} and is to {after.subscribed.get(person)}"


def _rest(before: Life, after: Life) -> Iterator[str]:
    for what, was, now in (
        ("accounts", before.rows["users"], after.rows.get("users", {})),
        ("aliases", before.rows["aliases"], after.rows.get("aliases", {})),
        ("Sieve scripts", before.scripts, after.scripts),
        ("letters in quarantine", before.held, after.held),
    ):
        # what is there beside has come meanwhile
        if wrong := sorted(key for key, value in was.items() if now.get(key) != value):
            yield f"{what}: {len(wrong)} of {len(was)} are not as they were, {wrong[0]} for instance"
    for kind, count in before.bayes.items():  # it may have learned from what came meanwhile
        if int(after.bayes.get(kind, 0)) < int(count):
            yield f"Bayes knew {count} letters ({kind}) and knows {after.bayes.get(kind, 'none')}"
    if lost := sorted(before.queue.keys() - after.queue.keys()):
        yield f"{len(lost)} letters that waited in the queue are not there any more, {lost[0]} for instance"
