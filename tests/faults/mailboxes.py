"""What people have in their mailboxes: all folders, read by IMAP, each letter of ours whole."""

from __future__ import annotations

import re
import time

from checks.clients.mail import imap
from checks.engine.target import Target
from lab import Host
from tests.faults.letters import MARK, mark_of
from tests.faults.sender import until
from tests.live import traffic

AT_ONCE = 50
Found = dict[str, dict[str, list[bytes]]]


def read(target: Target) -> Found:
    """Every copy of every letter of ours, by owner and mark."""
    found: Found = {}
    for number in (0, 1):
        owner = found.setdefault(target.account(number)[0], {})
        with imap(target, number, port=993) as client:
            for _, _, folder in client.list_folders():
                client.select_folder(folder, readonly=True)
                uids = client.search(["HEADER", MARK.decode().rstrip(": "), ""])
                for some in (uids[at : at + AT_ONCE] for at in range(0, len(uids), AT_ONCE)):
                    for parts in client.fetch(some, ["BODY.PEEK[]"]).values():
                        owner.setdefault(mark_of(parts[b"BODY[]"]), []).append(parts[b"BODY[]"])
    return found


def arrived(host: Host, mark: str) -> bool:
    """Whether the letter is in a mailbox already: asked of the disk, so that nothing but the delivery is measured."""
    assert re.fullmatch("[0-9a-f]+", mark)
    look = "find /home/mail -type f '(' -path '*/new/*' -o -path '*/cur/*' ')' -newermt '-3 minutes'"
    return bool(host.run(f"{look} -exec grep -lF {mark} {{}} +", check=False, timeout=10).stdout)


def drained(host: Host, patience: float) -> bool:
    """Whether the mail host's queue is empty within so many seconds; what was put off is tried again and again."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        host.run("postqueue -f", check=False)
        if until(lambda: traffic.queue(host) == 0, 8, every=0.5) is not None:
            return True
    return False
