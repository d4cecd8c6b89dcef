"""Odd mail: delivered to the byte, or refused while the sender waits. Never taken and then lost, altered, or sent back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from checks.engine.target import Target
from lab import Host
from tests.faults import mailboxes, odd_attached, odd_bodies, odd_envelopes, odd_generated, odd_heads, signing
from tests.faults.doorstep import Odd, fate, held, split
from tests.faults.doorstep import mailboxes as all_mail
from tests.faults.odd import CASES, LINE, Case, mail
from tests.live import traffic

assert odd_bodies and odd_heads and odd_attached  # each brings its cases
SHOWN = 40  # of what is wrong: the next run shows the rest
WAYS = {None: "port 25", 0: "submission"}
# What a submission server may write anew: addresses without a domain are completed, and a field of addresses is folded (RFC 6409, 8).
FINISHED = ("a list of 2,000 recipients in the head", "Errors-To, Apparently-To and others of old")
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
    kept = held(host)
    found = {one.name: fate(one, copies.get(one.helo, []), one.helo in kept) for one in letters}
    told = copies.get("", [])
    if len(told) > sum(how.startswith("held") for how in found.values()):  # their readers are told
        found["to our own people, by ourselves"] = f"altered: {len(told)} letters of ours, {told[0][1][:500]!r}"
    traffic.settled(host, world)
    if told_out := traffic.mail_out_there(world):
        found["to the senders"] = f"altered: {len(told_out)} letters: {traffic.read(world, told_out[0])[:1500]}"
    return found


def counted(count: Callable[..., None], name: str, suite: str, found: dict[str, str]) -> None:
    """A row for the report, and a failure for what is neither identical nor refused."""
    kinds = list(found.values())
    wrong = {name: how for name, how in found.items() if how not in ("identical", "refused", "held")}
    figures = {kind: kinds.count(kind) for kind in ("identical", "refused")}
    name += f", {kinds.count('held')} of them held" if "held" in kinds else ""
    count("odd mail", name, suite, tried=len(found), altered=len(wrong), **figures)
    assert not wrong, "\n".join(f"{name}: {how}" for name, how in list(wrong.items())[:SHOWN])


def chosen(long: bool) -> list[str]:
    """All of them; every eighth in `make test`."""
    return [name for number, name in enumerate(CASES) if long or number % 8 == 0]


@pytest.mark.parametrize("account", WAYS, ids=WAYS.values())
def test_by_hand(
    account: int | None, mailserver: Host, world: Host, target: Target, long: bool, count: Callable[..., None]
) -> None:
    sender = "alice@example.net" if account is None else target.account(0)[0]
    names = [name for name in chosen(long) if account is None or name not in FINISHED]
    letters = [Odd(name, CASES[name], sender=sender, account=account) for name in names]
    found = fates(target, mailserver, world, letters)
    counted(count, f"{WAYS[account]}, by hand", mailserver.suite, found)


@pytest.mark.parametrize("account", WAYS, ids=WAYS.values())
def test_by_generator(
    account: int | None, mailserver: Host, world: Host, target: Target, long: bool, count: Callable[..., None]
) -> None:
    sender = "alice@example.net" if account is None else target.account(0)[0]
    made = odd_generated.letters(300 if long else 25)  # MIME that two programs read in two ways may be held
    if account is not None:
        made = [odd_generated.finished(one) for one in made]
    letters = [Odd(f"letter {n}", Case(data, held=True), sender=sender, account=account) for n, data in enumerate(made)]
    counted(count, f"{WAYS[account]}, by generator", mailserver.suite, fates(target, mailserver, world, letters))


def test_envelopes(mailserver: Host, world: Host, target: Target, count: Callable[..., None]) -> None:
    found = fates(target, mailserver, world, odd_envelopes.letters())
    counted(count, "envelopes", mailserver.suite, found)


def test_as_large_as_may_be(
    mailserver: Host, world: Host, target: Target, long: bool, count: Callable[..., None]
) -> None:
    """Our own hops add their lines: a letter that was just small enough at the door still is, behind it."""
    limit = int(mailserver.run("postconf -h message_size_limit").stdout)
    sizes = [limit - 5_000, limit - 1_000, limit - 300, limit, limit + 1] if long else [limit - 300]
    text = mail()
    line = b"z" * 76 + LINE
    letters = []
    for size in sizes:
        left = size - len(text)
        body = line * (left // len(line) - 1)
        body += b"z" * (left - len(body) - 2) + LINE
        letters.append(Odd(f"{size - limit} bytes above the limit", Case(text + body)))
    counted(count, "as large as may be", mailserver.suite, fates(target, mailserver, world, letters))


def test_signatures_hold(mailserver: Host, world: Host, target: Target, count: Callable[..., None]) -> None:
    """DKIM, S/MIME and PGP/MIME, made and judged by programs that are not ours, on the letter as it stands in the mailbox."""
    made = {f"DKIM, {method}": signing.dkim(mailserver, world, method) for method in signing.METHODS}
    made |= {f"S/MIME, {how}": signing.smime(mailserver, how) for how in ("encrypted", "signed")}
    gpg = signing.Gpg() if shutil.which("gpg") else None
    if gpg:
        made |= {"PGP/MIME, signed": gpg.signed(), "PGP/MIME, encrypted": gpg.encrypted()}
    letters = [Odd(name, Case(data)) for name, data in made.items()]
    by_name = {one.helo: one.name for one in letters}
    found = fates(target, mailserver, world, letters)
    delivered = {by_name[helo]: whole for whole in all_mail(mailserver) if (helo := split(whole)[0]) in by_name}
    counted(count, "signed and encrypted", mailserver.suite, found)
    for method in signing.METHODS:
        assert signing.dkim_verdict(mailserver, delivered[f"DKIM, {method}"]) == "pass"
        changed = delivered[f"DKIM, {method}"].replace(b"From here on", b"From there on")
        assert signing.dkim_verdict(mailserver, changed).startswith("fail")
    assert "successful" in signing.smime_verdict(mailserver, delivered["S/MIME, signed"])
    assert all(b"UNCHECKED" not in whole for whole in delivered.values())
    if gpg:
        gpg.verify(delivered["PGP/MIME, signed"])
        gpg.close()
