"""Green means alive: what would kill a daemon is refused before it is touched, and a run ends by asking whether all serves."""

import re
import socket
import ssl
from collections.abc import Iterator

import pytest

from lab import Host
from tests.live.support import ON_ONE, WHOLE, applied, pyinfra

SELF = "openssl req -new -x509 -days 90 -nodes -newkey rsa:2048 -subj /CN={cn} -keyout {key} -out {cert} 2>/dev/null; chmod 600 {key}"
CERTS = "/etc/postfix/certs"
PIDS = "systemctl show -p ExecMainPID --value dovecot; cat /var/spool/postfix/pid/master.pid"
NOT_OURS = ("--data", "tls_self_signed=false")


def serial(server: Host, port: str) -> int:
    """The serial of the certificate that a port shows."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", server.record["ports"][port]), timeout=30) as plain,
        context.wrap_socket(plain) as secure,
    ):
        from cryptography import x509

        return x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"").serial_number


@pytest.fixture
def pair(server: Host) -> Iterator[None]:
    """The pair is put back afterwards, and both daemons run with it."""
    server.run(f"rm -rf /root/certs; cp -a {CERTS} /root/certs")
    yield
    server.run(f"rm -rf {CERTS}; mv /root/certs {CERTS}; touch {CERTS}/*.pem")
    applied(WHOLE)
    assert applied(WHOLE).changes == 0


PAIRS = {
    "does not belong to the key": f"openssl genrsa -out {CERTS}/key.pem 2048",
    "is no certificate in PEM": f"echo junk > {CERTS}/cert.pem",
    "has a passphrase": f"openssl pkey -in {CERTS}/key.pem -aes256 -passout pass:x -out {CERTS}/k; mv {CERTS}/k {CERTS}/key.pem",
    "key too small": SELF.format(cn="weak", key=f"{CERTS}/key.pem", cert=f"{CERTS}/cert.pem").replace("2048", "1024"),
}


def test_a_pair_that_would_kill_both(server: Host, pair: None) -> None:
    before = server.run(PIDS).stdout
    for said, broken in PAIRS.items():
        server.run(f"rm -rf {CERTS}; cp -a /root/certs {CERTS}; {broken}")
        run = pyinfra(WHOLE, *NOT_OURS)
        assert run.code == 1 and said in run.output and "nothing was changed" in run.output, run.output
        assert server.run(PIDS).stdout == before, said


@ON_ONE
def test_a_large_message_is_delivered(server: Host) -> None:
    """message_size_limit above Postfix's own limit of a mailbox: virtual(8) would die of every letter."""
    large = ("--data", "message_size_limit=104857600")
    applied(WHOLE, *large)
    try:
        server.run("printf 'Subject: large limit\\n\\nx\\n' | sendmail -f root foo@example.test")
        found = "for i in $(seq 100); do grep -rqs 'large limit' /home/mail && exit 0; sleep 0.2; done; journalctl -n 20; exit 1"
        server.run(found)
        assert applied(WHOLE, *large).changes == 0
    finally:
        server.run("grep -rls 'large limit' /home/mail | xargs -r rm -f")
        applied(WHOLE)


@ON_ONE
def test_a_daemon_that_does_not_serve_fails_the_run_until_it_does(server: Host) -> None:
    """All files are right and all units run, yet nobody could log in or be delivered to. It takes the patience of a run,
    over a minute, and as long until Dovecot asks PostgreSQL again."""
    role = "ALTER ROLE mailreader CONNECTION LIMIT {};"
    gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mailreader';"  # the limit is for new ones
    sql = "cd /; runuser -u postgres -- psql -q -o /dev/null"
    server.run(f"touch /etc/dovecot/dovecot.conf /etc/postfix/main.cf; {sql}", stdin=role.format(0) + gone)
    try:
        run = pyinfra(WHOLE)
        assert run.code == 1 and "not everything serves" in run.output and "Traceback" not in run.output, run.output
        assert re.search(r"the map proxy:pgsql:\S+ gives no answer", run.output), run.output
        assert "Dovecot does not find foo@example.test" in run.output
        server.run("ls /run/mailroom.unproven")  # so the next run asks, though it has nothing to change
    finally:
        server.run(sql, stdin=role.format(-1))
    assert applied(WHOLE).changes == 0
    assert server.run("ls /run/mailroom.unproven", check=False).returncode != 0, "asked, and answered"


def test_a_renewed_certificate_is_shown_without_a_deploy(server: Host, pair: None) -> None:
    """As certbot does it: links that lead to another pair from one moment to the next. Half a pair is not read."""
    look = "systemctl start mailroom-certificate.service"
    server.run(
        f"systemctl stop mailroom-certificate.timer; rm -rf /root/live; mkdir /root/live; cp -a {CERTS} /root/live/1"
    )
    for number in (2, 3):
        folder = f"/root/live/{number}"
        server.run(
            f"mkdir {folder}; " + SELF.format(cn="mx1.example.test", key=f"{folder}/key.pem", cert=f"{folder}/cert.pem")
        )
    server.run(
        f"ln -sfn 1 /root/live/now; for one in cert key; do ln -sf /root/live/now/$one.pem {CERTS}/$one.pem; done; {look}"
    )
    seen = [serial(server, "993")]
    for name in ("2", "3"):  # twice: Dovecot 2.4.1 dies of a second reload
        server.run(f"ln -sfn {name} /root/live/now; {look}")
        seen.append(serial(server, "993"))
        assert serial(server, "465") == seen[-1]
        assert server.run("systemctl is-active dovecot").stdout == "active\n"
    assert len(set(seen)) == 3
    server.run("cp /root/live/2/cert.pem /root/live/3/cert.pem")
    assert server.run(look, check=False).returncode != 0
    assert "does not belong to the key" in server.run("journalctl -u mailroom-certificate -n 20 -o cat").stdout
    assert serial(server, "993") == seen[-1] == serial(server, "465")
    server.run("systemctl start mailroom-certificate.timer; rm -rf /root/live")
