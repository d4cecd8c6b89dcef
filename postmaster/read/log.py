"""A host's mail log over SSH, with the tools that a Debian or a Red Hat has: no Python there.

The journal is asked by facility: "mail" (2) is what Postfix, Amavis and Dovecot log to, under whatever name. Where the
journal has nothing, the files of a syslogd are read.
"""

import re
import shlex
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from checks.engine.target import Target
from postmaster.model import NotFound
from postmaster.read import events, lines
from postmaster.read.events import Event

PATIENCE = 90.0  # seconds for a search through a big journal
JOURNAL = "journalctl -q --no-pager -o short-unix SYSLOG_FACILITY=2"
FILES = "$(ls -rt /var/log/mail.log* /var/log/maillog* 2>/dev/null)"
PROCESS = re.compile(r"(\S+)\[(\d+)\]: ")


@dataclass
class Log:
    """What was found on the host, line by line, and where."""

    target: Target
    since: str = ""
    source: str = ""
    now: float = field(default_factory=time.time)
    offset: float = 0.0
    oldest: str = ""
    root: bool = True
    rows: dict[str, None] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def search(self, words: Iterable[str], window: tuple[float, float] | None = None) -> list[lines.Line]:
        """Lines with any of these strings, or of these processes ("postfix/smtpd[99]: "); each is asked for once."""
        new = sorted({word for word in words if word} - self.asked)
        self.asked.update(new)
        if not new:
            return []
        span = f" --since {shlex.quote(self.since)}" if self.since else ""
        if window:
            span = f" --since @{int(window[0])} --until @{int(window[1])}"
        script = f"""echo '--- about'; date '+%s %z'; id -u; {JOURNAL}{span} 2>&1 | head -n 1
echo '--- journal'; {in_journal(f"{JOURNAL}{span}", new)}
echo '--- files'; {"true" if self.source.startswith("the journal") else in_files(new)}; true"""
        found = sections(self.target.shell(script, timeout=PATIENCE))
        self.about(found.get("about", []))
        if found.get("journal"):
            self.source = "the journal"
        elif found.get("files"):
            self.source = "/var/log/mail.log or maillog"
        rows = [*found.get("journal", []), *found.get("files", [])]
        self.rows.update(dict.fromkeys(rows))
        return self.read(rows)

    def again(self, window: tuple[float, float]) -> None:
        """All lines at once, in the order of the file: many lines have the same second."""
        words, self.asked, self.rows = self.asked, set(), {}
        self.search(words, window)

    def about(self, rows: Sequence[str]) -> None:
        if rows:
            clock, _, zone = rows[0].partition(" ")
            self.now = float(clock)
            self.offset = (int(zone[1:3]) * 3600 + int(zone[3:5]) * 60) * (-1 if zone[0] == "-" else 1)
            self.root = rows[1:2] == ["0"]
        if "Failed to parse timestamp" in "".join(rows[2:]):
            raise NotFound(f"journalctl does not understand --since {self.since!r}; try '-2 days' or '2026-11-20'.")
        if rows[2:] and lines.UNIX.match(rows[2]) and not self.oldest:
            self.oldest = lines.clock(float(rows[2].split(" ")[0]), date=True)[:16] + " UTC"

    def read(self, rows: Iterable[str]) -> list[lines.Line]:
        return lines.parse(rows, self.now, self.offset)

    def everything(self) -> list[Event]:
        # parsed anew each time: the pieces of a long line may come with different searches
        return events.read(self.read(self.rows))


def in_journal(journal: str, words: Sequence[str]) -> str:
    """journalctl looks for a pattern three times as fast as grep in what it prints, where it was built with that."""
    processes = [match for word in words if (match := PROCESS.fullmatch(word))]
    texts = "|".join(re.escape(word) for word in words if not PROCESS.fullmatch(word))
    asks = [f"{journal} --case-sensitive=yes -g {shlex.quote(texts)}"] if texts else []
    asks += [f"{journal} SYSLOG_IDENTIFIER={shlex.quote(match[1])} SYSLOG_PID={match[2]}" for match in processes]
    return f"""exec 2>/dev/null
if {JOURNAL} -n 1 -g . | grep -q .; then {"; ".join(asks)}; else {journal} | {grep(words)}; fi"""


def in_files(words: Sequence[str]) -> str:
    return f'[ -n "{FILES}" ] && zcat -f {FILES} | {grep(words)}'


def grep(words: Sequence[str]) -> str:
    return "LC_ALL=C grep -F " + " ".join(f"-e {shlex.quote(word)}" for word in words)


def sections(text: str) -> dict[str, list[str]]:
    """{"journal": lines} of an output with "--- journal" above them."""
    found: dict[str, list[str]] = {}
    for row in text.splitlines():
        if row.startswith("--- "):
            found[row[4:]] = here = []
        elif found:
            here.append(row)
    return found
