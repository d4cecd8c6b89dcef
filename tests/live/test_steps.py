"""On a bare host: each step alone, in the article's order, makes the same server as the whole run; and twice is once."""

import pytest

from lab import Host
from tests.live.support import STEPS, WHOLE, applied, fingerprint, pyinfra


@pytest.mark.slow
def test_single_steps_equal_the_whole_run(bare: Host) -> None:
    """After the last of the single steps the whole run has nothing to do. (Each step twice: tests/notebooks.)"""
    for step in STEPS:
        applied(step)
    whole = applied(WHOLE)
    assert whole.changes == 0, whole.changed


@pytest.mark.slow
def test_twice_is_once(bare: Host) -> None:
    """The whole run on a bare host, and what is left to do after it: nothing, said by a run and by a prediction."""
    first = applied(WHOLE)
    assert first.changes and first.changes > 40
    second = applied(WHOLE)
    assert (second.changes, second.operations) == (0, first.operations), second.changed
    predicted = applied(WHOLE, "--dry").output
    assert "Detected changes:" in predicted and "1 (mx1)" not in predicted


def test_a_step_without_its_chapter_names_the_step_to_run(bare: Host) -> None:
    before = fingerprint(bare)
    run = pyinfra("deploys.chapters.dovecot.tls")
    assert run.code == 1
    assert "run first: pyinfra inventory.py deploys.chapters.dovecot.install" in run.output
    assert fingerprint(bare) == before
