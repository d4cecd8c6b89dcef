"""make's own words: they fit into 80 columns, name what exists, and lead on."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def make(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Without `make`'s own variables, which a test run by `make check` would hand on."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MAILROOM", "MFLAGS"))}
    words = ("make", "--no-print-directory", "--assume-old=.venv/.installed", *words)
    return subprocess.run(words, cwd=ROOT, env=kept | environment, capture_output=True, text=True, check=False)


def test_the_list_fits_into_80_columns() -> None:
    lines = make().stdout.splitlines()
    assert len(lines) > 12 and max(map(len, lines)) <= 80, max(lines, key=len)


@pytest.mark.parametrize("target", ["up", "mailserver"])
def test_a_line_a_step_or_all_that_pyinfra_says(target: str) -> None:
    deploy = "dovecot" if target == "up" else "mailserver"
    told = make("--dry-run", target).stdout
    assert f"python -m deploys {deploy}" in told and "checks --short" in told and "pyinfra inventory.py" not in told
    assert "make notebooks" in (last := told.splitlines()[-1]) and "ssh -F" in last  # what to do next
    loud = make("--dry-run", target, "V=1").stdout
    assert f"pyinfra inventory.py deploys/{deploy}.py -y" in loud and "--short" not in loud
    assert make("--dry-run", target, "V=0").stdout == told


@pytest.mark.parametrize("target", ["up", "mailserver", "upgrade"])
def test_it_does_not_build_the_operators_own_server(target: str) -> None:
    done = make(target, MAILROOM_INVENTORY="inventories/production.example.py")
    assert done.returncode and "nothing was changed" in done.stderr and "unset MAILROOM_INVENTORY" in done.stderr
    assert not done.stdout and max(map(len, done.stderr.splitlines())) <= 80
