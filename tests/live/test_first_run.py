"""The whole run on a bare host, and what is left to do after it: nothing."""

from lab import Host
from tests.live.support import WHOLE, applied
from tests.live.watching import Watched


def test_twice_is_once(first: Watched, server: Host) -> None:
    """Said by a run, which makes two remote commands, and by a prediction."""
    assert first.run.changes and first.run.changes > 40
    second = applied(WHOLE, "--debug")
    assert (second.changes, second.operations, second.commands) == (0, first.run.operations, 2), second.changed
    predicted = applied(WHOLE, "--dry").output
    assert "Detected changes:" in predicted and "1 (mx1)" not in predicted
