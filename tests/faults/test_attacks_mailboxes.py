"""What is put in the place of a mailbox's name: paths, others' names, wildcards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from checks.engine.target import Target
from lab import Host
from tests.faults.attacking import BAR, Family, batched, wire
from tests.live import traffic

Count = Callable[..., None]
NAMES = (
    *(
        "../../bar",
        "../bar/INBOX",
        "../../../../etc",
        "INBOX/../../bar",
        "INBOX.../...bar",
        "/etc/passwd",
        "/home/mail/example.test/bar",
    ),
    *(
        "~",
        "~root",
        "~bar",
        "~/../bar",
        "&AC8-etc",
        "..&AC8-bar",
        "&-",
        "#shared/bar",
        "shared/bar",
        "user.bar",
        "user/bar/INBOX",
    ),
    *(
        f"{BAR}/INBOX",
        "Public",
        "*",
        "%",
        "INBOX.%{user}",
        ".",
        "..",
        "...",
        "a/../../b",
        "a//b",
        "\\..\\bar",
        "x" * 300,
        "new",
        "cur",
    ),
    *("tmp/../../bar", "dovecot.index", ".dovecot.sieve", "sieve/../../x", "\u00fc/../..", "a" + "/b" * 120),
)


@pytest.mark.usefixtures("no_mail")
def test_no_mailbox_name_leads_out_of_ones_own(mailserver: Host, world: Host, target: Target, count: Count) -> None:
    """Judged by the files: nothing new outside of foo's own folders, and nothing of bar's is shown."""
    family = Family()
    mark, text = traffic.message(BAR)
    traffic.send(world, text, BAR)
    traffic.delivered(mailserver, mark)
    mailserver.run("sleep 1; touch /root/stamp; sleep 1")
    elsewhere = ("/proc", "/sys", "/run", "/var/lib", "/var/log", "/var/spool", "/var/cache", "/tmp", "/dev", "/root")
    own = ("/home/mail/example.test/foo", "/home/mail/.home/example.test/foo")
    prune = " -o ".join(f"-path {path}" for path in (*elsewhere, *own))
    outside = f"find / -xdev '(' {prune} ')' -prune -o -newer /root/stamp -not -path /home/mail/example.test -print"
    user, password = target.account(0)
    for some in batched(NAMES, 12):
        with wire(target, 993, "wrapped", 40) as session:
            assert "a OK" in session.tagged(f'LOGIN {user} "{password}"')
            for name in some:
                data = name.encode()
                said = []
                for command in (
                    b"SELECT",
                    b"CREATE",
                    b"SELECT",
                    b"STATUS",
                    b"LIST",
                    b"SUBSCRIBE",
                    b"GETACL",
                    b"DELETE",
                ):
                    words = [b'LIST ""'] if command == b"LIST" else [command]
                    tail = b" (MESSAGES)" if command == b"STATUS" else b""
                    said.append(session.tagged(words[0] + b" {%d+}\r\n%s" % (len(data), data) + tail))
                    if command == b"SELECT" and "a OK" in said[-1]:
                        said.append(session.tagged("FETCH 1:* BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"))
                        session.tagged("UNSELECT")
                session.tagged(b"UNSUBSCRIBE {%d+}\r\n%s" % (len(data), data))
                family.judge(f"mailbox {name[:40]!r}", mark in "".join(said), "shows bar's letter")
    left = mailserver.run(outside).stdout.split()
    family.judge("files outside of foo's own folders", bool(left), " ".join(left[:5]))
    family.count(count, "mailbox names", mailserver.suite)
