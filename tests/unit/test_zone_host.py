"""What the host says of itself, and a server that is known by its name alone."""

from __future__ import annotations

import json
from argparse import Namespace

import pytest

from checks.engine import inventory
from checks.engine.verdicts import CannotStart
from postmaster.__main__ import main
from postmaster.zone import command, host

FOUR = "198.18.0.25"


@pytest.mark.parametrize(
    ("protocols", "more", "ours"),
    [
        ("all", {}, ("198.18.0.25", "2001:db8::5")),
        ("ipv4", {}, ("198.18.0.25",)),
        ("ipv4, ipv6", {}, ("198.18.0.25", "2001:db8::5")),
        ("ipv6", {}, ("2001:db8::5",)),
        ("all", {"smtp_bind_address": "198.18.0.26"}, ("198.18.0.26", "2001:db8::5")),
    ],
)
def test_mail_leaves_from_the_address_that_postfix_would_take(
    protocols: str, more: dict[str, str], ours: tuple[str, ...]
) -> None:
    found = {"to 192.0.2.1": ["src 198.18.0.25"], "to 2001:db8::1": ["src 2001:db8::5"], "addresses": []}
    settings = {"inet_protocols": protocols, "smtp_bind_address": "", "smtp_bind_address6": ""} | more
    assert host.outward(found, settings) == ours


def test_an_empty_setting_is_read_as_empty() -> None:
    rows = ["myhostname = mail.example.test", "relayhost =", "smtp_bind_address = ", "x = a=b"]
    assert host.read(rows) == {"myhostname": "mail.example.test", "relayhost": "", "smtp_bind_address": "", "x": "a=b"}


def test_without_a_route_the_hosts_own_addresses_are_taken() -> None:
    rows = ["2: eth0    inet 10.0.0.7/24 scope global eth0", "3: eth1    inet 198.18.3.4/24 scope global eth1"]
    settings = {"inet_protocols": "all", "smtp_bind_address": "", "smtp_bind_address6": ""}
    assert host.outward({"to 192.0.2.1": [], "addresses": rows}, settings) == ("198.18.3.4",)
    assert host.outward({"addresses": rows[:1]}, settings) == ("10.0.0.7",)


def test_by_a_name_alone_no_host_is_asked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILROOM_INVENTORY", "/nowhere/at/all.py")
    assert main(["dns", "print", "--hostname", "Mail.Example.org", "--address", FOUR]) == 0
    said = capsys.readouterr().out
    assert f"mail.example.org. 3600 IN A {FOUR}" in said and "example.org. 3600 IN MX 10 mail.example.org." in said
    assert main(["dns", "print", "--hostname", "mail.example.org", "--domain", "example.net", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["domains"] == ["example.net"] and {row["type"] for row in found["records"]} == {
        "PTR",
        "TXT",
        "MX",
        "SRV",
    }
    assert main(["dns", "print", "--hostname", "mail.example.org", "--table"]) == 0
    assert "_submissions._tcp.example.org" in capsys.readouterr().out
    for wrong, why in (
        (["--hostname", "mail"], "no whole name"),
        (["--hostname", "mail.example.org", "--address", "mail.example.org"], "no IP address"),
        (["--hostname", "mail.example.org", "--resolver", "dns"], "no IP address"),
    ):
        assert main(["dns", "check", *wrong]) == 2
        assert why in capsys.readouterr().err


def test_in_the_lab_the_world_is_asked_and_a_lab_without_one_says_so() -> None:
    options = Namespace(resolver="")
    world = {"role": "world", "address": "198.18.3.254", "fqdn": "world.example.net"}
    lab = inventory.Server("mx1", {}, {"hosts": {"mx1": {"role": "mail"}, "world": world}})
    assert command.resolver(options, lab) == "198.18.3.254" and command.elsewhere(lab) == "example.net"
    assert command.resolver(Namespace(resolver="198.18.3.7"), lab) == "198.18.3.7"
    with pytest.raises(CannotStart, match="lab add world"):
        command.resolver(options, inventory.Server("mx1", {}, {"hosts": {"mx1": {"role": "mail"}}}))
