"""A mail server on a lab host, built once for a session and a release."""

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
