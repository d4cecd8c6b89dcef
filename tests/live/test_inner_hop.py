"""Behind the door: a letter that was taken is neither refused for the door's reasons again, nor altered by a byte."""

import re

import pytest

from lab import Host
from tests.live import stranger, traffic
from tests.live.stranger import bring, mark, raw
from tests.live.support import main_cf

FOO = "<foo@example.test>"
LONG = b"<p>" + b"x" * 1500 + b"</p>\r\n"
BODIES = {
    "a line of 1,500 bytes": LONG,
    "lines around 998 and 2,048": b"".join(b"y" * n + b"\r\n" for n in (997, 998, 999, 1000, 2047, 2048, 2049, 4096)),
    "a line of a megabyte": b"z" * 1_000_000 + b"\r\n",
    "dots": b".\r\n..\r\n.x\r\n ...\r\n",
    "blanks at the end": b"a \r\nb\t\r\n \r\n\r\n\r\n",
    "eight bits, undeclared": "Größe\r\n".encode() + b"\xff\xfe\x80\r\n",
    "from": b"From here on\r\n>From there\r\n",
}
HEADERS = {
    "none is added": b"",
    "those that are dropped elsewhere": b"Bcc: a@example.org\r\nContent-Length: 7\r\nResent-Bcc: b@example.org\r\n",
    "bare names": b"Cc: foo, bar@host\r\nReply-To: somebody\r\n",
    "a long one": b"X-Long: " + b"a" * 5000 + b"\r\n",
    "many names": b"X-To: " + b",\r\n ".join(b"person%d@example.org" % n for n in range(9000)) + b"\r\n",
    "declared as eight bits": b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
}


def arrived(host: Host, which: str) -> bytes:
    path = traffic.delivered(host, which)
    return host.run(f"base64 {path}").stdout.encode()


def inside(host: Host, which: str, data: bytes) -> bool:
    """Whether the file ends with the letter as it was brought, Unix line ends apart."""
    import base64

    return base64.b64decode(arrived(host, which)).endswith(data.replace(b"\r\n", b"\n"))


@pytest.mark.parametrize("name", BODIES)
def test_a_body_arrives_as_it_came(mailserver: Host, name: str) -> None:
    which = mark()
    data = raw(which, BODIES[name])
    assert bring(mailserver, data, FOO).startswith("250")
    assert inside(mailserver, which, data)


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_arrives_as_it_came(mailserver: Host, name: str) -> None:
    which = mark()
    data = raw(which, headers=HEADERS[name])
    assert bring(mailserver, data, FOO).startswith("250")
    assert inside(mailserver, which, data)


def test_a_strangers_letter_is_not_finished(mailserver: Host) -> None:
    which = mark()
    data = f"X-Mark: x\r\nMessage-ID: <{which}@example.net>\r\n\r\nNo From, no Date, no To.\r\n".encode()
    assert bring(mailserver, data, FOO).startswith("250")
    assert inside(mailserver, which, data)


@pytest.mark.parametrize("odd", [b"a\nb\r\n", b"a\0b\r\n", b"a\n.\nb\r\n"])
def test_what_cannot_be_handed_on_as_it_is_is_refused(mailserver: Host, odd: bytes) -> None:
    reply = bring(mailserver, raw(mark(), odd), FOO)
    assert re.match(r"55\d 5\.", reply), reply


def test_a_signed_letter_with_a_long_line_is_still_signed(mailserver: Host, world: Host) -> None:
    """By the world's own server, which folds at 998 by itself unless told otherwise: here it is told."""
    which, text = traffic.message("foo@example.test", text="<p>" + "w" * 1500 + "</p>\n")
    world.run("postconf -e smtp_line_length_limit=0; postfix reload")
    try:
        traffic.send(world, re.sub(r"quoted-printable|7bit", "8bit", text).replace("=\n", ""), "foo@example.test")
        found = traffic.read(mailserver, traffic.delivered(mailserver, which))
    finally:
        world.run("postconf -X smtp_line_length_limit; postfix reload")
    assert "w" * 1500 in found and re.search(r"^Authentication-Results:.*(?:\n\s.*)*dkim=pass", found, re.M), found[
        :3000
    ]


def test_a_full_queue_drains(mailserver: Host) -> None:
    """Less space than the door wants: it takes nothing more, and what it has taken is delivered all the same."""
    which = mark()
    mailserver.run("systemctl stop amavis")
    try:
        assert bring(mailserver, raw(which), FOO).startswith("250")
        traffic.until(lambda: "10024" in mailserver.run("postqueue -p").stdout, "it waits for Amavis")
        blocks, size = mailserver.run("stat -f -c '%f %S' /var/spool/postfix").stdout.split()
        with main_cf(mailserver, f"queue_minfree={int(blocks) * int(size) * 2}"):
            mailserver.run("sleep 1")
            assert bring(mailserver, raw(mark()), FOO).startswith("452 4.3.1")
            begun = stranger.since(mailserver)
            mailserver.run(
                "systemctl start amavis; for n in $(seq 100); do ss -Hltn sport = :10024 | grep -q . && break; sleep 0.1; done"
            )
            mailserver.run("postfix flush")
            traffic.delivered(mailserver, which)
            assert not stranger.log(mailserver, begun, "reinjection.*(reject|warning)")
    finally:
        mailserver.run("systemctl start amavis; postfix flush")
    assert bring(mailserver, raw(mark()), FOO).startswith("250")
