"""Clients that people have, on another host, with no special option but trust in the lab's certificate."""

import json
import time
from collections.abc import Iterator

import pytest

from lab import Host
from lab.state import path
from tests.live.support import packages

CA = "/usr/local/share/ca-certificates/lab.crt"


@pytest.fixture
def desk(server: Host, client: Host) -> Iterator[Host]:
    """The stranger's host with curl, swaks and mbsync, trusting the certificate as a person would make it trusted."""
    packages(client, "curl", "swaks", "libnet-ssleay-perl", "libio-socket-ssl-perl", "isync")
    client.run(f"cat > {CA}", stdin=server.run("cat /etc/postfix/certs/cert.pem").stdout)
    client.run("update-ca-certificates")
    yield client
    client.run(
        f"rm -f {CA} /root/.mbsyncrc /root/password /root/.netrc; rm -rf /root/Mail; update-ca-certificates --fresh"
    )


def passwords() -> dict[str, str]:
    return json.loads(path("accounts.json").read_text())


def netrc(desk: Host, user: str) -> None:
    """The password goes by file, as a careful person's does."""
    line = f"machine mx1.example.test login {user}@example.test password {passwords()[f'{user}@example.test']}\n"
    desk.run("umask 077; cat > /root/.netrc", stdin=line)


def test_curl_reads_imaps(desk: Host) -> None:
    netrc(desk, "foo")
    listed = desk.run("curl -sS --netrc imaps://mx1.example.test/").stdout
    assert all(f" {name}" in listed for name in ("INBOX", "Sent", "Trash", "Drafts", "Junk"))


def test_curl_without_trust_refuses(desk: Host) -> None:
    """The negative: with another CA than the lab's certificate the same command goes no further than the handshake."""
    netrc(desk, "foo")
    other = desk.run("ls /usr/share/ca-certificates/mozilla/*.crt | head -n1").stdout.strip()
    done = desk.run(f"curl -sS --netrc --cacert {other} --capath /nowhere imaps://mx1.example.test/", check=False)
    assert done.returncode == 60 and "certificate" in done.stderr, done.stderr


@pytest.mark.parametrize("options", ["--server mx1.example.test:587 -tls", "--server mx1.example.test:465 -tlsc"])
def test_swaks_submits(desk: Host, options: str) -> None:
    password = passwords()["foo@example.test"]
    sent = desk.run(
        f"swaks {options} --tls-verify --tls-ca-path /etc/ssl/certs --auth PLAIN --auth-user foo@example.test"
        " --protect-prompt --from foo@example.test --to bar@example.test",
        stdin=f"{password}\n",
        check=False,
    )
    assert sent.returncode == 0, sent.stdout[-2000:] + sent.stderr


def test_mbsync_copies_a_mailbox(desk: Host) -> None:
    test_swaks_submits(desk, "--server mx1.example.test:587 -tls")
    desk.run("umask 077; cat > /root/password", stdin=passwords()["bar@example.test"])
    tls = "SSLType" if " 1.4" in desk.run("mbsync --version").stdout else "TLSType"  # renamed in 1.5
    desk.run(
        "mkdir -p /root/Mail; cat > /root/.mbsyncrc",
        stdin=f"""IMAPAccount bar
Host mx1.example.test
User bar@example.test
PassCmd "cat /root/password"
{tls} IMAPS

IMAPStore there
Account bar

MaildirStore here
Path /root/Mail/
Inbox /root/Mail/INBOX
SubFolders Verbatim

Channel bar
Far :there:
Near :here:
Patterns *
Create Near
""",
    )
    for _ in range(20):  # delivery takes a moment
        desk.run("mbsync -a")
        if desk.run("find /root/Mail/INBOX/new /root/Mail/INBOX/cur -type f").stdout:
            break
        time.sleep(0.5)
    else:
        pytest.fail("mbsync found no message")
    assert desk.run("ls -d /root/Mail/Sent /root/Mail/Trash").returncode == 0
