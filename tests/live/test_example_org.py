"""The values of the example inventory and of docs/your-own-server.md, taken literally: example.org, and one account there."""

import json
from pathlib import Path

import pytest

import checks
from checks.engine import inventory
from lab import Host
from tests.live.support import MAILSERVER, ON_ONE, ON_ONE_WITH_WORLD, ROOT, WHOLE, applied

INVENTORY = """
import runpy
example = runpy.run_path("{root}/inventories/production.example.py")["mail"][0][1]
literal = {{key: example[key] for key in ("mail_domains", "mail_users", "mail_aliases")}}
literal |= {{"mta_sts": None, "autoconfig": False}}  # the world leads no names of that domain here
mail = [
    (name, data | literal | {{"accounts_file": "{accounts}"}})
    for name, data in runpy.run_path("{root}/inventories/lab.py")["mail"]
]
"""


@ON_ONE
def test_every_check_of_the_shorter_server_passes(server: Host, literal: None) -> None:
    all_pass(WHOLE, at_least=130)


@ON_ONE_WITH_WORLD
def test_every_check_of_the_whole_series_passes(mailserver: Host, literal: None) -> None:
    all_pass(MAILSERVER, at_least=190)


@pytest.fixture
def literal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inventory is the lab's, with these values."""
    accounts, own = tmp_path / "accounts.json", tmp_path / "own.py"
    accounts.write_text(json.dumps({"foo@example.org": "a good password, or so"}))
    accounts.chmod(0o600)
    own.write_text(INVENTORY.format(root=ROOT, accounts=accounts))
    monkeypatch.setenv("MAILROOM_INVENTORY", str(own))


def all_pass(deploy: str, at_least: int) -> None:
    try:
        applied(deploy, "--data", "prune_accounts=true")
        results = checks.run(inventory.target())
        assert not [(one.id, one.evidence) for one in results if one.verdict == "fail"]
        assert len([one for one in results if one.verdict == "pass"]) >= at_least
        assert not [one.title for one in results if "bar" in one.title.split()]
    finally:
        applied(deploy, "--data", "prune_accounts=true", MAILROOM_INVENTORY="")
