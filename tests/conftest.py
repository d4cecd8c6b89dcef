"""Labs for live tests: one per Debian release under .lab-test/, away from the lab a developer has up.

A test that takes `mx` runs on both releases; `lab_host("bookworm")` is for one alone. A lab comes up
when a first test wants it and goes when the session ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import Host, life, names
from lab import host as host_of

LabHost = Callable[..., Host]
TEST_LABS = os.environ.get("MAILROOM_TEST_LABS", ".lab-test")  # two sessions at once need two
# From the start: no test may ever touch the lab of the person at this machine.
os.environ["MAILROOM_LAB_DIR"] = f"{TEST_LABS}/none"


@pytest.fixture(scope="session")
def labs_up() -> Iterator[dict[str, dict[str, Host]]]:
    """The labs that this session has up: suite -> host name -> host."""
    up: dict[str, dict[str, Host]] = {}
    yield up
    for suite, hosts in up.items():
        for each in hosts.values():
            each.close()
        os.environ["MAILROOM_LAB_DIR"] = f"{TEST_LABS}/{suite}"
        life.purge()
    folder = names.ROOT / TEST_LABS
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


@pytest.fixture
def lab_host(labs_up: dict[str, dict[str, Host]], monkeypatch: pytest.MonkeyPatch) -> LabHost:
    """lab_host("trixie") is mx1 of that release's lab, lab_host("trixie", "client") its stranger.

    For the rest of the test that lab is *the* lab, also for pyinfra and other subprocesses.
    """

    def get(suite: str, name: str = "mx1") -> Host:
        monkeypatch.setenv("MAILROOM_LAB_DIR", f"{TEST_LABS}/{suite}")
        if suite not in labs_up:
            life.purge()  # what a killed session left is not bare
            life.up(dict.fromkeys(names.DEFAULT_HOSTS, suite), suite)
            labs_up[suite] = {}
        hosts = labs_up[suite]
        if name not in hosts:
            hosts[name] = host_of(name)
        return hosts[name]

    return get


@pytest.fixture(params=names.SUITES)
def mx(request: pytest.FixtureRequest, lab_host: LabHost) -> Host:
    """The mail host, once on each Debian release."""
    return lab_host(request.param)


@pytest.fixture
def client(mx: Host, lab_host: LabHost) -> Host:
    """The stranger beside that mail host."""
    return lab_host(mx.suite, "client")


@pytest.fixture
def own_lab(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A lab for this test alone, down at first, that it may take apart."""
    monkeypatch.setenv("MAILROOM_LAB_DIR", f"{TEST_LABS}/{request.node.name}")
    life.purge()
    yield names.directory()
    monkeypatch.setenv("MAILROOM_LAB_DIR", f"{TEST_LABS}/{request.node.name}")
    life.purge()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs a lab is live, whoever forgot to say so."""
    for item in items:
        if {"mx", "client", "lab_host", "own_lab"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.live)
