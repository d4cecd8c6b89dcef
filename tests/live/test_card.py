"""The settings card in clients that people have, on another host: they are told the card and the password, and nothing else."""

import json
import time
from collections.abc import Callable, Iterator

import pytest

from checks.clients.card import Card, Way, from_json
from lab import Host
from lab.state import path
from tests.live.passports import FOO, letter, postmaster
from tests.live.support import packages

CLIENTS = ("msmtp", "getmail6", "isync")
MSMTP = """account card
host {way.server}
port {way.port}
tls on
tls_starttls {starttls}
tls_fingerprint {card.fingerprint}
auth plain
user {card.user}
from {card.user}
passwordeval cat /root/password
"""
GETMAIL = """[retriever]
type = SimpleIMAPSSLRetriever
server = {way.server}
port = {way.port}
username = {card.user}
password_command = ("cat", "/root/password")
ssl_fingerprints = ("{card.fingerprint}",)
mailboxes = ("INBOX",)
[destination]
type = Maildir
path = /srv/card/
user = reader
"""
MBSYNC = """IMAPAccount card
Host {way.server}
Port {way.port}
User {card.user}
PassCmd "cat /root/password"
{tls} STARTTLS
SystemCertificates no
CertificateFile /root/accepted.pem

IMAPStore there
Account card

MaildirStore here
Inbox /srv/card

Channel card
Far :there:
Near :here:
SyncState *
"""
# What a person does who is shown a certificate: look at its fingerprint, and accept it if it is the card's.
ACCEPT = """openssl s_client -connect {way.server}:{way.port} -starttls imap </dev/null 2>/dev/null | openssl x509 >/root/shown.pem
test "$(openssl x509 -in /root/shown.pem -noout -fingerprint -sha256 | cut -d= -f2)" = {card.fingerprint} &&
mv /root/shown.pem /root/accepted.pem"""
Log = Callable[[], str]


@pytest.fixture
def card(server: Host) -> Card:
    """As the operator prints it."""
    done = postmaster("card", FOO, "--host", server.name, "--json")
    assert done.returncode == 0, done.stderr
    return from_json(done.stdout)


@pytest.fixture
def desk(server: Host, client: Host) -> Iterator[Host]:
    """Somebody's own host, with the clients and foo's password in a file; it trusts nothing of the lab's."""
    packages(client, *CLIENTS)
    client.run("umask 077; cat > /root/password", stdin=json.loads(path("accounts.json").read_text())[FOO])
    # getmail delivers nothing as root
    client.run("useradd -r reader; install -d -o reader /srv/card /srv/card/cur /srv/card/new /srv/card/tmp")
    yield client
    client.run("userdel reader; rm -rf /srv/card /root/password /root/msmtprc /root/getmail /root/mbsyncrc /root/*.pem")
    server.run(["doveadm", "expunge", "-u", FOO, "mailbox", "INBOX", "subject", "Passport"])


@pytest.fixture
def log(server: Host) -> Log:
    """What Postfix and Dovecot have said since this moment."""
    begun = float(server.run("date +%s.%N").stdout)
    return lambda: server.run(f"journalctl -q --no-pager -o cat -u dovecot -u 'postfix*' --since @{begun:.6f}").stdout


def msmtp(desk: Host, card: Card, way: Way) -> tuple[int, str, str]:
    """Send a letter to oneself: exit code, what was said, and the letter's Message-ID."""
    mark, text = letter(FOO, FOO)
    conf = MSMTP.format(card=card, way=way, starttls="on" if way.security == "STARTTLS" else "off")
    desk.run("umask 077; cat > /root/msmtprc", stdin=conf)
    done = desk.run(f"msmtp -C /root/msmtprc -a card {FOO}", stdin=text, check=False)
    return done.returncode, done.stderr, mark


def getmail(desk: Host, card: Card) -> tuple[int, str]:
    desk.run(
        "umask 077; mkdir -p /root/getmail; cat > /root/getmail/getmailrc",
        stdin=GETMAIL.format(card=card, way=card.incoming[0]),
    )
    done = desk.run("getmail --getmaildir /root/getmail", check=False)
    return done.returncode, done.stdout + done.stderr


