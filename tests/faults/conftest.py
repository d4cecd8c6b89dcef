"""The suite that looks for the next fault: `make faults` runs its long form, `make test` the short one."""

import os
from collections.abc import Callable

import pytest

from tests.faults import figures
from tests.live.conftest import mailserver, no_mail, server, target  # noqa: F401 - fixtures

LONG = os.environ.get("MAILROOM_FAULTS") == "long"


@pytest.fixture
def long() -> bool:
    """Whether this is `make faults`: some thousand messages and every boundary, where `make test` takes a few."""
    return LONG


@pytest.fixture
def count() -> Callable[..., None]:
    """`figures.count`: a row for the report. Count first, assert afterwards, so that the report has what failed."""
    return figures.count
