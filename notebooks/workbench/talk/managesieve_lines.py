"""The ManageSieve side of talk (RFC 5804): a user's scripts, put there and made active, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable

from notebooks.workbench.host.commands import Expect
from notebooks.workbench.talk.dialogue import Dialogue, Line, account, plain, talk

ENDS = ("OK", "NO", "BYE")
WIDE = 84  # the list of extensions is twice that, and comes with each greeting


def managesieve(*steps: str, via: str | None = None, expect: Expect | None = None) -> Dialogue:
    """Speak ManageSieve on 4190; also "STARTTLS", "LOGIN foo" and "PUTSCRIPT name the script"."""
    return talk("ManageSieve", speak, 4190, via, steps).expect(expect)


def speak(line: Line, steps: Iterable[str]) -> None:
    until(line)
    for step in steps:
        word, _, rest = step.partition(" ")
        if word.upper() == "LOGIN":
            address, password = account(line, rest)
            line.send(f'AUTHENTICATE "PLAIN" "{plain(address, password)}"', f'AUTHENTICATE "PLAIN" ({address})')
        elif word.upper() == "PUTSCRIPT":
            name, _, script = rest.partition(" ")
            # the length in front, so that the script may hold anything; "+" is: do not wait for me
            size = len(script.encode()) + script.count("\n")  # each line's end goes out as CR LF
            line.send(f'PUTSCRIPT "{name}" {{{size}+}}\n{script}', f'PUTSCRIPT "{name}" {{{size}+}}\n{script}')
        else:
            line.send(step)
        if until(line).startswith("OK") and word.upper() == "STARTTLS":
            line.secure()
            until(line)  # the server says again what it can, now that nobody reads along


def until(line: Line) -> str:
    """Lines up to OK, NO or BYE; an error comes as a literal of several lines."""
    lines: list[str] = []
    try:
        while not lines or not lines[-1].startswith(ENDS):
            lines.append(line.line())
            if found := re.search(r"\{(\d+)\}$", lines[-1]):
                said = line.file.read(int(found[1])).decode(errors="replace").replace("\r\n", "\n").rstrip()
                lines[-1] += "\n" + said + line.line()
    finally:
        if lines:
            shown = (one if len(one) < WIDE or "\n" in one else f"{one[: WIDE - 20]} …" for one in lines)
            line.dialogue.add("server", "\n".join(shown))
    return lines[-1]
