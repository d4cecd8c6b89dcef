"""The world: one more lab host that plays the Internet. Letters from it, and what arrives there."""

import re
import shlex
import time
from email import message_from_string
from email.utils import make_msgid

from notebooks.workbench.host import remote, snapshots, where
from notebooks.workbench.host.stopping import SECOND, SENT, stoppable
from notebooks.workbench.message.letters import Letter, full, send, written
from notebooks.workbench.message.passport import located
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady, Trouble

DOMAIN = "example.net"
SKIPPED = "This needs the lab's world, and this host is not of the lab: skipped."
FOLDERS = {"sink": "/var/mail/sink", "big": "/var/mail/big", "spam": "/var/mail/big/.Junk"}
Headers = dict[str, str]


def host() -> dict[str, str]:
    """The world's record in lab.json; {} while there is none."""
    hosts = where.place().lab.get("hosts", {}).values()
    return next((one for one in hosts if one["role"] == "world"), {})


@stoppable(
    "The lab goes on bringing up the world, and the next cell waits for that. Nothing was changed on {host}.",
    "{call} again: what is up already costs nothing.",
)
def world() -> html.Note:
    """Bring up the lab's world where there is none yet, and say who is there; NotReady where it does not come up."""
    here = where.place()
    if not here.lab:
        told = (
            "The experiments that send letters from outside are for the lab. On this host they are skipped, each with a "
            "sentence; everything else works as it does there."
        )
        return html.Note("No world here.", told, "warn")
    if not host():
        said = snapshots.do("bringing up the world (the first time builds its image)", "add", "world")
        if said is not None:
            raise NotReady("The world did not come up.", said, "In a terminal: python -m lab add world")
        remote.forget()
        where.use(here.name)
    streets = [name for _, name in strangers()]
    return html.Note(
        f"Outside there is a world: {host()['fqdn']}",
        f"alice@{DOMAIN} and carol@{DOMAIN} live there, in a domain with a mail server, SPF and DKIM as it should be.\n"
        f"{len(streets)} strangers send from home: {', '.join(name.partition('.')[0] for name in streets)}.\n"
        "zoe@big.example has her mailbox at a big receiver, which refuses what it cannot believe.\n"
        f"What is sent to any other domain ends in one big sink. {here.name} asks this world's DNS; nothing leaves the lab.",
        "good",
    )


def strangers() -> list[tuple[str, str]]:
    """Address and name of each."""
    lines = remote.execute("cat /etc/mailroom-lab/clients", on=host()["name"]).out.splitlines()
    return [(address, name) for address, name in map(str.split, lines)]


@stoppable(SENT, SECOND)
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
    """A letter from the world: through its mail server (signed), or, with by="ash", straight from that stranger's home.

    It goes to our people; with `by` it may also go to anybody out there. `parcel` is attached, `headers` are added. Returns once the
    letter has come to rest, or after 25 seconds; outside the lab a sentence that it was skipped. Raises Trouble for an unknown
    stranger, and where the world's mail server refuses.
    """
    if not where.place().lab:
        return html.Note(SKIPPED, kind="warn")
    there = host()
    if not there:
        raise NotReady("There is no world in this lab yet.", remedy="world()")
    sender, recipient = sender if "@" in sender else f"{sender}@{DOMAIN}", full(recipient)
    letter = Letter(sender, recipient, subject, 25, make_msgid(domain=DOMAIN))
    message = written(letter, text, **(headers or {}))
    if parcel:
        message.add_attachment(parcel, maintype="application", subtype="octet-stream", filename="parcel.txt")
    words = _swaks(letter, by) if by else ["sendmail", "-f", sender, recipient]
    done = remote.execute(shlex.join(words), on=there["name"], stdin=message.as_string())
    if by:
        replies = re.findall(r"^<[-~*]?[-~*]? +(\d\d\d .*)$", done.out, re.MULTILINE)
        letter.answer = next((one for one in replies if one[0] in "45"), replies[-2] if len(replies) > 1 else done.both)
    elif done.code:
        raise Trouble("The world's mail server did not take it.", done.both)
    else:
        letter.answer = f"{there['fqdn']} has it, looks up the MX of {recipient.partition('@')[2]}, and brings it"
    if ours(letter):
        located(letter)  # a cell that asks for it next finds it at rest
    return letter


@stoppable(SENT, SECOND)
def to_world(sender: str, recipient: str, subject: str, text: str = "Hello from the factory.\n") -> Letter | html.Note:
    """A letter of ours to somebody in the world, handed in on 587 as from a mail client; outside the lab a sentence that it was skipped.

    Raises NotReady where there is no world, or no answer came.
    """
    if not where.place().lab:
        return html.Note(SKIPPED, kind="warn")
    if not host():
        raise NotReady("There is no world in this lab yet.", remedy="world()")
    return send(sender, recipient if "@" in recipient else f"{recipient}@{DOMAIN}", subject, text=text)


def _swaks(letter: Letter, by: str) -> list[str]:
    """By hand, from the address of one of the world's strangers."""
    address, name = next((one for one in strangers() if one[1].startswith(f"{by}.")), ("", ""))
    if not address:
        raise Trouble(f"Nobody out there is called {by!r}.", remedy="world() names them")
    server = where.place().address if ours(letter) else host()["address"]
    way = ["--server", server, "--local-interface", address, "--helo", name, "--data", "-"]
    return ["swaks", *way, "--from", letter.sender, "--to", letter.recipient]


def ours(letter: Letter) -> bool:
    """Whether the recipient is one of our people; a letter to anybody else out there never comes here."""
    return f".{letter.recipient.partition('@')[2]}".endswith(f".{where.place().domain}")


@stoppable()
def world_mailbox(name: str, *, by: str = "", wait: float = 0.0) -> html.Shown:
    """The 20 newest letters in the world: for "alice", "carol", at the "big" receiver, what it took for "spam", or all others ("sink").

    With by="foo" only what foo has sent, for which it waits up to `wait` seconds. Outside the lab a sentence that it was skipped.
    """
    if not where.place().lab:
        return html.Note(SKIPPED, kind="warn")
    folder = FOLDERS.get(name) or f"/var/mail/{DOMAIN}/{name.partition('@')[0]}"
    newest = "$(ls -t new/* cur/* 2>/dev/null | head -n 20)"
    script = f"cd {shlex.quote(folder)} 2>/dev/null && for f in {newest}; do sed '/^$/q' $f; echo ----; done"
    sender, end = full(by) if by else "", time.monotonic() + wait
    while True:
        out = remote.execute(script, on=host()["name"]).out
        letters = [one for one in map(message_from_string, out.split("----\n")[:-1]) if sender in str(one["From"])]
        if letters or time.monotonic() > end:
            break
        time.sleep(0.3)
    rows = [[one["From"], one["To"] or one["Delivered-To"], one["Subject"], one["Date"]] for one in letters]
    only = f", from {sender}" if sender else ""
    return html.Table(["from", "to", "subject", "date"], rows, f"in the world: {folder}{only}")
