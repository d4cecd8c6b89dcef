"""The servers that the live tests build, for the runbook to work on."""

from tests.live.conftest import bare, first, mailserver, server  # noqa: F401 - fixtures
