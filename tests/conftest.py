"""Labs for live tests: one per Debian release under .lab-test-1/, away from the lab a developer has up.

A test that takes `mx` runs on both releases; `lab_host("bookworm")` is for one alone. `world_mx`, `world_client` and
`world` are hosts of another lab of that release, with the Internet in it. A lab comes up when a first test wants it
and goes when the session ends.
"""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lab import Host, life, names
from lab import host as host_of

LabHost = Callable[..., Host]
# From the start: no test may ever touch the lab of the person at this machine.
os.environ["MAILROOM_LAB_DIR"] = ".lab-test-none"


@pytest.fixture(scope="session")
def labs_folder() -> Iterator[Path]:
    """The folder of this session's labs: the first that no other session holds, whatever a dead one left."""
    for number in itertools.count(1):
        folder = names.ROOT / f".lab-test-{number}"
        folder.mkdir(exist_ok=True)
        with (folder / "lock").open("w") as lock, suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            purge_all(folder)
            yield folder
            purge_all(folder)
            return


def purge_all(folder: Path) -> None:
    for each in [path for path in folder.iterdir() if path.is_dir()]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MAILROOM_LAB_DIR", str(each))
            life.purge()


@pytest.fixture(scope="session")
def connected() -> Iterator[dict[tuple[str, str], Host]]:
    """The hosts that this session talks to, by lab and name."""
    hosts: dict[tuple[str, str], Host] = {}
    yield hosts
    for each in hosts.values():
        each.close()


@pytest.fixture
def lab_host(labs_folder: Path, connected: dict[tuple[str, str], Host], monkeypatch: pytest.MonkeyPatch) -> LabHost:
    """lab_host("trixie") is mx1 of that release's lab, lab_host("trixie", "client") its stranger; with world=True, of
    the lab that has a world, and with lab="a name" of another one.

    For the rest of the test that lab is *the* lab, also for pyinfra and other subprocesses.
    """

    def get(suite: str, name: str = "mx1", world: bool = False, lab: str = "") -> Host:
        lab = lab or (f"{suite}-world" if world else suite)
        monkeypatch.setenv("MAILROOM_LAB_DIR", str(labs_folder / lab))
        if not (labs_folder / lab).exists():
            life.up(dict.fromkeys([*names.DEFAULT_HOSTS, *([names.WORLD] if world else [])], suite), suite)
        if (lab, name) not in connected:
            connected[lab, name] = host_of(name)
        return connected[lab, name]

    return get


@pytest.fixture(params=names.SUITES)
def mx(request: pytest.FixtureRequest, lab_host: LabHost) -> Host:
    """The mail host, once on each Debian release."""
    return lab_host(request.param)


@pytest.fixture
def client(mx: Host, lab_host: LabHost) -> Host:
    """The stranger beside that mail host."""
    return lab_host(mx.suite, "client")


@pytest.fixture(params=names.SUITES)
def world_mx(request: pytest.FixtureRequest, lab_host: LabHost) -> Host:
    """The mail host of a lab with a world, once on each Debian release."""
    return lab_host(request.param, world=True)


@pytest.fixture
def world(world_mx: Host, lab_host: LabHost) -> Host:
    """The world beside that mail host; record["clients"] names its people's addresses."""
    return lab_host(world_mx.suite, names.WORLD, world=True)


@pytest.fixture
def world_client(world_mx: Host, lab_host: LabHost) -> Host:
    """The stranger beside that mail host."""
    return lab_host(world_mx.suite, "client", world=True)


@pytest.fixture
def own_lab(request: pytest.FixtureRequest, labs_folder: Path) -> Iterator[Path]:
    """A lab for this test alone, down at first, that it may take apart."""
    folder = labs_folder / request.node.name
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILROOM_LAB_DIR", str(folder))
        yield folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILROOM_LAB_DIR", str(folder))
        life.purge()


# What asks a program of ours, or one that stands outside, and hears the same whatever release the mail host has. `make test` asks it on
# Debian 13 alone, `make whole` on both.
ONCE = {
    *(
        "test_alone",
        "test_big_receiver",
        "test_card",
        "test_certificate_dns",
        "test_discovery",
        "test_dns",
        "test_finished",
    ),
    *(
        "test_neomutt",
        "test_passport",
        "test_postmaster",
        "test_relayhost",
        "test_reports",
        "test_rotation",
        "test_thunderbird",
    ),
    *("test_judge", "test_live", "test_world"),
}
WHOLE = os.environ.get("MAILROOM_TESTS") == "whole"
# What takes longest begins first, so that no worker sits at it alone in the end; each of these is a group (see below).
LONGEST = ("notebooks/test_live", "trixie-world", "bookworm-world", "trixie", "bookworm", "live/test_el9")


@pytest.hookimpl(wrapper=True)  # around the others: xdist reads the groups in its own
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Whatever needs a lab is live, whoever forgot to say so. With several workers, a lab's tests stay with one."""
    for item in items:
        if {"mx", "client", "lab_host", "own_lab"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.live)
    if not WHOLE:
        other = [item for item in items if twice(item)]
        items[:] = [item for item in items if item not in other]
        config.hook.pytest_deselected(items=other)
    if hasattr(config, "workerinput"):
        for item in items:
            if "own_lab" not in getattr(item, "fixturenames", ()):  # those may run anywhere
                item.add_marker(pytest.mark.xdist_group(group(item)))
        items.sort(key=place)
    yield


def twice(item: pytest.Item) -> bool:
    """Whether this is the other release's turn of a test that is worth one."""
    parameters = getattr(getattr(item, "callspec", None), "params", {}).values()
    return item.path.stem in ONCE and any(suite in parameters for suite in names.SUITES if suite != names.DEFAULT_SUITE)


def place(item: pytest.Item) -> tuple[int, int]:
    """Where a test stands among the others: its group, and in it what wants a bare host before what breaks it."""
    number = LONGEST.index(group(item)) if group(item) in LONGEST else len(LONGEST)
    if item.path.stem in ("test_guest", "test_mailserver", "test_first_run", "test_secrets"):
        return number, 0
    if item.path.parent.name == "faults":
        return number, 3
    if item.path.stem == "test_live":  # a walk over a server that the others have looked at
        return number, 4
    if item.path.stem == "test_upgrade":  # it is of another release afterwards
        return number, 5
    return number, 2 if "bare" in getattr(item, "fixturenames", ()) else 1


@pytest.hookimpl(optionalhook=True)  # xdist's
def pytest_xdist_node_collection_finished(ids: list[str]) -> None:
    if ids and not any("@" in one for one in ids):
        pytest.exit("workers without groups would build everything twice: see `make test` and pyproject.toml", 1)


def group(item: pytest.Item) -> str:
    """What has to run in one worker, in the order it was collected: what shares a lab, or else the tests of a file.

    Each worker is a session with labs of its own, so a server is built once for each group rather than in each worker.
    """
    fixtures, parameters = getattr(item, "fixturenames", ()), getattr(getattr(item, "callspec", None), "params", {})
    if "world_mx" in parameters:
        return f"{parameters['world_mx']}-world"
    if "mx" in parameters:
        return str(parameters["mx"])
    file = item.path.relative_to(Path(__file__).parent).with_suffix("").as_posix()
    return names.DEFAULT_SUITE if "lab_host" in fixtures and file not in LONGEST else file
