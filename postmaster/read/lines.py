"""One line of the mail log, from the journal or a syslogd: time, program, text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

PROGRAM = r"(?P<program>[\w./-]+?)(?:\[(?P<pid>\d+)\])?: (?P<text>.*)"
# journalctl -o short-unix: seconds since 1970, with microseconds
UNIX = re.compile(rf"(?P<at>\d{{9,}}\.\d+) (?P<host>\S+) {PROGRAM}")
# what a syslogd writes: RFC 3339 with a zone (rsyslog since Debian 12), or the old form without year and zone
RFC3339 = re.compile(rf"(?P<at>\d{{4}}-\d\d-\d\dT\S+) (?P<host>\S+) {PROGRAM}")
BSD = re.compile(rf"(?P<at>[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d) (?P<host>\S+) {PROGRAM}")
# Amavis may be set to log a subject; a passport shows no contents
SUBJECT = re.compile(r', Subject: (?:"(?:[^"\\]|\\.)*"|[^,]*)')


@dataclass(frozen=True, order=True)
class Line:
    """A line in the order of time. `str()` gives it in UTC."""

    at: float  # seconds since 1970
    program: str
    pid: str
    text: str

    @property
    def daemon(self) -> str:
        """ "smtpd" of postfix/submission/smtpd."""
        return self.program.rpartition("/")[2]

    @property
    def service(self) -> str:
        """What -o syslog_name adds: "submission" of postfix/submission/smtpd, "" of postfix/smtpd."""
        return "/".join(self.program.split("/")[1:-1])

    @property
    def process(self) -> str:
        return f"{self.program}[{self.pid}]"

    @property
    def by_postfix(self) -> bool:
        return self.program.startswith("postfix") and "/" in self.program

    def __str__(self) -> str:
        return f"{clock(self.at)} {self.process}: {self.text}"


def clock(at: float, date: bool = False) -> str:
    """In UTC, with milliseconds: the reader's own zone is not the host's."""
    form = "%Y-%m-%d %H:%M:%S.%f" if date else "%H:%M:%S.%f"
    return datetime.fromtimestamp(at, UTC).strftime(form)[:-3]


def parse(rows: Iterable[str], now: float = 0.0, offset: float = 0.0) -> list[Line]:
    """Lines in the order of time. `now` and `offset` (the host's zone, in seconds) date what carries no year."""
    found: dict[Line, None] = {}  # a journal and a file may hold the same line
    for row in rows:
        match = UNIX.match(row) or RFC3339.match(row) or BSD.match(row)
        if match:
            text = SUBJECT.sub("", match["text"])
            found[Line(seconds(match["at"], now, offset), match["program"], match["pid"] or "", text)] = None
    return joined(sorted(found, key=lambda line: line.at))


def seconds(text: str, now: float, offset: float) -> float:
    if text[0].isdigit():
        return float(text) if "T" not in text else datetime.fromisoformat(text).timestamp()
    then = datetime.fromtimestamp(now, UTC)
    for year in (then.year, then.year - 1):
        at = datetime.strptime(f"{year} {text}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC).timestamp() - offset
        if at <= now + 86400:
            break
    return at


def joined(lines: list[Line]) -> list[Line]:
    """Amavis cuts a long line (100 recipients) into pieces: "(id) text...", then "(id) ...text". Put them together."""
    found: list[Line] = []
    cut: dict[str, int] = {}  # "(id)": the place of the piece that goes on
    for line in lines:
        mark, _, rest = line.text.partition(" ")
        place = cut.pop(mark, None) if line.program.startswith("amavis") and rest.startswith("...") else None
        if place is None:
            place = len(found)
            found.append(line)
        else:
            found[place] = replace(found[place], text=found[place].text.removesuffix("...") + rest[3:])
        if line.program.startswith("amavis") and mark.startswith("(") and rest.endswith("..."):
            cut[mark] = place
    return found
