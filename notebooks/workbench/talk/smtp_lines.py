"""The SMTP side of talk: one reply per command, some of several lines."""

from __future__ import annotations

from collections.abc import Iterable

from notebooks.workbench.host.commands import Expect
from notebooks.workbench.talk.dialogue import Dialogue, Line, account, plain, talk


def smtp(port: int, *steps: str, via: str | None = None, expect: Expect | None = None) -> Dialogue:
    """Speak SMTP: each step is a line; also "STARTTLS", "LOGIN foo", "LOGIN foo wrong" and "DATA the text"."""
    return talk("SMTP", speak, port, via, steps).expect(expect)


def speak(line: Line, steps: Iterable[str]) -> None:
    if line.port == 465:
        line.dialogue.add("note", "port 465: TLS from the first byte")
        line.secure()
    reply(line)
    for step in steps:
        word, _, rest = step.partition(" ")
        if word.upper() == "LOGIN":
            log_in(line, rest)
        elif word.upper() == "DATA":
            line.send("DATA")
            if reply(line).startswith("354"):
                # a line that is only a dot ends the message, so a dot at a line's start is doubled
                line.send("\n".join("." + one if one.startswith(".") else one for one in rest.split("\n")) + "\n.")
                reply(line)
        else:
            line.send(step)
            answer = reply(line)
            if word.upper() == "STARTTLS" and answer.startswith("220"):
                line.secure()


def log_in(line: Line, rest: str) -> None:
    """AUTH PLAIN with the account's password, or with a wrong one on purpose."""
    name, _, wrong = rest.partition(" ")
    address, password = account(line, name)
    secret = plain(address, "not-the-password" if wrong else password)
    line.send(f"AUTH PLAIN {secret}", f"AUTH PLAIN ({address} and {'a wrong' if wrong else 'the'} password, in base64)")
    reply(line)


def reply(line: Line) -> str:
    """A whole reply: lines with "-" after the code are followed by more."""
    lines = [line.line()]
    while lines[-1][3:4] == "-":
        lines.append(line.line())
    line.dialogue.add("server", "\n".join(lines))
    return lines[-1]
