"""On a whole server all checks pass; on one that is broken on purpose the matching ones do not."""

from dataclasses import dataclass
from pathlib import Path

import pytest

import checks
from checks.engine import report
from checks.engine.inventory import lab_directory
from checks.engine.target import read_json
from lab import Host

POSTFIX = "systemctl reset-failed; systemctl restart postfix; sleep 0.3"
DOVECOT = "systemctl reset-failed; systemctl restart dovecot; sleep 0.5"
KEEP = "rm -rf /root/kept; mkdir /root/kept; cp -a /etc/postfix /etc/dovecot /etc/aliases* /root/kept; "
KEEP += "rm -rf /root/kept-units; mkdir /root/kept-units; cp -a /etc/systemd/system/*.service.d /root/kept-units"
BACK = f"rm -rf /etc/postfix /etc/dovecot; cp -a /root/kept/* /etc; {POSTFIX}; {DOVECOT}"
LATER = (3, 5)  # chapters that this server does not have: tests/checks/test_broken_filter.py
MAIL = "cd /; runuser -u postgres -- psql -qX mail -c"


@dataclass(frozen=True)
class Break:
    """What is done to the host, what puts it back, and the checks that have to see it."""

    done: str
    seen: str
    back: str = BACK


BREAKS = {
    "relay": Break(
        "postconf -e 'smtpd_relay_restrictions = check_recipient_access static:OK, reject_unauth_destination'; "
        + POSTFIX,
        "postfix.restrictions.no_relay",
    ),
    "forged sender": Break(
        f"postconf -e smtpd_sender_restrictions=; {POSTFIX}", "postgresql.delivery.no_forged_sender"
    ),
    "any local name": Break(f"postconf -e local_recipient_maps=; {POSTFIX}", "postfix.aliases.unknown"),
    "every account of the host": Break(f"postconf -X local_recipient_maps; {POSTFIX}", "postfix.aliases.accounts"),
    "mail that nobody reads": Break(
        f"postconf -e 'alias_maps = $alias_database'; {POSTFIX}",
        "postgresql.restart.host_mail",
        f"rm -f /var/mail/daemon /var/spool/mail/daemon; {BACK}",
    ),
    "reports for strangers": Break(
        f"postconf -PX smtp/inet/smtpd_command_filter; {POSTFIX}",
        "postfix.strangers.never postgresql.restart.no_report",
    ),
    "no reports, and no letters": Break(
        f"postconf -e smtpd_discard_ehlo_keywords=dsn; {POSTFIX}", "postfix.strangers.asks"
    ),
    "bounces that nobody sees": Break(f"postconf -X notify_classes; {POSTFIX}", "postfix.strangers.told"),
    "a note for every guess": Break(f"postconf -PX smtp/inet/notify_classes; {POSTFIX}", "postfix.strangers.not_told"),
    "a field is dropped": Break(
        f"postconf -P cleanup-strangers/unix/message_drop_headers=bcc; {POSTFIX}", "postgresql.restart.untouched"
    ),
    "subdomains are ours": Break(
        f"postconf -X parent_domain_matches_subdomains; {POSTFIX}", "postgresql.delivery.subdomain"
    ),
    "key for all": Break(
        "chmod 644 /etc/postfix/certs/key.pem", "postfix.certificate.key_private dovecot.certificate.key_private"
    ),
    "old TLS": Break(
        "postconf -e 'smtpd_tls_protocols = >=TLSv1' 'smtpd_tls_mandatory_protocols = >=TLSv1' "
        f"'tls_medium_cipherlist = ALL:@SECLEVEL=0'; {POSTFIX}; printf 'ssl_min_protocol = TLSv1\\nssl_cipher_list = "
        f"ALL:@SECLEVEL=0\\n' >> /etc/dovecot/dovecot.conf; {DOVECOT}",
        "postfix.tls.old_refused dovecot.certificate.old_refused dovecot.cleartext.old_refused dovecot.tls.minimum",
    ),
    "weak suites": Break(
        "postconf -e smtpd_tls_exclude_ciphers= smtpd_tls_mandatory_exclude_ciphers=; "
        f"postconf -P submissions/inet/smtpd_tls_security_level=may; {POSTFIX}",
        "postfix.tls.no_anonymous postfix.tls.forward_secrecy",
    ),
    "nobody looks for a renewed certificate": Break(
        "systemctl stop mailroom-certificate.timer",
        "dovecot.certificate.renewal",
        "systemctl start mailroom-certificate.timer",
    ),
    "a strange pair would be read": Break(
        "cp -p /usr/local/lib/mailroom/certificate /root/certificate; "
        "sed -i 's/^judge_pair() {/&\\n    return 0/' /usr/local/lib/mailroom/certificate",
        "dovecot.certificate.no_strange_pair",
        "mv /root/certificate /usr/local/lib/mailroom/certificate",
    ),
    "new certificate not loaded": Break(
        "systemctl stop mailroom-certificate.timer; "
        "openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=x -addext subjectAltName=DNS:mx1.example.test "
        "-keyout /etc/postfix/certs/key.pem -out /etc/postfix/certs/cert.pem 2>/dev/null",
        "postfix.certificate.dates dovecot.restart.certificate_loaded",
        f"{BACK}; systemctl start mailroom-certificate.timer",
    ),
    "role that writes": Break(
        f"{MAIL} 'GRANT UPDATE ON users TO mailreader'",
        "postgresql.tables.cannot_write",
        f"{MAIL} 'REVOKE UPDATE ON users FROM mailreader'",
    ),
    "plain password": Break(
        f"{MAIL} \"CREATE TABLE kept AS TABLE users; UPDATE users SET password = 'x' WHERE email LIKE 'foo@%'\"",
        "dovecot.schemes.no_weak dovecot.password.stored dovecot.password.login",
        f'{MAIL} "UPDATE users u SET password = k.password FROM kept k WHERE k.email = u.email; DROP TABLE kept"',
    ),
    "socket for all": Break("chmod 666 /var/spool/postfix/private/auth", "dovecot.listener.socket", f"{DOVECOT}"),
    "wrong database password": Break(
        f"sed -i -E 's/(password ?= ?).*/\\1wrong/' /etc/dovecot/dovecot-sql.conf; {DOVECOT}",
        "dovecot.sql.credentials",
    ),
    "foo sends as bar": Break(
        f"postconf -P submissions/inet/smtpd_sender_restrictions=permit; {POSTFIX}", "dovecot.listener.no_forged_sender"
    ),
    "foo writes as bar": Break(
        f"postconf -PX submission/inet/smtpd_milters; {POSTFIX}", "dovecot.listener.no_forged_from"
    ),
    "nobody is asked about From": Break(
        f"postconf -PX submission/inet/smtpd_milters; {POSTFIX}", "dovecot.listener.no_forged_from"
    ),
    "nobody compares": Break(
        "systemctl stop mailroom-sender.socket mailroom-sender.service",
        "dovecot.listener.login",  # without its answer nobody is let in: 454
        "systemctl start mailroom-sender.socket",
    ),
    "Dovecot stopped": Break("systemctl stop dovecot", "dovecot.start.listens", DOVECOT),
    "nobody looks after them": Break(
        "rm -f /etc/systemd/system/*.service.d/mailroom-supervised.conf; systemctl daemon-reload",
        "postfix.restart.revived postgresql.install.revived dovecot.start.revived",
        "cp -a /root/kept-units/* /etc/systemd/system; systemctl daemon-reload",
    ),
    "PostgreSQL stopped": Break(
        "systemctl stop 'postgresql*'", "postgresql.install.answers", "systemctl start postgresql; sleep 2"
    ),
}


