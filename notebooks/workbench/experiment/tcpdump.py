"""The lab's wire: tcpdump on the lab's client, for the moment of one login."""

from __future__ import annotations

import re
import subprocess
import time
from types import TracebackType

from notebooks.workbench.host import remote, where
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady

INSTALL = (
    "command -v tcpdump >/dev/null || { export DEBIAN_FRONTEND=noninteractive; apt-get install -yqq tcpdump || "
    "{ apt-get update -qq && apt-get install -yqq tcpdump; }; } >/dev/null 2>&1"
)


class Tap:
    """Everything that passes between the lab's client and one port of the mail host, while the block runs."""

    def __init__(self, port: int) -> None:
        self.port, self.text = port, ""

    def __enter__(self) -> Tap:
        from lab import engine, hosts

        client = where.place().client
        if not client or remote.execute(INSTALL, on=client).code:
            raise NotReady(
                "tcpdump could not be installed on the lab's client.", remedy="python -m lab ssh client apt-get update"
            )
        # to read a wire is a privilege that the lab's hosts do not have; the engine lends it to this one command
        dump = f"echo $$ >&2; exec timeout 20 tcpdump -i any -n -l -A 'tcp port {self.port} and greater 70'"
        found = engine.find()
        command = [found.name, "exec", "--privileged", hosts.container(client), "sh", "-c", dump]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        assert self.process.stderr is not None
        self.pid = self.process.stderr.readline().decode().strip()
        while line := self.process.stderr.readline():
            if b"listening on" in line:
                return self
        raise NotReady("tcpdump did not start on the lab's client.", f"{found.name} exec --privileged was refused")

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        time.sleep(0.4)  # the last packet is still on its way through tcpdump's buffer
        remote.execute(f"kill {self.pid}", on=where.place().client)
        out, _ = self.process.communicate(timeout=25)
        self.text = out.decode(errors="replace")

    def shown(self) -> str:
        return remote.masked("\n".join(self.words()[:10]))

    def words(self) -> list[str]:
        """What a reader would make of it: the printable part of each packet that says something."""
        packets = re.split(r"^\d\d:\d\d:\d\d\.\d+ .*$", self.text, flags=re.MULTILINE)
        found = []
        for packet in packets:
            # past the headers, which tcpdump prints as noise in front of the words
            words = re.search(r"(\* OK|\* BYE|a\d* (?:LOGIN|OK|NO|STARTTLS)).*", packet, re.DOTALL)
            text = words[0] if words else "".join(sign for sign in packet if sign.isprintable())[-60:]
            line = " ".join(text.split())[:110]
            if line and line not in found:
                found.append(line)
        return found


class Wire(html.Shown):
    """Both recordings beside each other."""

    def __init__(self, clear: str, secret: str, password: str) -> None:
        self.clear, self.secret, self.password = clear, secret, password

    def __str__(self) -> str:
        return f"as printed, in the clear:\n{self.clear}\n\nours, with STARTTLS:\n{self.secret}"

    def body(self) -> str:
        clear = html.escape(self.clear).replace(self.password, f'<b class="bad">{self.password}</b>')
        return (
            "<div class=cols>"
            "<div class=col><div class=t>on the wire, as printed <span class=dim>(a throwaway Dovecot)</span></div>"
            f"<pre>{clear}</pre></div>"
            "<div class='col now'><div class=t>on the wire, ours <span class=dim>(STARTTLS, then LOGIN)</span></div>"
            f"<pre>{html.escape(self.secret)}</pre></div></div>"
        )
