"""The letters that bring reports, read on the host as they are: nothing is marked as read, moved or deleted."""

import base64
import shlex
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from checks.engine.target import Target
from checks.engine.verdicts import Failed
from postmaster.read.log import sections

MOST, LARGEST = 1000, 10 * 2**20  # letters, the newest; bytes of one
ALIASES = """set -- $(postconf -h virtual_alias_maps | tr ',' ' ')
for address in {addresses}; do
    for map; do postmap -q "$address" "$map" 2>/dev/null && break; done | tr ',' '\\n' | sed "s/^ */$address /"
    ! doveadm user "$address" >/dev/null 2>&1 || echo "$address ="
done; true"""
# The subject that RFC 7489 (7.2.1.1) asks for, what others write in its place, and letters that are nothing but an archive.
QUERY = (
    '"(" SUBJECT "report domain" OR SUBJECT dmarc OR HEADER Content-Type application/zip OR HEADER Content-Type gzip OR HEADER '
    'Content-Type application/octet-stream OR HEADER Content-Type application/x-zip ")"'
)
LETTERS = """user={user}
doveadm -f tab fetch -u "$user" 'mailbox-guid uid size.physical' mailbox '*' SINCE {since} {query} | tail -n +2 | tail -n {most} |
while read -r guid uid size; do
    if [ "$size" -gt {largest} ]; then echo "--- large $uid $size"; continue; fi
    echo "--- letter $uid"
    doveadm fetch -u "$user" text mailbox-guid "$guid" uid "$uid" </dev/null | gzip -c | base64 -w 20000
done; true"""
HOPS = 5  # from one alias to the next


def mailboxes(target: Target, addresses: list[str]) -> list[str]:
    """Where letters to these addresses end up on this server."""
    found, asked, open_ = [], set[str](), addresses
    for _ in range(HOPS):
        open_ = [one for one in open_ if one not in asked]
        if not open_:
            break
        asked |= {*open_}
        words = " ".join(shlex.quote(one) for one in open_)
        rows = [row.split() for row in target.shell(ALIASES.format(addresses=words), timeout=60.0).splitlines()]
        pairs = [(row[0], row[1]) for row in rows if len(row) == 2 and row[0] in open_]
        found += [address for address, to in pairs if to == "="]
        open_ = [to for _, to in pairs if to != "=" and "@" in to]
    return [*dict.fromkeys(found)]


def letters(target: Target, user: str, days: int) -> Iterator[tuple[str, bytes | str]]:
    """Each letter that may bring a report: its name and its text, or instead of that why it was not read."""
    since = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d")
    command = LETTERS.format(user=shlex.quote(user), since=since, query=QUERY, most=MOST, largest=LARGEST)
    said = target.shell(command, timeout=300.0)
    found = sections(said)
    if said and not found:
        raise Failed(f"{user}'s letters cannot be read: {said[-300:]}")
    for head, rows in found.items():
        kind, uid, *size = head.split(" ")
        name = f"letter {uid} of {user}"
        if kind == "large":
            yield name, f"it has {size[0]} bytes, and a letter with a report has fewer than {LARGEST}"
            continue
        try:
            text = zlib.decompressobj(31).decompress(base64.b64decode("".join(rows)), LARGEST * 2)
        except (ValueError, zlib.error):
            yield name, "the host's answer cannot be read"
            continue
        yield name, text.removeprefix(b"text:\n")


def names(target: Target, addresses: list[str]) -> dict[str, str]:
    """The names of addresses, as the host's resolver has them; those that take long have none."""
    if not addresses:
        return {}
    listed = " ".join(addresses)
    command = f"for one in {listed}; do timeout 2 getent hosts $one || echo $one; done | head -c 100000; true"
    rows = [
        row.split() for row in target.shell(f"timeout 60 sh -c {shlex.quote(command)}; true", timeout=75.0).splitlines()
    ]
    return {row[0]: row[1].rstrip(".").lower() for row in rows if len(row) > 1}