def mbsync(desk: Host, card: Card) -> tuple[int, str]:
    tls = "SSLType" if " 1.4" in desk.run("mbsync --version").stdout else "TLSType"  # renamed in 1.5
    desk.run("umask 077; cat > /root/mbsyncrc", stdin=MBSYNC.format(card=card, way=card.incoming[1], tls=tls))
    done = desk.run("mbsync -c /root/mbsyncrc card", check=False)
    return done.returncode, done.stdout + done.stderr


def fetched(desk: Host, mark: str, fetch: Callable[[], tuple[int, str]]) -> str:
    """Fetch until the letter is there: delivery takes a moment."""
    for _ in range(20):
        code, said = fetch()
        assert code == 0, said
        if found := desk.run(f"grep -rlF -e '{mark}' /srv/card", check=False).stdout:
            return found
        time.sleep(0.5)
    pytest.fail(f"{mark} was not fetched")


def test_the_card_says_what_the_host_has(server: Host, card: Card) -> None:
    shown = server.run("openssl x509 -in /etc/postfix/certs/cert.pem -noout -fingerprint -sha256").stdout
    assert shown.strip().partition("=")[2] == card.fingerprint and card.self_signed and not card.warnings
    assert (card.user, card.server, card.ports) == (FOO, "mx1.example.test", [993, 143, 465, 587])
    words = postmaster("card", FOO, "--host", server.name).stdout
    assert card.fingerprint[:47] in words and card.fingerprint[48:] in words and max(map(len, words.splitlines())) <= 80
    unknown = postmaster("card", "nobody@example.test", "--host", server.name)
    assert unknown.returncode == 1 and "no account nobody@example.test" in unknown.stderr and not unknown.stdout


@pytest.mark.parametrize("number", [0, 1], ids=["465", "587"])
def test_msmtp_sends_by_the_card_alone(desk: Host, card: Card, log: Log, number: int) -> None:
    code, said, mark = msmtp(desk, card, card.outgoing[number])
    assert code == 0, said
    assert f"sasl_username={FOO}" in log()
    fetched(desk, mark, lambda: getmail(desk, card))


def test_getmail_fetches_by_the_card_alone(desk: Host, card: Card, log: Log) -> None:
    _, _, mark = msmtp(desk, card, card.outgoing[0])
    fetched(desk, mark, lambda: getmail(desk, card))
    assert f"user=<{FOO}>, method=PLAIN" in log()


def test_mbsync_fetches_once_the_certificate_was_compared(desk: Host, card: Card) -> None:
    """As the article has it, on 143 with STARTTLS."""
    _, _, mark = msmtp(desk, card, card.outgoing[0])
    desk.run(ACCEPT.format(card=card, way=card.incoming[1]))
    fetched(desk, mark, lambda: mbsync(desk, card))


def test_another_fingerprint_is_refused_before_the_password(desk: Host, card: Card, log: Log) -> None:
    """The certificate is another one than the card says: each client says so, and the server hears no login."""
    first = "00" if card.fingerprint[:2] != "00" else "11"
    other = from_json(json.dumps(card.as_dict() | {"fingerprint": first + card.fingerprint[2:]}))
    for way in other.outgoing:
        code, said, _ = msmtp(desk, other, way)
        assert code and "fingerprint" in said, said
    code, said = getmail(desk, other)
    assert code and "fingerprint" in said.lower(), said
    assert desk.run(ACCEPT.format(card=other, way=other.incoming[1]), check=False).returncode
    desk.run(
        "openssl req -new -x509 -days 2 -nodes -newkey rsa:2048 -subj /CN=mx1.example.test -keyout /dev/null -out /root/accepted.pem"
    )
    code, said = mbsync(desk, other)
    assert code and "certificate" in said.lower(), said
    heard = log()
    assert "sasl_" not in heard and " auth=" not in heard and "method=" not in heard, heard
    assert heard.count("no auth attempts") >= 2 and heard.count("disconnect from") >= 2, heard
