"""The same with chapters 1, 2 and 4 alone, where virtual(8) delivers and no worker stands between: no letter to a stranger."""

from collections.abc import Iterator

import pytest

from lab import Host
from tests.live import stranger, traffic
from tests.live.stranger import bring, mark, raw
from tests.live.test_local_mail import letter, seen, unread
from tests.live.test_strangers import BAR, FOO, REPORTS, SQL, WAYS, told

GONE = "gone@example.test"


@pytest.fixture
def quiet(server: Host) -> Iterator[str]:
    """Nothing on its way before; nothing written to a stranger after, nor on its way to one."""
    gone = f"DELETE FROM aliases WHERE alias = '{GONE}';"
    server.run("postsuper -d ALL 2>/dev/null; true")
    server.run(SQL, stdin=f"{gone} INSERT INTO aliases VALUES ('{GONE}', 'nobody-any-more@example.test');")
    begun = stranger.since(server)
    yield begun
    traffic.settled(server)
    made = stranger.log(server, begun, "sender (non-)?delivery (notification|status)|to=<victim@")
    assert not made, made
    server.run(SQL, stdin=gone)


@pytest.mark.usefixtures("quiet")
class TestWithoutWorkers:
    def test_reports(self, server: Host) -> None:
        for way in WAYS:
            for report in REPORTS[:2] if "{report}" in way else REPORTS[:1]:
                bring(server, raw(mark()), way.format(to=FOO, report=report))

    def test_bounces(self, server: Host) -> None:
        which = mark()
        assert bring(server, raw(which), f"<{GONE}> NOTIFY=FAILURE").startswith("250")
        told(server, which)

    def test_the_largest_letter_by_the_hosts_name(self, server: Host) -> None:
        """local(8) sends it on: a few lines longer than the door's limit."""
        limit = int(server.run("postconf -h message_size_limit").stdout)
        line, which = b"x" * 70 + b"\r\n", mark()
        taken = (
            bring(server, raw(which, line * (size // 72)), "<root@mx1.example.test>")
            for size in range(limit - 900, 0, -300)
        )
        assert next(reply for reply in taken if not reply.startswith("552")).startswith("250")
        traffic.delivered(server, which)

    def test_to_the_byte(self, server: Host) -> None:
        which = mark()
        data = raw(which, b"<p>" + b"x" * 1500 + b"</p>\r\n", b"Bcc: a@example.org\r\nCc: foo\r\n").replace(
            b"Date: ", b"X-Date: "
        )
        assert bring(server, data, BAR).startswith("250")
        assert traffic.read(server, traffic.delivered(server, which)).encode().endswith(data.replace(b"\r\n", b"\n"))


def test_mail_of_the_host(server: Host) -> None:
    before = unread(server)
    for to in ("www-data", "daemon@localhost", "postmaster", "no-such-account"):
        seen(server, letter(server, "www-data", to))
    assert unread(server) == before
