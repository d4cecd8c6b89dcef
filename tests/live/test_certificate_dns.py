"""A certificate whose authority finds its answer in the DNS (DNS-01): ordered and renewed while port 80 is closed, by a key that nobody
sees; and what a nameserver refuses is told in words.

The judge is the world, as in test_certificate.py; the nameserver is knot with the mail host of one release, and bind with the other's.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from shlex import quote

import pytest

import checks
from checks.engine.check import Result
from lab import Host, names
from lab.state import path
from tests.checks import breaks
from tests.live import nameserver
from tests.live.passports import postmaster
from tests.live.support import MAILSERVER, Run, applied
from tests.live.test_certificate import NOBODY, NOTES, PROGRAM, key_of, one_shown, orders, renewed
from tests.live.test_secrets import leaks
from tests.live.watching import WATCH

WEB, STEP = "deploys.chapters.believed.web", "deploys.chapters.believed.certificate"
SECRET = "c2VudGluZWwtb2YtdGhlLW5hbWVzZXJ2ZXI="  # of the nameserver
OTHER = "YW5vdGhlci1vbmUtdGhhbi10aGF0LW9mLWl0cyE="
FILE = "/etc/mailroom-acme-dns.ini"
LEFT = f"ls {FILE} /var/lib/mailroom-acme/proved 2>/dev/null; true"
ByDns = Callable[..., Run]


@pytest.fixture
def by_dns(mailserver: Host, world: Host) -> Iterator[ByDns]:
    """by_dns(deploy, …): a run that has the authority answered in the DNS; afterwards one with port 80, which leaves nothing of it."""
    file, key = path("secrets.json"), key_of(mailserver)
    before = file.read_text()
    write_secret(SECRET)
    with nameserver.serving(world, "knot" if mailserver.suite == names.DEFAULT_SUITE else "bind9", SECRET) as address:

        def run(deploy: str = STEP, *more: str, name: str = nameserver.KEY) -> Run:
            given = {"acme_dns": address, "acme_dns_key": name, "acme_dns_wait": "1"}
            words = [word for knob, value in given.items() for word in ("--data", f"{knob}={value}")]
            return applied(deploy, *words, *more)

        yield run
    file.write_text(before)
    applied(WEB)
    applied(STEP)
    mailserver.run(f"{PROGRAM} now")
    one_shown(world, mailserver)
    assert applied(MAILSERVER).changes == 0
    assert mailserver.run(LEFT).stdout == "" and way(mailserver) == "webroot" and key_of(mailserver) == key


def test_the_dns_answers_and_what_the_nameserver_refuses_is_told(mailserver: Host, world: Host, by_dns: ByDns) -> None:
    """One test, as the way there and back takes a minute."""
    signed_and_renewed(mailserver, world, by_dns)
    refused_and_told(mailserver, world, by_dns)
    applied(WEB, *NOBODY)
    applied(STEP, *NOBODY)
    assert mailserver.run(LEFT).stdout == "" and applied(STEP, *NOBODY).changes == 0


def signed_and_renewed(mailserver: Host, world: Host, by_dns: ByDns) -> None:
    """While port 80 is closed, and nobody sees the secret."""
    before, key, ordered = one_shown(world, mailserver), key_of(mailserver), orders(mailserver)
    mailserver.run("touch /run/watch")
    watcher = threading.Thread(target=lambda: mailserver.run(WATCH, timeout=600))
    watcher.start()
    try:
        run = by_dns(STEP, "-vvv", "--diff", "--debug")
    finally:
        mailserver.run("rm -f /run/watch")
        watcher.join()
    seen = mailserver.run("cat /root/seen; rm /root/seen").stdout
    assert "certonly" in seen and leaks(seen) == [] and leaks(run.output) == []
    assert way(mailserver) == "dns-rfc2136" and orders(mailserver) == ordered + 1, run.output[-3000:]
    assert by_dns(WEB).changes, "which closes port 80"
    again = by_dns(MAILSERVER, "--debug")
    assert (again.changes, again.commands) == (0, 2), again.changed
    assert mailserver.run("ss -Hltn sport = :80").stdout == ""

    after = one_shown(world, mailserver)
    renewed(mailserver)
    assert one_shown(world, mailserver) not in (before, after) and key_of(mailserver) == key
    results = asked("believed.certificate", "believed.web", "host.ports.expected")
    assert {one.verdict for one in results.values()} == {"pass", "skip"}, results
    assert {name for name, one in results.items() if one.verdict == "skip"} == {"challenge", "nothing_else"}
    assert f"_acme-challenge.mx1.{nameserver.DOMAIN}. IN TXT" in postmaster("dns", "print").stdout

    everywhere = "grep -rlsFf - /etc /home /tmp /root /run /var/lib /var/log /var/spool"
    assert mailserver.run(everywhere, stdin=SECRET).stdout.split() == [FILE]
    assert mailserver.run(f"stat -c '%a %U:%G' {FILE}").stdout.strip() == "600 root:root"
    assert leaks(mailserver.run("journalctl -q --no-pager -o cat").stdout) == []
    for name, one in breaks.ANSWERED_IN_THE_DNS.items():
        mailserver.run(one.done)
        try:
            results = asked(*one.seen.split())
        finally:
            mailserver.run(one.back)
        assert {result.verdict for result in results.values()} == {"fail"}, (name, results)


def refused_and_told(mailserver: Host, world: Host, by_dns: ByDns) -> None:
    """By the run and by the host, while the old one serves."""
    before, ordered = one_shown(world, mailserver), orders(mailserver)

    def told(said: str, remedy: str) -> None:
        assert remedy in said and "the old one goes on serving" in said, said[-6000:]
        assert leaks(said) == [] and orders(mailserver) == ordered

    write_secret(OTHER)
    told(by_dns().output, f"has another secret for the key {nameserver.KEY}")
    found = asked("believed.certificate.renewal")["renewal"]
    assert found.verdict == "fail" and "has another secret" in found.evidence and leaks(str(found)) == []
    assert one_shown(world, mailserver) == before
    write_secret(SECRET)
    by_dns()  # what had been tried is known to be right
    assert asked("believed.certificate.renewal")["renewal"].verdict == "pass" and orders(mailserver) == ordered
    for change, file, remedy in (
        ("s/^dns_rfc2136_name = .*/dns_rfc2136_name = nobodys/", FILE, "knows no key"),
        ("s/^names='/&imap.example.test /", PROGRAM, "does not let it change these names"),
        ("s/^names='/&world.example.net /", PROGRAM, "or is not the primary server of the zones"),
    ):
        told(
            mailserver.run(
                f"cp -p {file} /root/kept-by-test; sed -i {quote(change)} {file}; {PROGRAM} now 2>&1; mv /root/kept-by-test {file}"
            ).stdout,
            remedy,
        )

    write_secret(OTHER)
    rekeyed(world)
    run = by_dns()  # another secret on both sides is tried by an order
    assert orders(mailserver) == ordered + 1, run.output[-6000:]
    assert one_shown(world, mailserver) != before


def way(host: Host) -> str:
    """How certbot will answer at the next renewal."""
    return "".join(re.findall(r"^authenticator = (.+)$", host.run(f"cat {NOTES}").stdout, re.MULTILINE))


def asked(*ids: str) -> dict[str, Result]:
    return {one.id.rpartition(".")[2]: one for one in checks.run(only=list(ids))}


def write_secret(word: str) -> None:
    file = path("secrets.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "acme_dns": word}))


def rekeyed(world: Host) -> None:
    """The nameserver has the other secret, too."""
    world.run(
        f"for file in /etc/knot/knot.conf /etc/bind/named.conf; do [ ! -e $file ] || sed -i 's,{SECRET},{OTHER},' $file; done; "
        "for unit in knot named; do systemctl try-restart $unit; done",
        check=False,
    )
