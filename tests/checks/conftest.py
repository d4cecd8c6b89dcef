"""The server that the live tests build, for the checks to look at."""

from tests.live.conftest import server  # noqa: F401 - a fixture
