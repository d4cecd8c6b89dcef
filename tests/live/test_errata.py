"""The article's lines as printed, tried on today's Dovecot: each fails, or lies, as the truth table says."""

import hashlib
import json
import re
import shlex
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab import Host
from lab.state import path
from tests.live.support import WHOLE, applied

TRY = """set -e
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
case $(dovecot --version) in
    2.4*) printf 'dovecot_config_version = 2.4.0\\ndovecot_storage_version = 2.4.0\\n' > $copy/dovecot.conf ;;
esac
cat >> $copy/dovecot.conf
doveconf -c $copy/dovecot.conf -n 2>&1
"""


def says(host: Host, lines: str) -> str:
    """What doveconf says of a file with only these lines; "" would be an empty configuration."""
    return host.run(f"sh -c {shlex.quote(TRY)}", stdin=lines + "\n", check=False).stdout


def version(host: Host) -> str:
    return host.run("dovecot --version").stdout[:3]


@pytest.mark.parametrize(
    ("line", "on_23", "on_24"),
    [
        ("$ protocols = imap", "Expecting", "Expecting"),
        ("ssl_cert = </etc/postfix/certs/cert.pem", "ssl_cert = </etc", "Unknown setting"),
        ("passdb {\n  driver = sql\n}", "driver = sql", "missing section name"),
        ("userdb {\n  driver = prefetch\n}", "driver = prefetch", "missing section name"),
        ("disable_plaintext_auth = no", "disable_plaintext_auth = no", "Unknown setting"),
        ("driver = pgsql", "Unknown setting", "Unknown setting"),
        ("default_pass_scheme = SHA512", "Unknown setting", "Unknown setting"),
        ("plugin {\n  autocreate = Trash\n}", "autocreate = Trash", "Unknown section name"),
        ("mail_uid = the-uid-of-your-mailreader-user", "the-uid-of", "the-uid-of"),  # doveconf does not judge values
    ],
)
def test_lines_as_printed(server: Host, line: str, on_23: str, on_24: str) -> None:
    said = says(server, line)
    assert (on_23 if version(server) == "2.3" else on_24) in said, said


def test_sha512_has_no_salt(server: Host) -> None:
    """-s sha512 -r 100 is one unsalted pass: the same as openssl's, and the same for all with that password."""
    first, second = (server.run("doveadm pw -p secret -s sha512 -r 100").stdout.strip() for _ in range(2))
    assert first == second == "{SHA512}" + b64encode(hashlib.sha512(b"secret").digest()).decode()
    salted = {server.run("doveadm pw -p secret -s ARGON2ID").stdout for _ in range(2)}
    assert len(salted) == 2


def test_the_password_stands_in_the_process_list(server: Host) -> None:
    """doveadm pw -p: anybody on the host can read it while it runs (a slow scheme gives one the time)."""
    seen = server.run(
        "doveadm pw -p S3en-by-all -s BLF-CRYPT -r 13 >/dev/null & sleep 0.3; "
        "runuser -u nobody -- cat /proc/$!/cmdline | tr '\\0' ' '; wait"
    ).stdout
    assert "S3en-by-all" in seen


def test_the_update_as_printed_is_a_syntax_error(server: Host) -> None:
    sql = "UPDATE users SET password = 'your-hashed-string\" WHERE email = 'foo@domain.com\";\n"
    psql = "cd /; runuser -u postgres -- psql -X -d mail"
    assert "syntax error" in server.run(psql, stdin=sql, check=False).stderr
    # and psql returns 0 all the same, unless it is told to stop: a script would go on
    assert server.run(psql, stdin="SELECT nonsense;\n", check=False).returncode == 0
    assert server.run(f"{psql} -v ON_ERROR_STOP=1", stdin="SELECT nonsense;\n", check=False).returncode == 3


@contextmanager
def as_printed(host: Host, sed: str) -> Iterator[None]:
    """Dovecot with dovecot.conf and dovecot-sql.conf put back towards the article's text, for a moment."""
    files = "/etc/dovecot/dovecot.conf /etc/dovecot/dovecot-sql.conf"
    host.run(f"mkdir -p /root/good && cp -p {files} /root/good && sed -i -E {shlex.quote(sed)} {files}")
    host.run("systemctl reset-failed dovecot; systemctl restart dovecot", check=False)
    try:
        yield
    finally:
        host.run(
            "cp -p /root/good/* /etc/dovecot && rm -r /root/good && systemctl reset-failed dovecot; systemctl restart dovecot"
        )


