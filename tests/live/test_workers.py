"""Workers that are killed, stopped and broken in the middle of traffic: nothing passes unchecked, nothing is lost, and mail
flows again by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from checks.clients.samples import EICAR
from lab import Host
from tests.live import traffic
from tests.live.support import ON_ONE_WITH_WORLD, main_cf
from tests.live.traffic import held, message, read, scanned, send, settled, submitted, until

FOO = "foo@example.test"
pytestmark = ON_ONE_WITH_WORLD
UNITS = "clamav-daemon.socket clamav-daemon.service amavis.service"


@pytest.fixture
def impatient(mailserver: Host, world: Host) -> Iterator[Host]:
    """Postfix goes on to try again after seconds, so that "by itself" can be seen. Put back at the end."""
    settled(mailserver, world)
    traffic.empty(mailserver, world)
    with main_cf(mailserver, "maximal_backoff_time=5s"):
        yield mailserver
    mailserver.run(f"systemctl reset-failed {UNITS}; systemctl start {UNITS}")
    settled(mailserver, world)
    assert traffic.mail_out_there(world) == []


def test_a_restart_of_postfix_costs_no_letter_its_turn(impatient: Host) -> None:
    """Workers that are busy, letter upon letter, have no connection left over that the restart has ended."""
    for _ in range(8):
        submitted(impatient, FOO)
    settled(impatient)
    since = impatient.run("systemctl restart postfix; date +@%s").stdout.strip()
    marks = [submitted(impatient, FOO) for _ in range(6)]
    until(lambda: all(traffic.places(impatient, marks).values()), "they arrive")
    log = f"journalctl -q --no-pager -o cat -u 'postfix*' --since {since} | grep status=deferred"
    assert impatient.run(log, check=False).stdout == ""


@dataclass
class Traffic:
    """Letters sent so far. Every third has a virus in it."""

    host: Host
    world: Host
    clean: list[str] = field(default_factory=list)
    infected: list[str] = field(default_factory=list)

    def more(self, count: int) -> None:
        for number in range(count):
            mark, text = message(FOO, attached=EICAR if number % 3 == 1 else b"an ordinary file")
            (self.infected if number % 3 == 1 else self.clean).append(mark)
            send(self.world, text, FOO)

    def arrived(self) -> list[str]:
        return [mark for mark, paths in traffic.places(self.host, self.clean).items() if paths]

    def waits(self) -> None:
        """All of it is taken in, and none of what is not checked yet goes further."""
        until(lambda: traffic.queue(self.world) == 0, "the world has handed over all it has")
        until(lambda: "deferred" in self.host.run("postqueue -j", check=False).stdout, "Postfix keeps what is left")
        self.sound()

    def sound(self) -> None:
        """Each letter that arrived was looked at; no virus did."""
        found = traffic.places(self.host, [*self.clean, *self.infected])
        assert [mark for mark in self.infected if found[mark]] == []
        for mark in self.clean:
            assert len(found[mark]) <= 1, f"twice: {found[mark]}"
            assert all(scanned(read(self.host, path)) for path in found[mark]), mark

    def complete(self) -> None:
        """Nothing is lost: every clean letter once, every virus held."""
        until(lambda: len(self.arrived()) == len(self.clean), "every clean letter arrives", 90)
        until(lambda: all(held(self.host, mark) for mark in self.infected), "every virus is held")
        settled(self.host, self.world)
        self.sound()


@pytest.fixture
def flow(impatient: Host, world: Host) -> Traffic:
    return Traffic(impatient, world)


def down(host: Host, unit: str, how: str) -> None:
    sockets = "clamav-daemon.socket " if unit == "clamav-daemon" else ""
    host.run(f"systemctl {how} {sockets}{unit}.service")


@pytest.mark.parametrize("unit", ["clamav-daemon", "amavis"])
def test_killed_stopped_and_started_in_the_middle_of_traffic(flow: Traffic, unit: str) -> None:
    flow.more(7)
    flow.host.run(f"systemctl kill --signal=KILL {unit}.service")
    flow.more(4)
    down(flow.host, unit, "stop")
    before = len(flow.arrived())
    flow.more(5)
    flow.waits()
    assert len(flow.arrived()) < len(flow.clean) and len(flow.arrived()) >= before
    down(flow.host, unit, "start")
    flow.more(4)
    flow.complete()


def test_workers_killed_with_a_message_in_their_hands(flow: Traffic) -> None:
    """SpamAssassin lives in Amavis's workers: it dies with them."""
    for _ in range(4):
        flow.more(5)
        flow.host.run("pkill -9 -P $(systemctl show -P MainPID amavis)", check=False)
    flow.complete()


BREAKS = {
    "a rule that dies": (
        "printf 'loadplugin Broken /etc/spamassassin/broken.pm\\nbody BROKEN eval:broken()\\n' > /etc/spamassassin/zz.cf; "
        "printf 'package Broken; use base Mail::SpamAssassin::Plugin; sub new { die qq{broken} } 1;' > /etc/spamassassin/broken.pm",
        "rm -f /etc/spamassassin/zz.cf /etc/spamassassin/broken.pm",
    ),
    "no plugin that checks": (
        "sed -i 's/^loadplugin Mail::SpamAssassin::Plugin::Check/#&/' /etc/spamassassin/v320.pre",
        "sed -i 's/^#loadplugin Mail::SpamAssassin::Plugin::Check/loadplugin Mail::SpamAssassin::Plugin::Check/' "
        "/etc/spamassassin/v320.pre",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_spamassassin_broken(flow: Traffic, name: str) -> None:
    """Without its rules it has no verdict: the mail waits, or is judged without the broken one; it never passes unseen."""
    done, back = BREAKS[name]
    flow.more(3)
    flow.host.run(f"{done}; systemctl restart amavis", check=False)
    try:
        until(lambda: flow.host.run("ss -Hltn sport = :10024").stdout, "Amavis listens")
        flow.more(5)
        until(lambda: traffic.queue(flow.world) == 0, "the world has handed over all it has")
        until(lambda: "active" not in flow.host.run("postqueue -j").stdout, "each was tried")
        flow.sound()
    finally:
        flow.host.run(f"{back}; systemctl restart amavis")
    flow.complete()
