"""Far too much of it: lines, literals, arguments, addresses."""

from __future__ import annotations

import re
from collections.abc import Callable

from checks.engine.target import Target
from lab import Host
from tests.faults import journal
from tests.faults.attacking import Family, wire

Count = Callable[..., None]
CRASHED = re.compile("killed with signal|killed by signal|dumped core|panic")
HUGE = {
    "IMAP, a line without end": (993, "wrapped", b"a LOGIN " + b"x" * 1_000_000),
    "IMAP, a literal of 4 GB": (993, "wrapped", b"a LOGIN {4294967290}\r\n"),
    "IMAP, a literal of -1": (993, "wrapped", b"a LOGIN {-1}\r\n"),
    "IMAP, 100,000 arguments": (993, "wrapped", b"a ID (" + b'"x" "y" ' * 100_000 + b")\r\n"),
    "IMAP, 10,000 brackets": (993, "wrapped", b"a SEARCH " + b"(" * 10_000 + b"\r\n"),
    "SMTP, a line without end": (25, "", b"EHLO " + b"x" * 1_000_000 + b"\r\n"),
    "SMTP, an address of 100 kB": (25, "", b"HELO x\r\nMAIL FROM:<" + b"x" * 100_000 + b"@example.net>\r\n"),
    "SMTP, AUTH of 100 kB": (587, "starttls", b"EHLO x\r\nAUTH PLAIN " + b"A" * 100_000 + b"\r\n"),
    "SMTP, BDAT of 2^63": (
        25,
        "",
        b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<foo@example.test>\r\nBDAT 9223372036854775807 LAST\r\nx",
    ),
    "SMTP, SIZE of 2^64": (25, "", b"EHLO x\r\nMAIL FROM:<> SIZE=18446744073709551616\r\n"),
    "ManageSieve, a line without end": (4190, "", b"AUTHENTICATE " + b"x" * 1_000_000),
    "ManageSieve, a literal of 4 GB": (4190, "", b'AUTHENTICATE "PLAIN" {4294967290+}\r\n'),
}


def test_far_too_much_is_turned_away(mailserver: Host, target: Target, count: Count) -> None:
    """The connection may end; the daemon is the same one before and after, and answers the next."""
    family = Family()
    begun = journal.here(mailserver)  # not "two minutes ago": what the test before has stopped is no crash of ours
    pids = "cat /run/dovecot/master.pid /var/spool/postfix/pid/master.pid"
    before = mailserver.run(pids).stdout
    for name, (port, tls, data) in HUGE.items():
        with wire(target, port, tls, 20) as session:
            session.put(data)
            session.put(b"\r\nz NOOP\r\n")
            heard = session.rest(2)
        # ID is answered whatever stands in it (RFC 2971)
        ok = any(line.startswith(("a OK Log", "a OK Sea", "250 2.0.0 Ok: queued")) for line in heard.splitlines())
        with wire(target, port, tls, 20):
            pass
        family.judge(name, ok, heard[:200])
    family.judge("a daemon died", mailserver.run(pids).stdout != before)
    crashed = [line.text for line in journal.since(mailserver, begun) if CRASHED.search(line.text)]
    family.judge("a process crashed", bool(crashed), " ".join(crashed)[:300])
    family.count(count, "huge commands and literals", mailserver.suite)
