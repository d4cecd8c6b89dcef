"""A mail server on a lab host, built once for a session and a release."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from checks import Target, lab_target
from checks.clients.signature import RECORD
from lab import Host, snapshots
from lab.cli import main
from lab.state import path
from tests.live import traffic
from tests.live.support import MAILSERVER, WHOLE, Run, applied
from tests.live.watching import Watched, watched

BUILT = "/root/built"  # on the host itself: it is gone when a test has rewound the host, by whatever road
_first: dict[str, Watched] = {}
_runs: dict[str, Run] = {}


def stands(host: Host) -> bool:
    """Whether this session has built a server on the host, and nobody has taken it away since."""
    return host.run(f"test -e {BUILT}", check=False).returncode == 0


def build(host: Host, deploy: str) -> Run:
    run = applied(deploy)
    host.run(f"touch {BUILT}")
    return run


@pytest.fixture
def first(mx: Host, tmp_path: Path) -> Watched:
    """The run that made the server out of a bare host, once for a session and a release."""
    if mx.suite not in _first:
        snapshots.rewind(mx.name, snapshots.BARE)
        _first[mx.suite] = watched(mx, tmp_path / "preview")
        mx.run(f"touch {BUILT}")
    return _first[mx.suite]


@pytest.fixture
def server(mx: Host, first: Watched) -> Host:
    """A mail host with chapters 1, 2 and 4 on it."""
    if not stands(mx):
        build(mx, WHOLE)
    return mx


@pytest.fixture
def accounts(server: Host) -> Iterator[Callable[..., None]]:
    """accounts(foo="new password") writes accounts.json; it is put back at the end, and the host with it."""
    file = path("accounts.json")
    before = file.read_text()

    def write(**passwords: str) -> None:
        changed = {f"{name}@example.test": password for name, password in passwords.items()}
        file.write_text(json.dumps({**json.loads(before), **changed}))

    yield write
    file.write_text(before)
    applied(WHOLE, "--data", "prune_accounts=true")
    assert applied(WHOLE).changes == 0


@pytest.fixture
def bare(mx: Host) -> Host:
    """A mail host as it came. Whoever wants a server after this test has it built anew."""
    snapshots.rewind(mx.name, snapshots.BARE)
    return mx


@pytest.fixture
def mailserver(world_mx: Host) -> Host:
    """A mail host with the whole series on it, in a lab with a world."""
    first_run(world_mx)
    return world_mx


def first_run(host: Host) -> Run:
    """The run that made the mail server out of a bare host."""
    if not stands(host):
        _runs[host.suite] = build(host, MAILSERVER)
    return _runs[host.suite]


@pytest.fixture
def target(mailserver: Host) -> Iterator[Target]:
    """That mail host as the checks see it, asked from the lab's client."""
    found = lab_target(mailserver.name, "client")
    yield found
    found.close()


@pytest.fixture
def no_mail(mailserver: Host, world: Host) -> None:
    """Nothing on its way and nothing in any mailbox, here or out there: the test counts from nothing."""
    traffic.settled(mailserver, world)
    traffic.empty(mailserver, world)


@pytest.fixture
def published(mailserver: Host, world: Host) -> Iterator[None]:
    """The world's DNS has the record that Amavis shows."""
    ((name, strings),) = RECORD.findall(mailserver.run("amavisd showkeys 2>/dev/null").stdout)
    assert main(["publish", name, "".join(re.findall(r'"([^"]*)"', strings))]) == 0
    yield
    assert main(["publish", name]) == 0
