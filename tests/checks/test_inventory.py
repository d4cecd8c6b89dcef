"""One target, made from the inventory's data, for everybody who asks the server."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import checks
from checks import __main__ as cli
from checks.engine import inventory as engine
from checks.engine.target import Target
from checks.engine.verdicts import CannotStart, Skipped
from notebooks.workbench.host import where
from notebooks.workbench.step import steps
from postmaster import __main__ as postmaster

OWN = {
    "tls_certificate": "/srv/tls/example.org.crt",
    "tls_key": "/srv/tls/private/example.org.key",
    "mail_home": "/srv/post",
    "mail_owner": "postbox",
}


def inventory(folder: Path, monkeypatch: pytest.MonkeyPatch, **data: object) -> None:
    """MAILROOM_INVENTORY names one server with this data, and no lab is up."""
    for which, held in (("accounts", {"foo@example.org": "sentinel"}), ("secrets", {"mailreader": "sentinel"})):
        (folder / f"{which}.json").write_text(json.dumps(held))
        data[f"{which}_file"] = str(folder / f"{which}.json")
    data |= {"mail_domains": ["example.org"], "mail_users": [{"email": "foo@example.org", "name": "Foo"}]}
    (folder / "own.py").write_text(f"mail = {[('mx', {'mail_hostname': 'mail.example.org', **data})]!r}\n")
    monkeypatch.setenv("MAILROOM_INVENTORY", str(folder / "own.py"))
    monkeypatch.setenv("MAILROOM_LAB_DIR", str(folder))
    monkeypatch.setattr(where, "_now", [])


def command_line(*arguments: str) -> checks.Target:
    return cli.target_of(cli.parser().parse_args(arguments))


@pytest.mark.parametrize(
    "ask",
    [
        checks.lab_target,
        command_line,
        lambda: postmaster.target_of(postmaster.parser().parse_args(["quarantine"])),
        lambda: where.use("mx").target(),
    ],
    ids=["checks.run", "python -m checks", "postmaster", "notebooks"],
)
def test_a_server_is_asked_at_its_own_place(
    ask: Callable[[], checks.Target], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory(tmp_path, monkeypatch, ssh_hostname="192.0.2.25", ssh_port=2222, **OWN)
    target = ask()
    assert (target.hostname, target.domain, target.address) == ("mail.example.org", "example.org", "192.0.2.25")
    assert {
        "tls_certificate": target.certificate,
        "tls_key": target.key,
        "mail_home": target.mail_home,
        "mail_owner": target.mail_owner,
    } == OWN
    assert (target.ssh_host, target.via) == ("mx", "direct") and target.ssh_config
    assert "  HostName 192.0.2.25\n  Port 2222\n" in target.ssh_config.read_text()
    assert "sentinel" not in repr(target)


def test_the_runbook_looks_for_the_key_where_the_inventory_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory(tmp_path, monkeypatch, ssh_hostname="192.0.2.25", **OWN)
    where.use("mx")
    assert f"rights {OWN['tls_certificate']} {OWN['tls_key']}" in steps.find("postfix.certificate").now


def test_the_lab_is_asked_from_its_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = {"name": "mx", "fqdn": "mx.example.test", "address": "198.18.0.10", "role": "mail", "ssh_port": 2222}
    client = host | {"name": "client", "fqdn": "client.example.net", "role": "client"}
    (tmp_path / "lab.json").write_text(json.dumps({"hosts": {"mx": host, "client": client}}))
    inventory(tmp_path, monkeypatch, ssh_hostname="127.0.0.1", ssh_port=2222)
    target = checks.lab_target()
    assert (target.address, target.via, target.helo) == ("198.18.0.10", "client", "client.example.net")
    assert target.account(0)[0] == target.account(1)[0] == "foo@example.org"
    assert checks.lab_target(via="direct").via == "direct"
    with pytest.raises(CannotStart, match="no mail host mx9; it has mx"):
        checks.lab_target("mx9")


def test_a_server_in_no_inventory_is_told_by_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILROOM_INVENTORY", str(tmp_path / "none.py"))
    flags = {
        "mail_home": "--mail-home",
        "mail_owner": "--mail-owner",
        "tls_certificate": "--certificate",
        "tls_key": "--key",
    }
    told = [word for name, flag in flags.items() for word in (flag, OWN[name])]
    target = command_line("--hostname", "mail.example.org", *told)
    assert (target.mail_home, target.mail_owner) == (OWN["mail_home"], OWN["mail_owner"])
    assert (target.certificate, target.key) == (OWN["tls_certificate"], OWN["tls_key"])
    assert command_line("--hostname", "mail.example.org").mail_home == "/home/mail"
    with pytest.raises(CannotStart, match=r"no such file\. A server that is in no inventory is named with --hostname"):
        command_line()


def test_it_is_read_again_when_a_file_that_decides_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own file, and the data of all servers (group_data)."""
    inventory(tmp_path, monkeypatch, ssh_hostname="192.0.2.25")
    monkeypatch.setattr(engine, "ROOT", tmp_path)
    (tmp_path / "group_data").mkdir()
    read: list[object] = []

    def listed(files: object) -> dict[str, object]:
        read.append(files)
        return {}

    monkeypatch.setattr(engine, "_listed", listed)
    for file in (tmp_path / "own.py", tmp_path / "group_data/all.py", tmp_path / "group_data/mail.py"):
        engine.servers()
        file.write_text("tls_key = '/srv/tls/private/another.key'\n")
        os.utime(file, ns=(0, 0))
    engine.servers()
    assert len(set(read)) == len(read) == 4


