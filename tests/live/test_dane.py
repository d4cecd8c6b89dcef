"""DANE: a letter goes to the key that its domain names, or waits; and only Postfix asks the resolver that tells.

The judge is the world: what has arrived there. Its zones are signed by another program than the one that verifies them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

import checks
from checks.engine.check import Result
from lab import Host
from tests.live import traffic
from tests.live.support import MAILSERVER, applied, pyinfra
from tests.live.traffic import out_there, submitted, until

STEP, PROMISED = "deploys.chapters.believed.dane", "deploys.chapters.believed.sts"
RIGHT, BROKEN, BOGUS, BOTH, PLAIN = (
    f"somebody@{name}.example" for name in ("dane", "dane-broken", "dane-bogus", "dane-sts", "elsewhere")
)
TABLE = "/etc/postfix/own_tls_policy"
OWN = "/etc/unbound/mailroom.d/zz.conf"
UNVERIFIED, UNKNOWN = "Server certificate not verified", "Name service error"
pytestmark = pytest.mark.usefixtures("no_mail")


@pytest.fixture(autouse=True)
def afterwards(mailserver: Host, world: Host) -> Iterator[None]:
    yield
    mailserver.run("postsuper -d ALL >/dev/null 2>&1; systemctl start mailroom-resolver", check=False)
    zones(world)


def zones(world: Host, *right: str) -> None:
    """The world's signed zones, of which these name the right key."""
    world.run(["mailroom-signed", *right])
    world.run("systemctl reset-failed unbound; systemctl restart unbound")


def asked(*ids: str) -> dict[str, Result]:
    return {one.id.rpartition(".")[2]: one for one in checks.run(only=list(ids or ["believed.dane"]))}


def waiting(host: Host) -> dict[str, str]:
    """Why each letter waits, by its recipient."""
    lines = [json.loads(line) for line in host.run("postqueue -j").stdout.splitlines()]
    return {one["address"]: one.get("delay_reason", "") for line in lines for one in line["recipients"]}


def wait_because(host: Host, reasons: dict[str, str], patience: float = 60) -> None:
    """Letters to these wait, each for its reason: a part of what Postfix says. A first try may have failed for another one."""
    end = time.monotonic() + patience
    while not all(reason in waiting(host).get(to, "") for to, reason in reasons.items()):
        if time.monotonic() > end:
            log = host.run(
                "journalctl -q --no-pager -o short-precise -n 150 -u 'postfix*' -u amavis", check=False
            ).stdout
            pytest.fail(f"not within {patience:.0f} s: {reasons}, but {waiting(host)}\n{log}")
        time.sleep(0.3)


def verified(host: Host, domain: str) -> bool:
    said = f"journalctl -q --no-pager -o cat -n 400 | grep 'Verified TLS connection established to mx.{domain}'"
    return bool(host.run(said, check=False).stdout)


def in_the_world(world: Host, mark: str) -> bool:
    return bool(traffic.places(world, [mark], "/var/mail")[mark])


def test_a_letter_goes_to_the_key_that_its_domain_names(mailserver: Host, world: Host) -> None:
    right, broken, bogus, plain = (submitted(mailserver, to) for to in (RIGHT, BROKEN, BOGUS, PLAIN))
    out_there(world, right)
    out_there(world, plain)  # whoever names no key gets mail as ever
    assert verified(mailserver, "dane.example")
    wait_because(mailserver, {BROKEN: UNVERIFIED, BOGUS: UNKNOWN})
    assert not in_the_world(world, broken) and not in_the_world(world, bogus)

    zones(world, "dane-broken.example")
    mailserver.run("sleep 2; postqueue -f")
    out_there(world, broken)
    assert verified(mailserver, "dane-broken.example") and not in_the_world(world, bogus)
    assert {one.verdict for one in asked().values()} == {"pass"}, asked()


def test_a_promise_counts_more_than_a_key_where_no_table_says_otherwise(mailserver: Host, world: Host) -> None:
    """dane-sts.example names another key, and keeps its promise of a certificate (MTA-STS). RFC 8461 (2) would have its mail wait."""
    out_there(world, submitted(mailserver, BOTH))
    mailserver.run(f"echo dane-sts.example dane-only >{TABLE}; postconf -e smtp_tls_policy_maps=texthash:{TABLE}")
    try:
        assert applied(PROMISED).changes
        mark, other = submitted(mailserver, BOTH), submitted(mailserver, "zoe@sts.example")
        wait_because(mailserver, {BOTH: UNVERIFIED})
        out_there(world, other)
        assert not in_the_world(world, mark)
        zones(world, "dane-sts.example")
        mailserver.run("sleep 2; postqueue -f")
        out_there(world, mark)
    finally:
        mailserver.run(f"rm {TABLE}; postconf -X smtp_tls_policy_maps")
        applied(PROMISED)
    assert applied(PROMISED).changes == 0


