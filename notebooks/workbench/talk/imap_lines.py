"""The IMAP side of talk: a tag in front of each command, and lines until the tag comes back."""

from __future__ import annotations

import re
from collections.abc import Iterable

from notebooks.workbench.host.commands import Expect
from notebooks.workbench.talk.dialogue import Dialogue, Line, account, talk


def imap(port: int, *steps: str, via: str | None = None, expect: Expect | None = None) -> Dialogue:
    """Speak IMAP: the tags are put in front; also "STARTTLS", "LOGIN foo" and "LOGIN foo wrong"."""
    return talk("IMAP", speak, port, via, steps).expect(expect)


def speak(line: Line, steps: Iterable[str]) -> None:
    if line.port == 993:
        line.dialogue.add("note", "port 993: TLS from the first byte")
        line.secure()
    line.dialogue.add("server", line.line())
    for number, step in enumerate(steps, 1):
        tag = f"a{number}"
        command = f"{tag} {step}"
        shown = command
        if step.upper().startswith("LOGIN "):
            name, _, wrong = step[6:].partition(" ")
            address, password = account(line, name)
            secret = "not-the-password" if wrong else password
            command = f'{tag} LOGIN "{address}" "{secret}"'
            shown = f"{tag} LOGIN {address} ({'a wrong' if wrong else 'the'} password)"
        line.send(command, shown)
        answer = until(line, tag)
        if step.upper() == "STARTTLS" and answer.startswith(f"{tag} OK"):
            line.secure()


def until(line: Line, tag: str) -> str:
    """Lines up to the one with the tag; a literal ({123}) is read whole."""
    lines: list[str] = []
    try:
        while not lines or not lines[-1].startswith(f"{tag} "):
            lines.append(line.line())
            if found := re.search(r"\{(\d+)\}$", lines[-1]):
                lines.append(line.file.read(int(found[1])).decode(errors="replace").replace("\r\n", "\n").rstrip())
    finally:
        if lines:
            line.dialogue.add("server", "\n".join(lines))
    return lines[-1]
