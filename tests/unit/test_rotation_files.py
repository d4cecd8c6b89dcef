"""What happens to the files of a host when a key is made, signs, and goes: the scripts run as a host runs them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checks.engine.target import Target
from postmaster.keys import hands, state

D = "example.test"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """host(script, …): the script on folders of ours, in the place of the host's; what the system would do is only noted."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("chown", "systemctl", "postqueue", "amavisd"):
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/noted\n')
        (programs / name).chmod(0o755)
    (programs / "ss").write_text("#!/bin/sh\necho LISTEN\n")
    (programs / "ss").chmod(0o755)
    monkeypatch.setattr(hands, "KEYS", str(tmp_path))
    monkeypatch.setattr(hands, "HOLD", hands.HOLD.replace("/run/", f"{tmp_path}/").replace("-w 20", "-w 1"))

    class Local(Target):
        def shell(self, command: str, *, may_fail: bool = False, timeout: float = 15.0) -> str:
            env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
            done = subprocess.run(["sh", "-c", command], env=env, capture_output=True, text=True)
            return done.stdout + done.stderr

    target = Local(hostname=D, address="", domain=D)
    return lambda *words, **more: hands.run(target, *words, **more)


def test_the_scripts_on_files(host: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / D
    folder.mkdir()
    (folder / "signing").write_text("m1 2026-01-01T00:00:00Z\n")
    (folder / "m1.pem").write_text("the first")
    ((_, said),) = host(hands.ROTATE, D)
    made = said.split()[1]
    assert re.fullmatch(r"m\d{8}", made) and (folder / f"{made}.pem").stat().st_mode & 0o777 == 0o640
    assert host(hands.ROTATE, D) == [("there", f"{D} {made}")], "it is made once"
    key = (folder / f"{made}.pem").read_bytes()
    half = subprocess.run(["openssl", "pkey", "-pubout"], input=key, capture_output=True, check=True).stdout.decode()
    half = "".join(half.splitlines()[1:-1])

    for wrong in ((D, "m0", made, half), (D, "m1", made, "other"), (D, "m1", "m9", half)):
        with pytest.raises(hands.Refused, match="have changed since"):
            host(hands.SWITCH, rows=[wrong])
    (tmp_path / "bin/amavisd").write_text("#!/bin/sh\necho no; exit 1\n")
    with pytest.raises(hands.Refused, match="would not start"):
        host(hands.SWITCH, rows=[(D, "m1", made, half)])
    (tmp_path / "bin/amavisd").write_text("#!/bin/sh\n")
    assert (folder / "signing").read_text() == "m1 2026-01-01T00:00:00Z\n"
    said = host(hands.SWITCH, rows=[(D, "m1", made, half)])
    assert said == [("switched", f"{D} {made}"), ("restarted", "")]
    lines = (folder / "signing").read_text().splitlines()
    assert [state.LINE.fullmatch(line)[1] for line in lines] == [made, "m1"]  # type: ignore[index]
    assert lines[1].split()[1:] == ["2026-01-01T00:00:00Z", lines[0].split()[1]]
    assert "systemctl restart amavis" in (noted := (tmp_path / "noted").read_text()) and "postqueue -f" in noted

    ((_, said),) = host(hands.ROTATE, D)
    assert said == f"{D} {made}-2", "a name is not used again"
    with pytest.raises(hands.Refused, match="have changed since"):
        host(hands.RETIRE, rows=[(D, made)])
    assert host(hands.RETIRE, rows=[(D, "m1")]) == [("retired", f"{D} m1")]
    assert sorted(one.name for one in folder.iterdir()) == [f"{made}-2.pem", f"{made}.pem", "signing"]


def test_a_clock_that_was_set_back_and_a_lock_that_is_held(host: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / D
    folder.mkdir()
    (folder / "signing").write_text("m1 2099-01-01T00:00:00Z\n")
    subprocess.run(["openssl", "genrsa", "-out", folder / "m2.pem", "2048"], capture_output=True, check=True)
    half = host("public $keys/*/m2.pem; echo")[0][0]
    with pytest.raises(hands.Refused, match="set back"):
        host(hands.SWITCH, rows=[(D, "m1", "m2", half)])
    (tmp_path / "mailroom.lock").write_text("eve since noon")
    holder = subprocess.Popen(["flock", tmp_path / "mailroom.lock", "sleep", "20"])
    try:
        while subprocess.run(["flock", "-n", tmp_path / "mailroom.lock", "true"]).returncode == 0:
            pass
        with pytest.raises(hands.Refused, match="eve since noon is changing"):
            host(hands.ROTATE, D)
    finally:
        holder.kill()
    assert [one.name for one in folder.glob("*.pem")] == ["m2.pem"]
