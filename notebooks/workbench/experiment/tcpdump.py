"""The lab's wire: tcpdump on the lab's client, for the moment of one login."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab import engine, hosts
from notebooks.workbench.host import remote, where
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady

INSTALL = (
    "command -v tcpdump >/dev/null || { export DEBIAN_FRONTEND=noninteractive; apt-get install -yqq tcpdump || "
    "{ apt-get update -qq && apt-get install -yqq tcpdump; }; } >/dev/null 2>&1"
)


@contextmanager
def tapped(port: int) -> Iterator[list[str]]:
    """What passes between the lab's client and one port of the mail host while the block runs: in the list, after it."""
    client = where.place().client
    if not client or remote.execute(INSTALL, on=client).code:
        remedy = "python -m lab ssh client apt-get update"
        raise NotReady("tcpdump could not be installed on the lab's client.", remedy=remedy)
    # to read a wire is a privilege that the lab's hosts do not have; the engine lends it to this one command
    dump = f"echo $$ >&2; exec timeout 20 tcpdump -i any -n -l -A 'tcp port {port} and greater 70'"
    found = engine.find()
    command = [found.name, "exec", "--privileged", hosts.container(client), "sh", "-c", dump]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert process.stderr
    pid = process.stderr.readline().decode().strip()
    read: list[str] = []
    try:
        if not any(b"listening on" in line for line in process.stderr):
            raise NotReady("tcpdump did not start on the lab's client.", f"{found.name} exec --privileged was refused")
        yield read
        time.sleep(0.4)  # the last packet is still on its way through tcpdump's buffer
    finally:  # also where the block has failed: nobody reads along any longer than it took
        if pid.isdecimal():
            remote.execute(f"kill {pid}", on=client)
        read.append(process.communicate(timeout=25)[0].decode(errors="replace"))


def words(dump: str) -> list[str]:
    """What a reader would make of it: the printable part of each packet that says something."""
    found = []
    for packet in re.split(r"^\d\d:\d\d:\d\d\.\d+ .*$", dump, flags=re.MULTILINE):
        # past the headers, which tcpdump prints as noise in front of the words
        said = re.search(r"(\* OK|\* BYE|a\d* (?:LOGIN|OK|NO|STARTTLS)).*", packet, re.DOTALL)
        text = said[0] if said else "".join(sign for sign in packet if sign.isprintable())[-60:]
        found.append(" ".join(text.split())[:110])
    return [*dict.fromkeys(filter(None, found))]


class Wire(html.Shown):
    """Both recordings beside each other, ten lines of each."""

    def __init__(self, clear: str, secret: str, password: str) -> None:
        self.clear, self.secret = (remote.masked("\n".join(words(dump)[:10])) for dump in (clear, secret))
        self.password = password

    def __str__(self) -> str:
        return f"as printed, in the clear:\n{self.clear}\n\nours, with STARTTLS:\n{self.secret}"

    def body(self) -> str:
        clear = html.escape(self.clear).replace(self.password, f'<b class="bad">{self.password}</b>')
        return (
            "<div class=cols>"
            "<div class=col><div class=t>on the wire, as printed <span class=dim>(a throwaway Dovecot)</span></div>"
            f"{html.pre(clear)}</div>"
            "<div class='col now'><div class=t>on the wire, ours <span class=dim>(STARTTLS, then LOGIN)</span></div>"
            f"{html.pre(html.escape(self.secret))}</div></div>"
        )
