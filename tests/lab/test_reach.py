"""What a deploy is told about a lab host."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import inventory_data, reach, state

HOST = {"name": "mx1", "fqdn": "mx1.example.test", "role": "mail", "ssh_port": 20000}


def test_a_world_keeps_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(tmp_path))
    assert inventory_data(HOST)["time_sources"] == [], "no lab at all"
    state.write("lab.json", state.as_json({"hosts": {"mx1": HOST}}))
    assert inventory_data(HOST)["time_sources"] == []
    world = {"name": "world", "fqdn": "world.example.net", "role": "world"}
    state.write("lab.json", state.as_json({"hosts": {"mx1": HOST, "world": world}}))
    assert inventory_data(HOST)["time_sources"] == ["world.example.net"]


def test_the_signature_is_that_of_the_test_file() -> None:
    """Put together here, so that no scanner takes this file for one: https://www.eicar.org/download-anti-malware-testfile/"""
    eicar = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!" + "$H+H*"
    kinds = {line.split(":")[1]: bytes.fromhex(line.split(":")[3]).decode() for line in reach.EICAR}
    assert kinds == {"0": eicar, "3": eicar.lower()} and len(eicar) == 68