def test_flags_win_over_the_inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory(tmp_path, monkeypatch, ssh_hostname="192.0.2.25", **OWN)
    (tmp_path / "accounts.json").unlink()
    (tmp_path / "others.json").write_text('{"bar@example.org": "sentinel"}')
    target = command_line("--accounts-file", str(tmp_path / "others.json"), "--mail-owner", "vmail")
    assert (target.account(0)[0], target.mail_owner, target.key) == ("bar@example.org", "vmail", OWN["tls_key"])
    with pytest.raises(CannotStart, match="Cannot read"):
        command_line()


@pytest.mark.parametrize(
    ("domains", "stranger", "elsewhere"),
    [
        (["example.test"], "example.net", "example.org"),
        (["example.org"], "example.net", "example.com"),  # as the example inventory has it
        (["shop.test", "example.org", "example.net"], "example.com", "example.com"),
    ],
)
def test_the_addresses_out_there_are_not_the_servers_own(domains: list[str], stranger: str, elsewhere: str) -> None:
    target = Target("mail.example.org", "192.0.2.25", domains[0], domains=tuple(domains))
    assert (target.stranger, target.elsewhere) == (f"stranger@{stranger}", f"somebody@{elsewhere}")


def test_a_title_says_who_it_was() -> None:
    ann, ben = {"ann@example.org": "a"}, {"ben@example.org": "b"}
    text = "{foo} writes to {bar}"
    for accounts, told in (({}, "foo writes to bar"), (ann, "ann writes to ann"), (ann | ben, "ann writes to ben")):
        assert Target("mail.example.org", "192.0.2.25", "example.org", accounts=accounts).named(text) == told


@pytest.mark.parametrize(
    "check", ["dovecot.mailboxes.own_only", "dovecot.restart.only_to_bar", "sieve.vacation.answers"]
)
def test_what_takes_two_accounts_is_not_proven_by_one(check: str) -> None:
    (one,) = checks.selected([check])
    with pytest.raises(Skipped, match="there is one account"):
        one.function(Target("mail.example.org", "192.0.2.25", "example.org", accounts={"ann@example.org": "a"}))


def test_no_claim_names_an_account_or_a_domain_that_may_be_ours() -> None:
    """Where the operator's domain is example.org, as in the example inventory, such an address would be their own."""
    for check in checks.selected():
        assert not re.search(r"(?<!{)\b(foo|bar)\b", f"{check.title} {check.remedy}"), check.id
    for file in (engine.ROOT / "checks" / "claims").rglob("*.py"):
        found = re.findall(r"\w+@example\.(?:org|net|com)\b", file.read_text())
        assert not {*found} - {"kept@example.org"}, file  # a field that is only carried


def test_the_ssh_settings_of_a_server_go_with_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory(tmp_path, monkeypatch, ssh_hostname="192.0.2.25")
    (tmp_path / "tmp").mkdir()
    words = [sys.executable, "-c", "from checks.engine import inventory; print(inventory.server().ssh_config)"]
    done = subprocess.run(words, env=os.environ | {"TMPDIR": str(tmp_path / "tmp")}, capture_output=True, text=True)
    assert done.stdout.startswith(str(tmp_path / "tmp/mailroom-")), done.stderr
    assert not list((tmp_path / "tmp").iterdir())
