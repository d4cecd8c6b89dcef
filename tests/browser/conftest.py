"""A mail host as it came, for the runbook to begin with."""

from tests.live.conftest import bare  # noqa: F401 - a fixture
