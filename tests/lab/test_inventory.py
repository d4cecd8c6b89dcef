"""inventory.py: the lab by default, another file on request, and a sentence where there is nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import paramiko
import pytest

from lab import names


def pyinfra(inventory: str = "inventory.py", *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pyinfra", inventory, *(words or ["debug-inventory"])]
    everything = os.environ | environment
    return subprocess.run(command, cwd=names.ROOT, env=everything, capture_output=True, text=True, check=False)


def test_no_lab_is_one_sentence(tmp_path: Path) -> None:
    done = pyinfra(MAILROOM_LAB_DIR=str(tmp_path / "none"))
    assert done.returncode == 1
    assert "Run `make up`" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = pyinfra(MAILROOM_INVENTORY=str(tmp_path / "mine.py"))
    assert done.returncode == 1
    assert "there is no such file" in done.stdout + done.stderr


def test_ones_own_file_is_used(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text('mail = [("one.example.org", {"ssh_port": 2222})]\n')
    done = pyinfra(MAILROOM_INVENTORY=str(tmp_path / "mine.py"))
    assert done.returncode == 0 and "one.example.org" in done.stdout + done.stderr


def test_the_example_for_production_loads(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    paramiko.ECDSAKey.generate().write_private_key_file(str(tmp_path / ".ssh/id_ed25519"))
    done = pyinfra(MAILROOM_INVENTORY="inventories/production.example.py", HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "mail.example.org" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (None, "a file that is not there"),
        ("ssh-ed25519 AAAA ann@home", "that is no private key"),
        ("", "no private key"),
    ],
)
def test_a_key_that_is_none_is_one_sentence(tmp_path: Path, key: str | None, says: str) -> None:
    """Without it pyinfra would connect, and end in a traceback."""
    if key is not None:
        (tmp_path / "key").write_text(key)
    (tmp_path / "mine.py").write_text(f'mail = [("one.example.org", {{"ssh_key": "{tmp_path / "key"}"}})]\n')
    done = pyinfra("inventory.py", "--dry", "deploys/dovecot.py", MAILROOM_INVENTORY=str(tmp_path / "mine.py"))
    said = done.stdout + done.stderr
    assert done.returncode == 1 and "Traceback" not in said
    assert "one.example.org: ssh_key = " in said and says in said and "Nothing was changed" in said


def test_a_workshop_names_the_hosts_it_misses(tmp_path: Path) -> None:
    done = pyinfra(MAILROOM_INVENTORY="inventories/workshop.py", MAILROOM_LAB_DIR=str(tmp_path / "none"))
    assert done.returncode == 1 and "Run `make up`" in done.stdout + done.stderr


@pytest.mark.live
def test_the_labs_mail_hosts_and_no_other(own_lab: Path) -> None:
    assert subprocess.run([sys.executable, "-m", "lab", "up"], cwd=names.ROOT, check=False).returncode == 0
    done = pyinfra(MAILROOM_INVENTORY="")
    assert "[mx1]" in done.stdout + done.stderr and "[client]" not in done.stdout + done.stderr
    for secret in json.loads((own_lab / "accounts.json").read_text()).values():
        assert secret not in done.stdout + done.stderr
    command = [sys.executable, "-m", "pyinfra", "inventory.py", "exec", "--", "hostname", "--fqdn"]
    ran = subprocess.run(command, cwd=names.ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0 and "mx1.example.test" in ran.stdout + ran.stderr
    done = pyinfra(MAILROOM_INVENTORY="inventories/workshop.py")
    assert "python -m lab add ada ben --role mail" in done.stdout + done.stderr
