"""A certificate that an authority signs: ordered once, renewed while people work, and never missed while there is none.

The judge is the world: its OpenSSL trusts pebble's roots and nothing else, and asks all six ports for the host's name.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import checks
from checks.engine.target import Target
from lab import Host
from tests.live import traffic
from tests.live.sessions import Readers, held
from tests.live.support import MAILSERVER, ON_ONE_WITH_WORLD, Run, applied, pyinfra

PORTS = {443: "", 25: "smtp", 465: "", 587: "smtp", 143: "imap", 993: "", 4190: "sieve"}
CERTS, CA = "/etc/postfix/certs", "mailroom-authority"
NOTES = "/etc/letsencrypt/renewal/mailroom.conf"
PROGRAM = "/usr/local/lib/mailroom/acme"
VERIFIED = (
    "openssl s_client -connect mx1.example.test:{port} {starttls} -CAfile /etc/mailroom-authority/roots.pem "
    "-verify_return_error -verify_hostname mx1.example.test </dev/null 2>&1"
)
OTHER_NAMES = ("--data", 'acme_names=["world.example.net"]')  # the world has no answer on port 80
NOBODY = ("--data", "acme=false", "--data", "mta_sts=None", "--data", "autoconfig=false")


def shown(world: Host, family: str = "") -> set[str]:
    """What all ports show to the world, each for which it trusts the host's name: certificates as text."""
    found = set()
    for port, protocol in PORTS.items():
        options = f"-starttls {protocol} {family}" if protocol else family
        said = world.run(VERIFIED.format(port=port, starttls=options), check=False)
        assert "Verify return code: 0 (ok)" in said.stdout, (port, said.stdout[-600:])
        found.update(re.findall(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", said.stdout, re.DOTALL))
    return found


def one_shown(world: Host, host: Host, family: str = "") -> str:
    """The one that all of them show, which is the file's."""
    (one,) = shown(world, family)
    assert host.run(f"cat {CERTS}/cert.pem").stdout.startswith(one)
    return one


def key_of(host: Host) -> str:
    """What a TLSA record 3 1 1 says of the key."""
    return host.run(f"openssl pkey -in {CERTS}/key.pem -pubout -outform DER | sha256sum").stdout


def orders(host: Host) -> int:
    """How often certbot has got one: it keeps the newest six, and numbers all of them."""
    return int(host.run("readlink /etc/letsencrypt/live/mailroom/cert.pem | tr -dc 0-9").stdout)


def settled() -> Run:
    run = applied(MAILSERVER, "--debug")
    assert run.changes == 0 and run.commands == 2, (run.changed, run.commands)
    return run


@contextmanager
def without_authority(host: Host, world: Host) -> Iterator[None]:
    """pebble knows nobody any more after that, so the host asks for a certificate as a stranger would."""
    world.run(f"systemctl stop {CA}")
    try:
        yield
    finally:
        world.run(f"systemctl start {CA}")
        host.run(f"[ ! -e {NOTES} ] || sed -i 's/^server = .*/server = forgotten/' {NOTES}; {PROGRAM} now")


@contextmanager
def asked_by_runs(host: Host, world: Host) -> Iterator[None]:
    """Afterwards the host has its own names again, and what it serves is trusted."""
    try:
        yield
    finally:
        applied(MAILSERVER)
        host.run(f"{PROGRAM} now")
    one_shown(world, host)
    settled()


def renewed(host: Host, check: bool = True) -> None:
    """As certbot's timer does it when the time has come, in its own unit. The world's authority refuses nonces by lot, and the timer
    would come again for that, too."""
    host.run(f"sed -i '1i renew_before_expiry = 100 days' {NOTES}")
    last = "journalctl -q -o cat _SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID certbot.service)"
    try:
        for _ in range(5):
            done = host.run("systemctl start certbot.service", check=False)
            said = host.run(last).stdout
            if "anti-replay nonce" not in said:
                break
        if check and done.returncode:
            raise subprocess.CalledProcessError(done.returncode, said)
    finally:
        host.run(f"sed -i 1d {NOTES}")


def test_an_authority_signs_it_once(mailserver: Host, world: Host) -> None:
    one_shown(world, mailserver)
    before = orders(mailserver)
    settled()
    mailserver.run("systemctl start mailroom-acme.service mailroom-certificate.service")
    assert orders(mailserver) == before
    assert mailserver.run("systemctl is-enabled nginx", check=False).stdout == "masked\n"
    assert mailserver.run("systemctl is-active certbot.timer mailroom-acme.timer mailroom-web").stdout == "active\n" * 3


@pytest.mark.usefixtures("no_mail")
def test_it_is_renewed_while_people_work(mailserver: Host, world: Host, target: Target) -> None:
    mailserver.run("systemctl restart dovecot; sleep 1")  # so that it has not been reloaded yet: 2.4.1 takes that once
    before, key = one_shown(world, mailserver), key_of(mailserver)
    with held(mailserver, target), Readers(mailserver) as readers:
        renewed(mailserver)
        after = one_shown(world, mailserver)
    assert after != before and key_of(mailserver) == key
    assert readers.done > 10 and readers.cut <= 2 * len(readers.threads) and not readers.failed, vars(readers)
    traffic.settled(mailserver)
    assert mailserver.run("ls /home/mail/example.test/bar/new | wc -l").stdout == "2\n"
    settled()
    renewed(mailserver)  # a second one in the same Dovecot's life
    assert one_shown(world, mailserver) not in (before, after)
    assert mailserver.run("systemctl is-active dovecot").stdout == "active\n"
    settled()


def test_while_the_authority_is_away_nothing_changes(mailserver: Host, world: Host) -> None:
    before = one_shown(world, mailserver)
    with without_authority(mailserver, world):
        settled()
        with pytest.raises(subprocess.CalledProcessError):  # systemd tells of it, and so does the check when it matters
            renewed(mailserver)
        run = applied(MAILSERVER, *OTHER_NAMES)
        assert "can this host reach https://world.example.net:14000/dir?" in run.output
        assert one_shown(world, mailserver) == before
        applied(MAILSERVER)
    settled()


@ON_ONE_WITH_WORLD
def test_what_the_authority_refuses_is_told_and_not_asked_again_and_again(mailserver: Host, world: Host) -> None:
    before, key = one_shown(world, mailserver), key_of(mailserver)
    with asked_by_runs(mailserver, world):
        run = applied(MAILSERVER, *OTHER_NAMES)
        assert "Domain: world.example.net" in run.output and "port 80 has to be open" in run.output, run.output[-3000:]
        assert "the old one goes on serving" in run.output and one_shown(world, mailserver) == before
        log = mailserver.run("wc -l </var/log/letsencrypt/letsencrypt.log").stdout
        again = applied(MAILSERVER, *OTHER_NAMES)
        assert again.changes == 0 and "not asked again" in again.output and "Domain: world.example.net" in again.output
        mailserver.run("systemctl start mailroom-acme.service")  # nor by the host itself, so soon
        assert mailserver.run("wc -l </var/log/letsencrypt/letsencrypt.log").stdout == log
        assert one_shown(world, mailserver) == before
    assert key_of(mailserver) == key


@ON_ONE_WITH_WORLD
def test_the_self_signed_one_serves_until_the_authority_has_answered(
    mailserver: Host, world: Host, target: Target
) -> None:
    """And it does so again where nobody is to be asked any more."""
    applied(MAILSERVER, *NOBODY)
    assert applied(MAILSERVER, *NOBODY).changes == 0
    assert "O = mailroom" in mailserver.run(f"openssl x509 -in {CERTS}/cert.pem -noout -issuer -nameopt oneline").stdout
    assert not mailserver.run("ss -Hltn '( sport = :80 or sport = :443 )'").stdout
    mailserver.run("rm -rf /etc/letsencrypt /var/lib/mailroom-acme")
    with asked_by_runs(mailserver, world), without_authority(mailserver, world):
        run = applied(MAILSERVER)
        assert "can this host reach" in run.output and "the old one goes on serving" in run.output
        found = {
            one.id: one
            for one in checks.run(target, only=["believed.certificate.trusted", "postfix.tls", "dovecot.certificate"])
        }
        assert found["believed.certificate.trusted"].verdict == "fail"
        assert "Connection refused" in found["believed.certificate.trusted"].evidence
        assert [id for id, one in found.items() if one.verdict != "pass"] == ["believed.certificate.trusted"]
    assert orders(mailserver) == 1


@ON_ONE_WITH_WORLD
def test_a_pair_of_the_operators_is_never_replaced(mailserver: Host, world: Host) -> None:
    mailserver.run(
        f"cp -a {CERTS} /root/certs; openssl req -new -x509 -days 9 -nodes -newkey rsa:2048 -subj /CN=theirs"
        f" -addext subjectAltName=DNS:mx1.example.test -keyout {CERTS}/key.pem -out {CERTS}/cert.pem 2>/dev/null"
    )
    try:
        theirs = mailserver.run(f"sha256sum {CERTS}/*").stdout
        run = mailserver.run(f"{PROGRAM} install", check=False)
        assert run.returncode == 1 and "is not mailroom's, and was left as it is" in run.stderr
        run = mailserver.run(f"{PROGRAM} now", check=False)
        assert run.returncode == 1 and "is not mailroom's" in run.stderr
        refused = pyinfra(MAILSERVER)
        assert refused.code == 1 and "CN=theirs" in refused.output and "nothing was changed" in refused.output
        both = pyinfra(MAILSERVER, "--data", "tls_self_signed=false")
        assert both.code == 1 and "which mailroom never replaces" in both.output
        assert mailserver.run(f"sha256sum {CERTS}/*").stdout == theirs
    finally:
        mailserver.run(f"rm -rf {CERTS} && mv /root/certs {CERTS}")
    one_shown(world, mailserver)
    settled()


@ON_ONE_WITH_WORLD
def test_an_authority_that_forgot_us_is_asked_as_a_stranger_would(mailserver: Host, world: Host) -> None:
    """pebble knows nobody after a restart; a real one loses an account now and then."""
    world.run(f"systemctl restart {CA}")
    mailserver.run(f"rm -rf /etc/letsencrypt/live /etc/letsencrypt/archive {NOTES}")
    assert applied(MAILSERVER).changes == 1
    assert orders(mailserver) == 1 and "not found" in mailserver.run("cat /var/log/letsencrypt/letsencrypt.log*").stdout
    one_shown(world, mailserver)
    settled()


@ON_ONE_WITH_WORLD
def test_what_a_killed_installation_left_is_finished(mailserver: Host, world: Host) -> None:
    """certbot has a new one, and nobody gave it to the daemons: the disk was full, or the host went down."""
    before = one_shown(world, mailserver)
    mailserver.run(f"mv {PROGRAM} /root/acme; printf '#!/bin/sh\\nexit 1\\n' >{PROGRAM}; chmod 755 {PROGRAM}")
    try:
        renewed(mailserver, check=False)
    finally:
        mailserver.run(f"mv /root/acme {PROGRAM}")
    assert one_shown(world, mailserver) == before
    mailserver.run("systemctl start mailroom-acme.service")
    assert one_shown(world, mailserver) != before
    settled()
    traffic.settled(mailserver)
