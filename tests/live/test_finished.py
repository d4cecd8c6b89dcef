"""Submission finishes a letter (RFC 6409, 8): what a person's program leaves out is there when it arrives, or goes out."""

import base64
import re
import smtplib

import pytest

from lab import Host
from tests.live import traffic
from tests.live.stranger import mark

FOO, BAR = "foo@example.test", "bar@example.test"
BARE = "From: foo\r\nTo: bar\r\nCc: bar\r\nBcc: secret@example.org\r\nX-Mark: {}\r\n\r\nNo date, no id.\r\n"


def arrived(host: Host, which: str) -> str:
    found = f"grep -rlF -- {which} /home/mail/example.test/bar/new /home/mail/example.test/bar/cur"
    path = traffic.until(lambda: host.run(found, check=False).stdout.strip(), f"{which} arrives")
    return traffic.read(host, path.splitlines()[0])


def test_date_and_id_are_added_and_names_completed(mailserver: Host) -> None:
    which = mark()
    traffic.submit(mailserver, FOO, BARE.format(which).encode(), f"<{BAR}>")
    text = arrived(mailserver, which)
    assert re.search(r"^Date: \w{3}, +\d+ \w{3} \d{4} [\d:]+ [+-]\d{4}", text, re.M), text
    assert re.search(r"^Message-I[dD]: <\S+@mx1\.example\.test>$", text, re.M), text
    assert len(re.findall(r"^(?:Date|Message-I[dD]|From):", text, re.M)) == 3
    assert "From: foo@example.test\n" in text and "To: bar@example.test\n" in text
    assert "secret@example.org" not in text


def test_a_letter_without_from_is_foos(mailserver: Host) -> None:
    """Added, or refused with a reason (Debian: our milter asks for one): never sent without."""
    which = mark()
    try:
        traffic.submit(mailserver, FOO, f"Subject: x\r\nX-Mark: {which}\r\n\r\nx\r\n".encode(), f"<{BAR}>")
    except AssertionError as refused:
        assert "5.7.1" in str(refused)
    else:
        assert re.search(r"^From: .*foo@example\.test", arrived(mailserver, which), re.M)


def test_what_is_there_is_kept(mailserver: Host) -> None:
    which = mark()
    text = (
        f"From: {FOO}\r\nTo: {BAR}\r\nDate: Tue, 1 Jan 2019 00:00:00 +0000\r\nMessage-ID: <{which}@phone>\r\n\r\nx\r\n"
    )
    traffic.submit(mailserver, FOO, text.encode(), f"<{BAR}>")
    assert text.replace("\r\n", "\n") in arrived(mailserver, which)


@pytest.mark.parametrize("port", [587, 465])
def test_login_in_two_lines(mailserver: Host, port: int) -> None:
    """AUTH LOGIN, for some Outlooks, and inside TLS only."""
    password = traffic.password(FOO)
    with traffic.encrypted(mailserver, port) as client:
        assert "LOGIN" in client.esmtp_features["auth"].split()
        assert client.docmd("AUTH", "LOGIN " + base64.b64encode(FOO.encode()).decode())[0] == 334
        assert client.docmd(base64.b64encode(password.encode()).decode())[0] == 235
    with smtplib.SMTP("127.0.0.1", mailserver.record["ports"]["587"], timeout=30) as client:
        client.ehlo()
        assert "auth" not in client.esmtp_features
        assert client.docmd("AUTH", "LOGIN")[0] in (530, 538, 503)
