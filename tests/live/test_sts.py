"""What domains promise to who writes to them (MTA-STS): obeyed on the way out, and promised by us as others read it.

The world's sts.example keeps its promise, sts-broken.example shows another server's certificate, sts-testing.example only tries.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

import checks
from lab import Host
from lab.records import publish
from postmaster.zone.promise import id_of
from tests.live import traffic
from tests.live.passports import postmaster
from tests.live.support import MAILSERVER, ON_ONE_WITH_WORLD, applied
from tests.live.traffic import ALICE, delivered, out_there, places, submitted, until

BAR = "bar@example.test"
OBEY, PROMISE = "deploys.chapters.believed.sts", "deploys.chapters.believed.policy"
UNIT, POLICY = "postfix-mta-sts-resolver", "/var/lib/mailroom-web/mta-sts.txt"
NOT_VERIFIED = "Server certificate not verified"
# Python's own client, on the world: it trusts pebble's roots and nothing else.
FETCH = """import ssl, sys, urllib.request
trust = ssl.create_default_context(cafile="/etc/mailroom-authority/roots.pem")
with urllib.request.urlopen(sys.argv[1], context=trust, timeout=10) as answer:
    print(answer.headers["Content-Type"]); print(answer.read().decode(), end="")
"""
RIGHT = """cd /etc/mailroom-authority
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -CA public.pem -CAkey public.key -subj /CN=x \
    -addext subjectAltName=DNS:mx.sts-broken.example -addext basicConstraints=critical,CA:FALSE -keyout right.key -out right.crt 2>/dev/null
cat right.key right.crt >right.pem
cp -p /etc/postfix/main.cf /root/main.cf
postconf -e "tls_server_sni_maps=inline:{mx.sts-broken.example=/etc/mailroom-authority/right.pem}"
systemctl reload postfix"""
# What an attacker does who sits on the way to the DNS, with a server that has the right certificate for another name of its own.
FORGED_MX = """sed -i 's/MX 10 mx.sts.example./MX 10 mx.sts-broken.example./' /etc/unbound/mailroom/zones.conf
systemctl restart unbound"""
HONEST_MX = "/usr/local/sbin/mailroom-world; systemctl reset-failed unbound; systemctl restart unbound"
WRONG = "mv /root/main.cf /etc/postfix/main.cf; rm -f /etc/mailroom-authority/right.*; systemctl reload postfix"
pytestmark = pytest.mark.usefixtures("no_mail")


def log(host: Host) -> str:
    return host.run("journalctl -q --no-pager -o cat -t postfix/smtp -t postfix/relay/smtp --since -10min").stdout


def waits(host: Host, to: str, why: str) -> None:
    """The letter is in the queue, for this reason."""
    until(lambda: any(to in row and why in row for row in queue(host)), f"{to} waits: {why}; {queue(host)}")


def queue(host: Host) -> list[str]:
    return host.run("postqueue -j").stdout.splitlines()


@pytest.fixture
def emptied(mailserver: Host) -> Iterator[None]:
    yield
    mailserver.run("postsuper -d ALL >/dev/null 2>&1; true")


@pytest.mark.usefixtures("emptied")
def test_a_promise_is_held_against_who_answers(mailserver: Host, world: Host) -> None:
    right, testing = submitted(mailserver, "zoe@sts.example"), submitted(mailserver, "zoe@sts-testing.example")
    broken = submitted(mailserver, "zoe@sts-broken.example")
    out_there(world, right)
    out_there(world, testing)
    waits(mailserver, "zoe@sts-broken.example", NOT_VERIFIED)
    said = log(mailserver)
    assert "Verified TLS connection established to mx.sts.example[" in said, said[-2000:]
    assert "Untrusted TLS connection established to mx.sts-testing.example[" in said
    assert not places(world, [broken], "/var/mail")[broken]
    world.run(RIGHT)
    try:
        mailserver.run("postqueue -f")
        out_there(world, broken)
    finally:
        world.run(WRONG)
    assert "Verified TLS connection established to mx.sts-broken.example[" in log(mailserver)


@pytest.mark.usefixtures("emptied")
def test_nothing_goes_unprotected_while_nobody_knows_what_was_promised(mailserver: Host, world: Host) -> None:
    mailserver.run(f"systemctl stop {UNIT}")
    try:
        out, plain, inside = (submitted(mailserver, to) for to in ("zoe@sts.example", ALICE, BAR))
        delivered(mailserver, inside)
        for to in ("zoe@sts.example", ALICE):
            waits(mailserver, to, "client TLS configuration problem")
        (found,) = checks.run(only=["believed.sts.asked"])
        assert found.verdict == "fail" and UNIT in found.remedy, found
        assert not any(places(world, [out, plain], "/var/mail").values())
    finally:
        mailserver.run(f"systemctl start {UNIT}; postqueue -f")
    out_there(world, out)
    out_there(world, plain)
    mailserver.run(f"systemctl kill -s KILL {UNIT}; sleep 1")
    until(lambda: mailserver.run(f"systemctl is-active {UNIT}", check=False).stdout == "active\n", "it is back", 10)


@pytest.mark.usefixtures("emptied")
def test_a_server_that_the_promise_does_not_name_gets_nothing(mailserver: Host, world: Host) -> None:
    """Its certificate is by the right name: Debian 12's Postfix looks at that alone, whatever the server is called."""
    world.run(FORGED_MX)
    try:
        mailserver.run("systemctl restart mailroom-resolver")  # it has read the honest one a minute ago
        mark = submitted(mailserver, "zoe@sts.example")
        if mailserver.suite == "bookworm":
            out_there(world, mark)
            return
        waits(mailserver, "zoe@sts.example", "server unavailable")
        assert "'mx.sts-broken.example' does not match STS MX pattern for 'sts.example'" in log(mailserver)
        assert not places(world, [mark], "/var/mail")[mark]
    finally:
        world.run(HONEST_MX)
        mailserver.run("systemctl restart mailroom-resolver; postqueue -f")
    out_there(world, mark)


