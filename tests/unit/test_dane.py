"""dane: what a run with and without it does, which hosts are refused, and what the desk says of a TLSA record."""

from collections.abc import Callable
from typing import Any

import pytest

from deploys.beside import beside
from deploys.chapters import believed_receivers
from deploys.data import mail_data
from deploys.platforms import PLATFORMS
from deploys.told import Told, by_step, each, told
from facts.mail_host import File, MailHost, Unit, parse
from operations import files, packages, postfix, services
from postmaster.zone import certificate, dane
from postmaster.zone.host import Facts
from tests.unit.inventories import good
from tests.unit.test_acme import MX1, signed

ASK = Callable[..., list[str]]
DEBIAN = PLATFORMS["debian", "13"]


def kept(**values: Any) -> Told:
    known = mail_data(values, MX1, secrets_too=False)
    return by_step(known, DEBIAN, MailHost())["believed.dane"]


def test_by_default_nothing_is_installed_and_what_was_ours_goes(knobs: dict[str, Any]) -> None:
    assert good(knobs).dane is False
    off = kept()
    assert not list(each(off, packages.packages)) and not list(each(off, files.put))
    assert len(list(each(off, postfix.no_overrides))) == 2 and not list(each(off, postfix.overrides))
    gone = {path for given in each(off, services.withdrawn) for path in given["files"]}
    made = kept(dane=True)
    put = {given["dest"] for given in each(made, files.put)}
    beside_unit = {
        services.drop_in_path(given["service"], given["file"])
        for given in each(made, services.drop_in)
        if given.get("file") == believed_receivers.RESOLVER
    }
    assert put | beside_unit | {believed_receivers.HOME} == gone


def test_postfix_alone_asks_and_by_an_address_that_only_this_host_has() -> None:
    made = kept(dane=True)
    (text,) = [given["text"] for given in each(made, files.put) if given["dest"] == believed_receivers.UNBOUND]
    assert "interface: 127.0.0.25\n" in text and "trust-anchor-file" in text and "0.0.0.0" not in text
    assert "/etc/resolv.conf" not in {given.get("dest") for _, given in made}
    settings = [given["settings"] for given in each(made, postfix.overrides)]
    assert [one["smtp_tls_security_level"] for one in settings] == ["dane", "dane"]
    assert not list(each(made, postfix.main_cf))  # Amavis is a neighbour to whom Postfix speaks SMTP, too


def test_postfix_asks_it_only_once_it_answers() -> None:
    made = kept(dane=True)
    (judged,) = [given for given in each(made, files.put) if given["dest"] == believed_receivers.NAMES]
    assert "Net::DNS" in judged["check"] and "port 53" in judged["check"]
    order = [given.get("dest") or given.get("file") or given.get("service") for _, given in made]
    assert (
        order.index("mailroom-resolver")
        < order.index(believed_receivers.NAMES)
        < len(order) - order[::-1].index("mailroom-resolver")
    )


def test_the_distributions_resolver_never_starts() -> None:
    made = kept(dane=True)
    first = next(given for operation, given in made if operation in (services.service, packages.packages))
    assert (first["service"], first["running"], first["unless_installed"]) == ("unbound", False, "unbound")


@pytest.mark.parametrize(
    ("bound", "taken"),
    [
        (("0.0.0.0",), True),
        (("[::]",), True),
        (("*",), True),
        (("127.0.0.25",), True),
        (("127.0.0.53", "127.0.0.54"), False),  # systemd-resolved
        (("127.0.0.1", "[::1]"), False),
        ((), False),
    ],
)
def test_a_taken_port_is_refused_by_name(bound: tuple[str, ...], taken: bool) -> None:
    known = mail_data({"dane": True}, MX1, secrets_too=False)
    there = MailHost(listeners={53: 'users:(("dnsmasq",pid=1,fd=4))'}, bound={53: bound})
    found = believed_receivers.port_53(there, known, DEBIAN)
    assert bool(found) is taken and all("dnsmasq" in one and "dane = False" in one for one in found)
    assert believed_receivers.port_53(there, mail_data({}, MX1, secrets_too=False), DEBIAN) == []
    there.units["mailroom-resolver"] = Unit(True, "enabled", 1.0)
    assert believed_receivers.port_53(there, known, DEBIAN) == []


