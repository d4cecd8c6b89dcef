"""On a bare host: each step alone, in the article's order, makes the same server as the whole run."""

import pytest

from lab import Host
from tests.live.support import ON_ONE, STEPS, WHOLE, applied, fingerprint, pyinfra


@pytest.mark.slow
@pytest.mark.parametrize("mx", ["bookworm"], indirect=True)
def test_single_steps_equal_the_whole_run(bare: Host) -> None:
    """After the last of the single steps the whole run has nothing to do. On Debian 13 the notebooks do this."""
    for step in STEPS:
        applied(step)
    whole = applied(WHOLE)
    assert whole.changes == 0, whole.changed


@ON_ONE
def test_a_step_without_its_chapter_names_the_step_to_run(bare: Host) -> None:
    before = fingerprint(bare)
    run = pyinfra("deploys.chapters.dovecot.tls")
    assert run.code == 1
    assert "run first: pyinfra inventory.py deploys.chapters.dovecot.install" in run.output
    assert fingerprint(bare) == before
