"""Odd mail: delivered to the byte, or refused while the sender waits. Never taken and then lost, altered, or sent back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from checks.target import Target
from lab import Host
from tests.faults import mailboxes, odd_attached, odd_bodies, odd_heads
from tests.faults.doorstep import Odd, fate, split
from tests.faults.doorstep import mailboxes as all_mail
from tests.faults.odd import CASES
from tests.live import traffic

assert odd_bodies and odd_heads and odd_attached  # each brings its cases
pytestmark = pytest.mark.usefixtures("nobody_hears_of_it")


@pytest.fixture
def nobody_hears_of_it(mailserver: Host, world: Host) -> Iterator[None]:
    """Nothing on its way before; nothing sent back to anybody after."""
    traffic.settled(mailserver, world)
    traffic.empty(mailserver, world)
    yield
    traffic.empty(mailserver, world)


def fates(target: Target, host: Host, world: Host, letters: Sequence[Odd]) -> dict[str, str]:
    """What became of each letter, by its name."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: one.bring(target), letters))
    assert mailboxes.drained(host, 300)
    copies: dict[str, list[tuple[list[bytes], bytes]]] = {}
    for whole in all_mail(host):
        helo, above, below = split(whole)
        copies.setdefault(helo, []).append((above, below))
    found = {one.name: fate(one, copies.get(one.helo, [])) for one in letters}
    if told := copies.get("", []):
        found["to our own people, by ourselves"] = f"altered: {len(told)} letters of ours, {told[0][1][:500]!r}"
    traffic.settled(host, world)
    if told_out := traffic.mail_out_there(world):
        found["to the senders"] = f"altered: {len(told_out)} letters: {traffic.read(world, told_out[0])[:1500]}"
    return found


def counted(count: Callable[..., None], name: str, suite: str, found: dict[str, str]) -> dict[str, str]:
    """A row for the report; what is neither identical nor refused."""
    kinds = list(found.values())
    wrong = {name: how for name, how in found.items() if how not in ("identical", "refused")}
    figures = {kind: kinds.count(kind) for kind in ("identical", "refused")}
    count("odd mail", name, suite, tried=len(found), altered=len(wrong), **figures)
    return wrong


def chosen(long: bool) -> list[str]:
    """All of them; every eighth in `make test`."""
    return [name for number, name in enumerate(CASES) if long or number % 8 == 0]


@pytest.mark.parametrize("account", [None, 0], ids=["port 25", "submission"])
def test_by_hand(
    account: int | None, mailserver: Host, world: Host, target: Target, long: bool, count: Callable[..., None]
) -> None:
    sender = "alice@example.net" if account is None else target.account(0)[0]
    letters = [Odd(name, CASES[name], sender=sender, account=account) for name in chosen(long)]
    found = fates(target, mailserver, world, letters)
    wrong = counted(count, "port 25, by hand" if account is None else "submission, by hand", mailserver.suite, found)
    assert not wrong, "\n".join(f"{name}: {how}" for name, how in wrong.items())