@ON_ONE_WITH_WORLD
@pytest.mark.usefixtures("emptied")
def test_what_was_read_once_protects_while_it_cannot_be_read(mailserver: Host, world: Host) -> None:
    """Also after a restart: whoever blocks the way to a promise does not get it forgotten."""
    waits_for = submitted(mailserver, "zoe@sts-broken.example")
    waits(mailserver, "zoe@sts-broken.example", NOT_VERIFIED)
    world.run("systemctl stop mailroom-policies")
    try:
        mailserver.run(f"systemctl restart {UNIT}; postqueue -f; sleep 3")
        waits(mailserver, "zoe@sts-broken.example", NOT_VERIFIED)
        assert not places(world, [waits_for], "/var/mail")[waits_for]
    finally:
        world.run("systemctl start mailroom-policies")


@pytest.mark.usefixtures("emptied")
def test_without_the_knob_nobody_asks(mailserver: Host, world: Host) -> None:
    off = ("--data", "obey_mta_sts=false")
    try:
        applied(OBEY, *off)
        assert applied(OBEY, *off).changes == 0
        assert "policy_maps" not in mailserver.run("postconf -P; postconf -n").stdout
        assert (
            mailserver.run(f"systemctl is-active {UNIT}; systemctl is-enabled {UNIT}", check=False).stdout
            == "inactive\ndisabled\n"
        )
        out_there(world, submitted(mailserver, "zoe@sts-broken.example"))
    finally:
        assert applied(OBEY).changes
    run = applied(MAILSERVER, "--debug")
    assert (run.changes, run.commands) == (0, 2), run.changed


def rows() -> dict[str, dict[str, str]]:
    found = json.loads(postmaster("dns", "check", "--json").stdout)["records"]
    return {f"{row['type']} {row['name']}": row for row in found}


def test_what_we_promise_is_read_by_others_and_its_id_tells_of_a_change(mailserver: Host, world: Host) -> None:
    record, read = "TXT _mta-sts.example.test", "443 to mta-sts.example.test"
    text = mailserver.run(f"cat {POLICY}").stdout
    assert text.splitlines() == ["version: STSv1", "mode: enforce", f"mx: {mailserver.fqdn}", "max_age: 604800"]
    said = world.run(["python3", "-c", FETCH, "https://mta-sts.example.test/.well-known/mta-sts.txt"]).stdout
    assert said == f"text/plain\n{text}"
    before = rows()
    assert (before[record]["sign"], before[read]["sign"]) == ("advice", "right"), before
    publish("_mta-sts.example.test", f"v=STSv1; id={id_of(text)}")
    try:
        assert {rows()[one]["sign"] for one in (record, read)} == {"right"}
        applied(PROMISE, "--data", "mta_sts=testing")
        changed = rows()
        assert "the promise has changed" in changed[record]["says"] and changed[read]["says"].startswith("testing")
        applied(PROMISE, "--data", "mta_sts=None")
        assert applied(PROMISE, "--data", "mta_sts=None").changes == 0
        assert mailserver.run(f"ls {POLICY} /etc/nginx/mailroom.d/mta-sts.conf 2>/dev/null; true").stdout == ""
        assert "makes none" in rows()[read]["says"]
    finally:
        publish("_mta-sts.example.test", "")
        applied(MAILSERVER)
    assert mailserver.run(f"cat {POLICY}").stdout == text
    assert applied(MAILSERVER).changes == 0
    assert {one.verdict for one in checks.run(only=["believed.policy", "believed.web", "believed.sts"])} == {"pass"}
    traffic.settled(mailserver)
