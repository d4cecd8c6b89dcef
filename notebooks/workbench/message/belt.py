"""The way of one letter as a picture: a belt with a station for everything that happened to it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from notebooks.workbench.show import html

WIDTH, HEIGHT, ROW = 182, 106, 4  # of one station; stations in a row


@dataclass
class Station:
    name: str
    what: str
    detail: str = ""
    good: bool | None = True
    line: str = ""


class Journey(html.Shown):
    def __init__(self, message_id: str, subject: str, stations: list[Station]) -> None:
        self.message_id, self.subject, self.stations = message_id, subject, stations

    def __str__(self) -> str:
        rows = [f"The way of “{self.subject}” {self.message_id}"]
        rows += [
            f"  {n}. {one.name}: {one.what}" + (f" ({one.detail})" if one.detail else "")
            for n, one in enumerate(self.stations, 1)
        ]
        return "\n".join(rows + [f"  {line}" for line in self.log()])

    def log(self) -> list[str]:
        return [one.line for one in self.stations if one.line]

    def body(self) -> str:
        lines = html.escape("\n".join(self.log()))
        log = (
            f"<details><summary>{len(self.log())} lines of the log</summary><pre>{lines}</pre></details>"
            if self.log()
            else ""
        )
        return f"<div class=dim>The way of “{html.escape(self.subject)}”</div>{self.drawing()}{log}"

    def drawing(self) -> str:
        rows = -(-len(self.stations) // ROW)
        width, height = ROW * WIDTH + 8, rows * HEIGHT
        parts = [card(one, n) for n, one in enumerate(self.stations)]
        label = html.escape(", then ".join(one.name for one in self.stations))
        return f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def card(one: Station, number: int) -> str:
    x, y = number % ROW * WIDTH + 4, number // ROW * HEIGHT + 4
    colour = {True: "var(--good)", False: "var(--bad)", None: "var(--warn)"}[one.good]
    arrow = (
        ""
        if number == 0
        else f'<path d="M{x - 12},{y + 40} l8,0 m-4,-4 l4,4 l-4,4" stroke="currentColor" fill="none"/>'
    )
    if number and number % ROW == 0:
        arrow = f'<text x="{x + 4}" y="{y - 1}" opacity=".6">↳</text>'
    text = [f'<text x="{x + 10}" y="{y + 20}" font-weight="600" style="font-weight:600">{html.escape(one.name)}</text>']
    for row, line in enumerate([*wrapped(one.what, 2), *wrapped(one.detail, 2)]):
        text.append(
            f'<text x="{x + 10}" y="{y + 38 + 15 * row}" style="font-size:10.5px" opacity=".8">{html.escape(line)}</text>'
        )
    return (
        f'{arrow}<rect x="{x}" y="{y}" width="{WIDTH - 16}" height="{HEIGHT - 14}" rx="7" fill="var(--soft)" stroke="{colour}"/>'
        f"{''.join(text)}<title>{html.escape(one.what)} {html.escape(one.detail)}</title>"
    )


def wrapped(text: str, rows: int, width: int = 27) -> list[str]:
    """At most so many lines; what does not fit ends in an ellipsis (the tooltip has all)."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + len(word) < width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    lines = [line if len(line) <= width else line[: width - 1] + "…" for line in lines]
    return lines if len(lines) <= rows else [*lines[: rows - 1], lines[rows - 1][: width - 1] + "…"]


def stations(lines: list[str], queue: str, port: int) -> list[Station]:
    """Postfix's own lines about one queue id, each as a station."""
    found: list[Station] = []
    for line in lines:
        program = (re.search(r"postfix[^ ]*?/([a-z-]+)\[", line) or ["", ""])[1]
        text = line.partition(f"{queue}: ")[2]
        if program == "smtpd":
            user = re.search(r"sasl_username=(\S+)", text)
            where = (re.search(r"client=([^,\s]+)", text) or ["", text])[1]
            found.append(
                Station("received", where, f"logged in as {user[1]}" if user else f"port {port}, a stranger", line=line)
            )
        elif program == "cleanup" and "message-id" in text:
            found.append(Station("on the belt", f"queue id {queue}", "headers looked at (cleanup)", line=line))
        elif program == "qmgr" and "from=" in text:
            size = (re.search(r"size=(\d+)", text) or ["", "?"])[1]
            found.append(Station("queue manager", f"active, {size} bytes", "chooses who delivers", line=line))
        elif "status=" in text:
            status, _, rest = text.partition("status=")[2].partition(" ")
            to = (re.search(r"to=<([^>]*)>", text) or ["", ""])[1]
            aliased = re.search(r"orig_to=<([^>]*)>", text)
            if status == "sent" and re.search(r"relay=127\.0\.0\.1\S*:1002[468]", text):
                # the workers answer when they have handed it back, or have kept it
                kept = "discarded" in rest or "queued as" not in rest
                name = "held by the workers" if kept else "looked at"
                found.append(Station(name, rest.strip("()"), "by the workers (Amavis)", not kept or None, line))
                continue
            name = {"sent": "delivered", "bounced": "bounced", "deferred": "deferred"}.get(status, status)
            how = f"by {program}" + (f", was {aliased[1]}" if aliased else "")
            good = {"sent": True, "bounced": False}.get(status)
            found.append(Station(name, f"{to} {rest if status != 'sent' else ''}".strip(), how, good, line))
        elif program == "bounce" and "non-delivery notification" in text:
            sender = next((m[1] for one in lines if (m := re.search(r" from=<([^>]*)>", one))), "?")
            found.append(
                Station("a letter back", f"to {sender}", "who stands on the envelope as the sender", False, line)
            )
        elif program == "qmgr" and "removed" in text:
            found.append(Station("off the belt", "the queue forgets it", "", line=line))
    return found
