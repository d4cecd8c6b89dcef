"""Letters of ours to a sender whom a stranger names: asked for in every spelling, on every road that an alias opens."""

from collections.abc import Callable

import pytest

from lab import Host
from tests.live import stranger, traffic
from tests.live.stranger import bring, mark, raw
from tests.live.test_strangers import FOO, REPORTS, WAYS, rows  # noqa: F401 - a fixture

ROADS = ("foo", "gone", "outside", "foo+x")


@pytest.mark.usefixtures("rows")
def test_no_letter_comes_of_it(mailserver: Host, world: Host, long: bool, count: Callable[..., None]) -> None:
    """Neither made here, nor brought to anybody out there."""
    begun, tried = stranger.since(mailserver), 0
    for road in ROADS if long else ROADS[:2]:
        for way in WAYS:
            for report in REPORTS[: 2 if long else 1]:
                bring(mailserver, raw(mark()), way.format(to=FOO.replace("foo", road), report=report))
                tried += 1
    traffic.settled(mailserver, world, patience=400)
    made = stranger.log(mailserver, begun, "sender (non-)?delivery (notification|status)|to=<victim@")
    there = traffic.mail_out_there(world)
    count(
        "attacks",
        "letters to a forged sender",
        mailserver.suite,
        tried=tried,
        refused=tried - len(made),
        got_in=len(made) + len(there),
    )
    assert not made and not there, (made, there)