def login(host: Host) -> str:
    """doveadm's own login of foo: "succeeded" or "failed"."""
    password = json.loads(path("accounts.json").read_text())["foo@example.test"]
    # asked for, and so read from standard input: as an argument it would be in the process list, and no password if it began with "-"
    return host.run("doveadm auth test foo@example.test", stdin=f"{password}\n", check=False).stdout


def test_autocreate_breaks_every_session(server: Host) -> None:
    """mail_plugins as printed: the plugin is gone, so nobody gets past the login."""
    with as_printed(
        server, "s/^protocols = imap$/protocols = imap\\nprotocol imap {\\nmail_plugins = $mail_plugins autocreate\\n}/"
    ):
        done = server.run("doveadm exec imap -u foo@example.test", stdin='a LIST "" *\nb LOGOUT\n', check=False)
        log = server.run("journalctl -u dovecot -n 20 --no-pager -o cat").stdout
        assert re.search(r"Plugin '(\$mail_plugins|autocreate)' not found", done.stdout + done.stderr + log)
        assert "a OK" not in done.stdout


def test_percent_u_finds_nobody_on_24(server: Host) -> None:
    assert "succeeded" in login(server)
    if version(server) == "2.4":
        with as_printed(server, "s/%[{]user[}]/%u/"):
            assert "succeeded" not in login(server)


def test_prefetch_alone_answers_only_those_who_log_in(server: Host) -> None:
    sed = "/^userdb sql/,/^}/d" if version(server) == "2.4" else "s/^user_query.*//; s/^iterate_query.*//"
    ask = "doveadm user foo@example.test"
    assert "/home/mail/example.test/foo" in server.run(ask).stdout
    with as_printed(server, sed):
        assert "succeeded" in login(server)
        assert "/home/mail/example.test/foo" not in server.run(ask, check=False).stdout


def test_a_path_without_a_slash(server: Host) -> None:
    """'/home/mail'||maildir as printed: a folder beside /home/mail, which does not belong to the mail's owner."""
    with as_printed(server, "s#/home/mail/' \\|\\|#/home/mail' ||#"):
        done = server.run("doveadm mailbox status -u foo@example.test messages INBOX", check=False)
        assert done.returncode != 0 and "Permission denied" in done.stderr


def dialogue(host: Host, port: int, sender: str, recipient: str, user: str = "") -> tuple[int, bytes]:
    """What a server says to RCPT TO, or to MAIL FROM where that is refused; from this machine, which is no network of its."""
    with smtplib.SMTP("127.0.0.1", host.record["ports"][str(port)], timeout=30) as client:
        client.ehlo("test.example.net")
        if user:
            context = ssl.create_default_context(cadata=host.run("cat /etc/postfix/certs/cert.pem").stdout)
            context.check_hostname = False
            client.starttls(context=context)
            client.login(user, json.loads(path("accounts.json").read_text())[user])
        answer = client.mail(sender)
        return client.rcpt(recipient) if answer[0] == 250 else answer


def test_a_relay_attempt_is_refused_for_good(server: Host) -> None:
    """defer_unauth_destination as printed says "try again later" to what will never be allowed."""
    attempt = (server, 25, "a@x.example", "b@y.example")
    assert dialogue(*attempt)[0] == 554
    server.run(
        "postconf -e smtpd_relay_restrictions=permit_mynetworks,permit_sasl_authenticated,defer_unauth_destination"
        " && systemctl restart postfix"
    )
    try:
        assert dialogue(*attempt)[0] == 454
    finally:
        assert applied(WHOLE).changes
    assert dialogue(*attempt)[0] == 554


def test_a_logged_in_user_could_be_the_boss(server: Host) -> None:
    """The two -o lines as printed check the password and no more: foo may write as anybody."""
    attempt = (server, 587, "boss@example.test", "bar@example.test", "foo@example.test")
    assert dialogue(*attempt)[0] == 553
    server.run("postconf -PX submission/inet/smtpd_sender_restrictions")
    server.run("postconf -P submission/inet/smtpd_sender_restrictions= && systemctl restart postfix")
    try:
        assert dialogue(*attempt)[0] == 250
    finally:
        assert applied(WHOLE).changes
    assert dialogue(*attempt)[0] == 553