def test_while_its_resolver_is_away_mail_waits_and_a_check_says_why(mailserver: Host, world: Host) -> None:
    mailserver.run("systemctl stop mailroom-resolver")
    marks = [submitted(mailserver, to) for to in (RIGHT, PLAIN)]
    wait_because(mailserver, dict.fromkeys((RIGHT, PLAIN), UNKNOWN), patience=120)
    found = asked("believed.dane.resolver")["resolver"]
    assert found.verdict == "fail" and "mail for others waits" in found.evidence and "mailroom-resolver" in found.remedy
    mailserver.run("systemctl start mailroom-resolver; postqueue -f")
    for mark in marks:
        out_there(world, mark)


def test_a_resolver_that_dies_is_back_at_once(mailserver: Host, world: Host) -> None:
    mailserver.run("kill -9 $(systemctl show -P MainPID mailroom-resolver)")
    until(lambda: asked("believed.dane.resolver")["resolver"].verdict == "pass", "it answers again")
    out_there(world, submitted(mailserver, RIGHT))


def test_what_the_host_asks_changes_nothing(mailserver: Host, world: Host) -> None:
    """Whoever writes the copy of resolv.conf in Postfix's directory, as the package and DHCP's hooks do: by a new file."""
    copy = "/var/spool/postfix/etc/resolv.conf"
    mailserver.run(f"echo nameserver 192.0.2.1 >{copy}.new && mv {copy}.new {copy} && postfix reload")
    try:
        out_there(world, submitted(mailserver, RIGHT))
        submitted(mailserver, BROKEN)
        wait_because(mailserver, {BROKEN: UNVERIFIED})
        assert asked("believed.dane.asked")["asked"].verdict == "pass"
        world_s = mailserver.run("cat /etc/resolv.conf; getent hosts world.example.net").stdout
        assert "127.0.0.25" not in world_s and "world.example.net" in world_s
    finally:
        mailserver.run(f"cp /etc/resolv.conf {copy}")


def test_without_it_nothing_is_left(mailserver: Host, world: Host) -> None:
    left = """ls -d /etc/unbound/mailroom.*conf /var/lib/mailroom-resolver/etc /etc/systemd/system/mailroom-resolver.service \
        /etc/systemd/system/postfix*.d/mailroom-resolver.conf 2>/dev/null; postconf -P | grep -E '^(smtp|relay)/unix/smtp_(d|h|tls_s)'
        ss -Hlntu sport = :53; grep -F /var/spool/postfix/etc /proc/$(tr -d ' ' </var/spool/postfix/pid/master.pid)/mountinfo; true"""
    assert len(mailserver.run(left).stdout.splitlines()) > 10
    off = ("--data", "dane=false")
    try:
        assert applied(STEP, *off).changes
        assert mailserver.run(left).stdout == ""
        assert applied(STEP, *off).changes == 0
        out_there(world, submitted(mailserver, BROKEN))
        assert {one.verdict for one in asked().values()} == {"skip"}

        # a provider that lets no question out: Postfix goes on asking as before, and the run says so
        mailserver.run(
            f"mkdir -p /etc/unbound/mailroom.d; printf 'server:\\n  outgoing-interface: 127.0.0.1\\n' >{OWN}"
        )
        run = pyinfra(STEP)
        assert run.code != 0 and "gets no answers from the world" in run.output and "port 53" in run.output
        out_there(world, submitted(mailserver, PLAIN))
    finally:
        mailserver.run(f"rm -f {OWN}; systemctl try-restart mailroom-resolver", check=False)
        applied(MAILSERVER)
    again = applied(MAILSERVER, "--debug")
    assert (again.changes, again.commands) == (0, 2), again.changed
    assert {one.verdict for one in asked().values()} == {"pass"}, asked()
    submitted(mailserver, BROKEN)
    wait_because(mailserver, {BROKEN: UNVERIFIED})