def test_the_addresses_of_a_port_are_read() -> None:
    lines = ["127.0.0.53%lo:53 users:((x))", "[::1]:53 users:((x))", "0.0.0.0:25 users:((master))"]
    found = parse({"system": [], "listeners": lines})
    assert found.bound == {53: ("127.0.0.53", "[::1]"), 25: ("0.0.0.0",)}
    assert found.listeners[53] == "users:((x))"


def test_only_what_is_there_is_taken_away(ask: ASK) -> None:
    given: dict[str, Any] = {"files": ("/etc/a.d/b.conf", "/etc/c"), "units": ("c.service",)}
    assert ask(MailHost(), services.withdrawn, **given) == []
    there = MailHost(files={"/etc/c": File("644", "root", "root", 1.0, "regular file")})
    (command,) = ask(there, services.withdrawn, **given)
    assert "c.service" in command and command.rstrip().endswith("/etc/c") and "b.conf" not in command


def test_a_run_that_takes_it_away_does_not_call_it_somebody_elses() -> None:
    overrides = {"smtp/unix/smtp_tls_security_level": "dane", "smtp/unix/smtp_dns_support_level": "dnssec"}
    for values in ({}, {"dane": True}):
        known = mail_data(values, MX1, secrets_too=False)
        there = MailHost(overrides=dict(overrides))
        assert beside(there, known, told(known, DEBIAN, there)) == []


def test_an_operators_own_rule_for_what_leaves_stays(ask: ASK) -> None:
    settings = {"smtp_tls_security_level": "dane", "smtp_dns_support_level": "dnssec"}
    there = MailHost(overrides={"smtp/unix/smtp_tls_security_level": "encrypt"})
    assert ask(there, postfix.no_overrides, service="smtp/unix", settings=settings) == []
    known = mail_data({}, MX1, secrets_too=False)
    (named,) = beside(there, known, told(known, DEBIAN, there))
    assert "smtp/unix/smtp_tls_security_level that mailroom did not make" in named
    there.overrides = {f"smtp/unix/{name}": value for name, value in settings.items()}
    (command,) = ask(there, postfix.no_overrides, service="smtp/unix", settings=settings)
    assert command.rstrip().endswith("-PX smtp/unix/smtp_tls_security_level smtp/unix/smtp_dns_support_level")


OURS, NEXT = "3 1 1 " + "ab" * 32, "3 1 1 " + "cd" * 32
WHOLE = "3 0 1 " + "ef" * 32


@pytest.mark.parametrize(
    ("values", "signed_zone", "others", "shown", "sign", "says"),
    [
        ((OURS,), True, [], "", "right", "the key of the host's certificate"),
        ((OURS, NEXT), True, [], "", "right", "and 1 more"),
        ((NEXT,), True, [], "", "wrong", "delivers nothing"),
        ((NEXT,), False, [], "", "advice", "nobody looks yet"),
        ((OURS,), False, [], "", "advice", "DNSSEC"),
        ((OURS,), True, ["example.org"], "", "advice", "the zone of example.org is not signed"),
        ((WHOLE,), True, [], "", "advice", "wrong from the next renewal on"),
        ((WHOLE, OURS), True, [], "", "right", "the key"),
        (("1 1 1 " + "ab" * 32,), True, [], "", "wrong", "0 or 1"),
        (("2 1 1 " + "ab" * 32,), True, [], "", "unknown", "an authority"),
        ((OURS,), True, [], "cd" * 32, "wrong", "Postfix shows a certificate of another key"),
    ],
)
def test_what_a_record_is_worth(
    values: tuple[str, ...], signed_zone: bool, others: list[str], shown: str, sign: str, says: str
) -> None:
    facts = Facts(MX1, ("example.test",), tlsa="ab" * 32, matching=(OURS, WHOLE), shown=shown)
    found = dane.matched(facts, OURS, values, signed_zone, others)
    assert found.sign == sign and says in found.says, found


def test_a_sum_in_pieces_is_put_together() -> None:
    assert dane.whole("3 1 1 abcd ef01") == "3 1 1 abcdef01"


def test_the_key_stays_when_the_dates_change() -> None:
    first, second = certificate.sums(signed(MX1)), certificate.sums(signed(MX1, age=20))
    same = {kind for kind in first if first[kind] == second[kind]}
    assert same == {"3 1 1", "3 1 2"}
