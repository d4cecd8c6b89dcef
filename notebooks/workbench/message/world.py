"""The world: one more lab host that plays the Internet. Letters from it, and what arrives there."""

from __future__ import annotations

import re
import shlex
import time
from email import message_from_string
from email.utils import make_msgid

from notebooks.workbench.host import remote, snapshots, where
from notebooks.workbench.message.letters import Letter, full, written
from notebooks.workbench.message.passport import located
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import NotReady, Trouble

DOMAIN = "example.net"
SKIPPED = "This needs the lab's world, and this host is not of the lab: skipped."
Headers = dict[str, str]


def host() -> dict[str, str]:
    """The world's record in lab.json; {} while there is none."""
    hosts = where.place().lab.get("hosts", {}).values()
    return next((one for one in hosts if one["role"] == "world"), {})


def world() -> html.Note:
    """Bring the world up, where it is not yet, and say who is there."""
    here = where.place()
    if not here.lab:
        return html.Note(
            "No world here.",
            "The experiments that send letters from outside are for the lab. On this host they are skipped, each with a "
            "sentence; everything else works as it does there.",
            "warn",
        )
    if not host():
        process = snapshots.lab("add", "world")
        progress.until_done(process, "bringing up the world (the first time builds its image)")
        if process.returncode:
            said = process.stdout.read().strip() if process.stdout else ""
            raise NotReady("The world did not come up.", said, "In a terminal: python -m lab add world")
        remote.forget()
        where.use(here.name)
    streets = remote.execute("cut -d' ' -f2 /etc/mailroom-lab/clients", on=host()["name"]).out.split()
    return html.Note(
        f"Outside there is a world: {host()['fqdn']}",
        f"alice@{DOMAIN} and carol@{DOMAIN} live there, in a domain with a mail server, SPF and DKIM as it should be.\n"
        f"{len(streets)} strangers send from home: {', '.join(name.partition('.')[0] for name in streets)}.\n"
        f"What is sent to any other domain ends in one big sink. {here.name} asks this world's DNS; nothing leaves the lab.",
        "good",
    )


def from_world(
    sender: str,
    recipient: str,
    subject: str,
    text: str = "Hello from outside.\n",
    *,
    parcel: bytes = b"",
    headers: Headers | None = None,
    by: str = "",
) -> Letter | html.Note:
    """A letter from the world: through its mail server (signed), or, with by="ash", straight from that stranger's home."""
    snapshots.wait()
    here, there = where.place(), host()
    if not here.lab:
        return html.Note(SKIPPED, kind="warn")
    if not there:
        raise NotReady("There is no world in this lab yet.", remedy="world()")
    sender, recipient = sender if "@" in sender else f"{sender}@{DOMAIN}", full(recipient, here)
    letter = Letter(sender, recipient, subject, 25, make_msgid(domain=DOMAIN))
    message = written(letter, text)
    for name, value in (headers or {}).items():
        message[name] = value
    if parcel:
        message.add_attachment(parcel, maintype="application", subtype="octet-stream", filename="parcel.txt")
    words = _by_hand(here, there, letter, by) if by else ["sendmail", "-f", sender, recipient]
    done = remote.execute(shlex.join(words), on=there["name"], stdin=message.as_string())
    if by:
        replies = re.findall(r"^<[-~*]?[-~*]? +(\d\d\d .*)$", done.out, re.MULTILINE)
        letter.answer = next((one for one in replies if one[0] in "45"), replies[-2] if len(replies) > 1 else done.both)
    elif done.code:
        raise Trouble("The world's mail server did not take it.", done.both)
    else:
        letter.answer = f"{there['fqdn']} has it, looks up the MX of {recipient.partition('@')[2]}, and brings it"
    located(letter)  # a cell that asks for it next finds it at rest
    return letter


def _by_hand(here: where.Place, there: dict[str, str], letter: Letter, by: str) -> list[str]:
    """swaks, from the address of one of the world's strangers."""
    line = remote.execute(f"grep -m1 ' {re.escape(by)}[.]' /etc/mailroom-lab/clients", on=there["name"]).out.split()
    if len(line) != 2:
        raise Trouble(f"Nobody out there is called {by!r}.", remedy="world() names them")
    address, name = line
    way = ["--server", here.address, "--local-interface", address, "--helo", name, "--data", "-"]
    return ["swaks", *way, "--from", letter.sender, "--to", letter.recipient]


def world_mailbox(name: str, *, by: str = "", wait: float = 0.0) -> html.Shown:
    """What has arrived in the world, newest first: for "alice", "carol", or, with "sink", for everybody else out there.

    With by="foo" only what foo has sent, waited for some seconds.
    """
    if not where.place().lab:
        return html.Note(SKIPPED, kind="warn")
    folder = "/var/mail/sink" if name == "sink" else f"/var/mail/{DOMAIN}/{name.partition('@')[0]}"
    newest = "$(ls -t new/* cur/* 2>/dev/null | head -n 20)"
    script = f"cd {shlex.quote(folder)} 2>/dev/null && for f in {newest}; do sed '/^$/q' $f; echo ----; done"
    sender, end = full(by, where.place()) if by else "", time.monotonic() + wait
    while True:
        out = remote.execute(script, on=host()["name"]).out
        letters = [message_from_string(one) for one in out.split("----\n")[:-1]]
        letters = [one for one in letters if sender in str(one["From"])]
        if letters or time.monotonic() > end:
            break
        time.sleep(0.3)
    rows = [[one["From"], one["To"] or one["Delivered-To"], one["Subject"], one["Date"]] for one in letters]
    only = f", from {sender}" if sender else ""
    return html.Table(["from", "to", "subject", "date"], rows, f"in the world: {folder}{only}")
