"""The server that the live tests build, for the checks to look at."""

from tests.live.conftest import first, mailserver, server  # noqa: F401 - fixtures