def secrets() -> list[str]:
    return [
        secret
        for name in ("accounts.json", "secrets.json")
        for secret in read_json(Path(lab_directory()) / name).values()
    ]


def test_a_whole_server_passes_and_keeps_no_letter_of_ours(server: Host) -> None:
    target = checks.lab_target()
    results = checks.run(target)
    wrong = [
        f"{one.id}: {one.evidence}" for one in results if one.verdict in ("fail", "skip") and one.chapter not in LATER
    ]
    assert not wrong, "\n".join(wrong)
    later = {one.verdict: one.evidence for one in results if one.chapter in LATER}
    assert list(later) == ["skip"] and "was not applied here" in later["skip"]
    assert len(results) == len(checks.selected())
    text = report.as_json(target, results, 0.0)
    assert not [secret for secret in secrets() if secret in text]
    left = server.run("mailq | tail -n +1; find /home/mail -type f -path '*/new/*' -o -type f -path '*/cur/*'").stdout
    assert "mailroom-check" not in left and "/home/mail" not in left, left


def broken_is_seen(host: Host, one: Break, keep: str) -> None:
    """Break the host, run the checks that have to see it, and put it back."""
    host.run(keep)
    host.run(one.done)
    try:
        results = {result.id: result for result in checks.run(only=one.seen.split())}
    finally:
        host.run(one.back)
    for id in one.seen.split():
        assert results[id].verdict in ("fail", "warn"), results[id]
        assert results[id].remedy, id
        assert not [secret for secret in secrets() if secret in str(results[id])]


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_seen(server: Host, name: str) -> None:
    broken_is_seen(server, BREAKS[name], KEEP)


def test_an_early_stop_skips_the_rest_with_its_reason(server: Host) -> None:
    server.run("systemctl stop dovecot")
    try:
        results = checks.run(only=["dovecot.mailboxes", "dovecot.restart.delivery"])
    finally:
        server.run(DOVECOT)
    verdicts = {result.id: result.verdict for result in results}
    assert verdicts["dovecot.start.listens"] == "fail"
    assert {verdict for id, verdict in verdicts.items() if id != "dovecot.start.listens"} == {"skip"}
    assert [result.id for result in report.stopped(results)] == ["dovecot.start.listens"]
