"""Letters whose passport is asked for, and what else tells their way: headers and folders over IMAP."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.utils import formatdate, parsedate_to_datetime
from uuid import uuid4

from checks.clients.mail import imap
from checks.engine.target import Target
from lab import Host
from postmaster import reading
from postmaster.model import Hop, NotFound, Passport
from tests.live.support import ROOT

FOO, BAR, ALICE = "foo@example.test", "bar@example.test", "alice@example.net"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def letter(sender: str, to: str, body: str = "Hello.\n", virus: bool = False) -> tuple[str, str]:
    """(Message-ID, text)"""
    mark = f"<{uuid4().hex}@{sender.partition('@')[2]}>"
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Date"], made["Message-ID"] = (
        sender,
        to,
        "Passport",
        formatdate(),
        mark,
    )
    made.set_content(body)
    if virus:
        made.add_attachment(EICAR, "application", "octet-stream", filename="sample.com")
    return mark, made.as_string()


def sent(world: Host, *to: str, body: str = "Hello.\n", virus: bool = False) -> str:
    mark, text = letter(ALICE, to[0], body, virus)
    world.run(["sendmail", "-f", ALICE, *to], stdin=text)
    return mark


def told(
    target: Target, mark: str, enough: Callable[[Passport], bool] = lambda found: found.ended, patience: float = 60
) -> Passport:
    """The passport, as soon as nothing is on its way any more."""
    end = time.monotonic() + patience
    while True:
        try:
            if enough(found := reading.passport(target, mark)):
                return found
        except NotFound:
            pass
        assert time.monotonic() < end, f"{mark} is not there, or still on its way"
        time.sleep(0.5)


def held_against(target: Target, found: Passport, who: str, folder: str) -> Message:
    """What its reader has in that folder, and whether it tells the same story."""
    with imap(target, [FOO, BAR].index(who), port=993) as client:
        client.select_folder(folder, readonly=True)
        uids = client.search(["HEADER", "Message-ID", found.message_id])
        assert len(uids) == 1, f"{folder} of {who} has {len(uids)}"
        headers = message_from_bytes(client.fetch(uids, ["BODY.PEEK[HEADER]"])[uids[0]][b"BODY[HEADER]"])
    assert found.folders[who] == [folder]
    received = [" ".join(line.split()) for line in headers.get_all("Received", [])]
    ours = [
        match
        for line in reversed(received)
        if (match := re.search(rf"by {target.hostname} \(Postfix\) with \w+ id (\w+)", line))
    ]
    way = path_to(found, who, folder)
    assert [match[1] for match in ours] == list(dict.fromkeys(hop.queue for hop in way if hop.queue)), received
    first = next(hop for hop in way if hop.station == "Postfix cleanup")
    line = next(line for line in received if ours[0][1] in line)
    assert abs(parsedate_to_datetime(line.rpartition(";")[2].strip()).timestamp() - first.at) < 3
    tls = re.search(r"using (TLSv[\d.]+)", line)
    assert (tls[1] if tls else "no TLS") in way[0].what
    amavis = next(hop for hop in way if hop.station == "Amavis" and hop.verdict.startswith("Passed"))
    assert f"hits {float(headers['X-Spam-Score']):g}" in amavis.what
    assert (headers["X-Spam-Flag"] == "YES") == (amavis.verdict != "Passed CLEAN")
    return headers


def path_to(found: Passport, who: str, folder: str) -> list[Hop]:
    hop: Hop | None = next(hop for hop in found.hops if hop.folder == folder and who in hop.recipients)
    way: list[Hop] = []
    while hop:
        way.insert(0, hop)
        hop = found.hops[hop.after - 1] if hop.after else None
    return way


def hops(found: Passport, station: str) -> list[Hop]:
    return [hop for hop in found.hops if hop.station == station]


def postmaster(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "postmaster", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
