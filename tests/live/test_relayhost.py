"""All mail for others leaves by the world's relay, over TLS with its name, logged in; and what is wrong with it is named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

import checks
from checks.engine.check import Result
from lab import Host
from lab.state import path
from tests.checks import breaks
from tests.live import traffic
from tests.live.passports import postmaster
from tests.live.support import MAILSERVER, ON_ONE_WITH_WORLD, Run, applied
from tests.live.test_forwards import alias  # noqa: F401 - a fixture
from tests.live.test_secrets import leaks
from tests.live.traffic import ALICE, delivered, message, out_there, read, submitted, until

STEP = "deploys.chapters.believed.relay"
USER, NAME, TABLE = "relay@example.net", "world.example.net", "/etc/postfix/mailroom-relay"
AUTHORITY = "/usr/local/share/ca-certificates/world.crt"
TRUST = f"update-ca-certificates --fresh >/dev/null 2>&1; test -e {AUTHORITY}"
BAR = "bar@example.test"
ODD = 'it\'s: "#1" $HOME %s \\ {pässwörd}'  # as a table, a shell or a regular expression might misread it
pytestmark = pytest.mark.usefixtures("no_mail")
Relayed = Callable[..., Run]


@pytest.fixture
def relayed(mailserver: Host, world: Host) -> Iterator[Relayed]:
    """relayed(deploy, …): a run with the world as the provider's relay; afterwards one without, which has to leave nothing.

    The mail host trusts the world's authority as it trusts any other, and is a customer with the password of secrets.json.
    """
    file = path("secrets.json")
    before = file.read_text()
    account(world, json.loads(before)["relayhost"])
    mailserver.run(f"cat >{AUTHORITY}", stdin=world.run("cat /etc/mailroom-authority/authority.pem").stdout)
    mailserver.run(TRUST)

    def run(deploy: str = STEP, *more: str, host: str = NAME, user: str = USER) -> Run:
        return applied(deploy, "--data", f"relayhost={host}", "--data", f"relayhost_user={user}", *more)

    yield run
    file.write_text(before)
    file.chmod(0o600)
    with suppress(Exception):
        mailserver.run("postsuper -d ALL >/dev/null 2>&1; true")
    applied(STEP)
    mailserver.run(f"rm -f {AUTHORITY}; {TRUST}", check=False)
    world.run("saslpasswd2 -d -u example.net relay; systemctl start postfix", check=False)
    left = f"ls {TABLE} 2>/dev/null; postconf -h default_transport relayhost; postconf -M | grep mailroom-relay; true"
    assert mailserver.run(left).stdout.split() == ["smtp"]


def account(world: Host, password: str) -> None:
    world.run("saslpasswd2 -p -c -u example.net relay", stdin=password)


def asked(*ids: str) -> dict[str, Result]:
    return {one.id.rpartition(".")[2]: one for one in checks.run(only=list(ids))}


def by_relay(world: Host, mark: str) -> bool:
    """Whether the letter came to the world from a customer who has logged in (RFC 3848: A), and over TLS (S)."""
    top = re.search(r"^Received:(?:.|\n\s)*?with (E?SMTP\w*) id", read(world, out_there(world, mark)), re.M)
    assert top
    return top[1] == "ESMTPSA"


def from_root(host: Host, *words: str) -> str:
    mark, text = message(ALICE, sender="root (Cron Daemon)")
    host.run(["sendmail", "-i", *words, ALICE], stdin=text)
    return mark


def test_mail_for_others_goes_by_the_relay(
    mailserver: Host,
    world: Host,
    relayed: Relayed,
    alias: str,  # noqa: F811
) -> None:
    first = relayed(MAILSERVER, "-vvv", "--diff", "--debug")
    assert first.changes and leaks(first.output) == []
    again = relayed(MAILSERVER, "--debug")
    assert (again.changes, again.commands) == (0, 2), again.changed

    everywhere = [submitted(mailserver, ALICE), from_root(mailserver), from_root(mailserver, "-f", "")]
    mark, text = message(alias)
    traffic.send(world, text, alias)
    everywhere.append(mark)
    inside = submitted(mailserver, BAR)
    assert all(by_relay(world, mark) for mark in everywhere)
    delivered(mailserver, inside)
    mark, text = message(BAR)
    traffic.send(world, text, BAR)
    delivered(mailserver, mark)  # and from the world as ever
    assert not places_of(world, inside)

    results = asked("believed.relay", "postfix.restart.nothing_beside")
    assert {one.verdict for one in results.values()} == {"pass"}, results
    row = next(
        row for row in json.loads(postmaster("dns", "check", "--json").stdout)["records"] if row["type"] == "587"
    )
    assert row["sign"] == "right" and NAME in row["says"]

    holders = mailserver.run(
        "grep -rlsFf - /etc /home /tmp /root /run /var/lib /var/log /var/spool", stdin=password()
    ).stdout.split()
    assert holders == [TABLE]
    assert mailserver.run(f"stat -c '%a %U:%G' {TABLE}").stdout.strip() == "600 root:root"
    assert leaks(mailserver.run("journalctl -q --no-pager -o cat").stdout) == []
    assert leaks(mailserver.run("postconf -n; postconf -P; postconf -M").stdout) == []


def test_what_is_wrong_is_named_and_no_letter_is_lost(mailserver: Host, world: Host, relayed: Relayed) -> None:
    def named(cause: str) -> None:
        """Both checks say it: the one that asks the relay, and the one that reads why the letter waits."""
        mailserver.run("postqueue -f")
        until(lambda: reason(mailserver), "the letter is put off")
        until(
            lambda: asked("believed.relay.none_waits")["none_waits"].evidence.find(cause) > 0,
            f"{cause}: {reason(mailserver)}",
        )
        results = asked("believed.relay.login", "believed.relay.none_waits")
        for one in results.values():
            assert one.verdict == "fail" and cause in one.evidence and one.remedy, one
            assert leaks(f"{one.evidence} {one.remedy}") == []

    write_password("not-that-one-0123")
    relayed()
    mark = submitted(mailserver, ALICE)
    named("does not take our login")
    mailserver.run(f"mv {AUTHORITY} /root/world.crt; {TRUST}", check=False)
    mailserver.run("systemctl restart postfix")  # who has read the authorities keeps them
    named("cannot be verified")
    mailserver.run(f"mv /root/world.crt {AUTHORITY}; {TRUST}; systemctl restart postfix")
    world.run("systemctl stop postfix")
    named("cannot be reached")
    world.run("systemctl start postfix")
    write_password(ODD)
    account(world, ODD)
    assert "Chapter 6: a relay | Mail that has waited" in relayed().changed
    assert by_relay(world, mark)
    traffic.settled(mailserver)
    results = asked("believed.relay")
    assert {one.verdict for one in results.values()} == {"pass"}, results


def test_wrapped_tls_an_authority_of_ones_own_and_another_name(mailserver: Host, world: Host, relayed: Relayed) -> None:
    mailserver.run(f"mv {AUTHORITY} /etc/ssl/world.pem; {TRUST}", check=False)
    own = ("--data", "relayhost_ca=/etc/ssl/world.pem")
    relayed(STEP, *own, host=f"[{NAME.upper()}]:465")
    assert by_relay(world, submitted(mailserver, ALICE))
    assert asked("believed.relay.login")["login"].verdict == "pass"
    # the same server by a name that is not in its certificate
    relayed(STEP, *own, host="example.net:587")
    submitted(mailserver, ALICE)
    until(lambda: "not verified" in reason(mailserver) or "not trusted" in reason(mailserver), reason(mailserver))
    found = asked("believed.relay.login")["login"]
    assert found.verdict == "fail" and "cannot be verified" in found.evidence, found
    # one that nobody knows is a mistake of ours, and no reason to give letters back
    relayed(STEP, *own, host="relay.nowhere.example:587")
    mailserver.run("postqueue -f")
    until(lambda: "relay.nowhere.example" in reason(mailserver), "it waits for that name")
    mailserver.run("rm /etc/ssl/world.pem")


def test_without_it_nothing_is_left(mailserver: Host, world: Host, relayed: Relayed) -> None:
    relayed()
    assert applied(MAILSERVER).changes
    assert applied(MAILSERVER).changes == 0
    left = mailserver.run(
        "ls /etc/postfix/*relay*; postconf -n | grep -E '^(relayhost|default_transport)'; postconf -MP | grep mailroom-relay",
        check=False,
    )
    assert left.stdout == ""
    assert not by_relay(world, submitted(mailserver, ALICE))
    results = asked("believed.relay")
    assert {one.verdict for one in results.values()} == {"pass", "skip"}, results
    assert results["road"].evidence == "directly to its receivers"


@ON_ONE_WITH_WORLD
def test_each_break_is_seen(mailserver: Host, relayed: Relayed) -> None:
    relayed()
    for name, one in breaks.RELAYED.items():
        mailserver.run(breaks.KEEP)
        try:
            mailserver.run(one.done)
            results = asked(*one.seen.split())
        finally:
            mailserver.run(one.back)
        assert {result.verdict for result in results.values()} == {"fail"}, (name, results)


def reason(host: Host) -> str:
    """Why a letter waits; "" where none does."""
    lines = [json.loads(line) for line in host.run("postqueue -j").stdout.splitlines()]
    return "".join(one.get("delay_reason", "") for line in lines for one in line["recipients"])


def places_of(world: Host, mark: str) -> list[str]:
    return traffic.places(world, [mark], "/var/mail")[mark]


def password() -> str:
    return str(json.loads(path("secrets.json").read_text())["relayhost"])


def write_password(word: str) -> None:
    file = path("secrets.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "relayhost": word}))
