"""TLS as a scanner sees it that is not ours: on each port, nothing weak is agreed to."""

from collections.abc import Callable

import pytest

from checks.engine.target import Target
from lab import Host
from tests.faults import scanner

GATE = 25  # what a server on 25 cannot have, it does without TLS: there only the broken suites are refused


@pytest.mark.parametrize("port", (25, 587, 465, 143, 993, 4190))
def test_a_scanner_is_offered_nothing_weak(
    mailserver: Host, target: Target, port: int, count: Callable[..., None]
) -> None:
    tried, taken = scanner.judged(scanner.scanned(target, port), strict=port != GATE)
    count("attacks", f"TLS scan, {port}", mailserver.suite, tried=tried, refused=tried - len(taken), got_in=len(taken))
    assert not taken, "\n".join(taken)
