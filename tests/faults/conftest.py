"""The suite that looks for the next fault: `make faults` runs its long form, `make test` the short one."""

import os
from collections.abc import Callable

import pytest

from lab.names import DEFAULT_SUITE, SUITES
from tests.faults import figures
from tests.live.conftest import first, mailserver, no_mail, server, target  # noqa: F401 - fixtures

LONG = os.environ.get("MAILROOM_FAULTS") == "long"
# The short form attacks Debian 13 alone, but for what differs between the two: how each comes back to life.
ON_BOTH = ("test_revival",)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    other = [item for item in items if not LONG and _elsewhere(item)]
    items[:] = [item for item in items if item not in other]
    config.hook.pytest_deselected(items=other)


def _elsewhere(item: pytest.Item) -> bool:
    """A test of this suite on another release than the lab's own."""
    ours = item.path.parent.name == "faults" and item.path.stem not in ON_BOTH
    parameters = getattr(getattr(item, "callspec", None), "params", {}).values()
    return ours and any(suite in parameters for suite in SUITES if suite != DEFAULT_SUITE)


@pytest.fixture
def long() -> bool:
    """Whether this is `make faults`: some thousand messages and every boundary, where `make test` takes a few."""
    return LONG


@pytest.fixture
def count() -> Callable[..., None]:
    """`figures.count`: a row for the report. Count first, assert afterwards, so that the report has what failed."""
    return figures.count
