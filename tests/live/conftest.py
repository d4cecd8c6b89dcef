"""A mail server on a lab host, built once for a session and a release."""

from collections.abc import Callable

import pytest

from lab import Host
from tests.live.support import WHOLE, applied

_built: set[str] = set()


@pytest.fixture
def server(mx: Host) -> Host:
    """A mail host with the whole deploy on it."""
    if mx.suite not in _built:
        applied(WHOLE)
        _built.add(mx.suite)
    return mx


@pytest.fixture
def as_it_was(server: Host) -> Callable[[], None]:
    """Put the server back by deploying again: what a test broke, the deploy mends."""
    return lambda: assert_mended()


def assert_mended() -> None:
    applied(WHOLE)
    assert applied(WHOLE).changes == 0
