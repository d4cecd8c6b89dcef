"""acme_dns: how it may be written, what is refused before the first change, what a run does, and what a nameserver's refusals mean."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploys import challenge
from deploys.chapters import believed_web
from deploys.data import mail_data
from deploys.told import Told, by_step, each
from facts.mail_host import MailHost
from operations import acme, files, firewall, packages, services
from postmaster.zone import caa, host, records
from tests.unit.inventories import SERVICES, good, problems, put
from tests.unit.test_acme import DEBIAN, MX1, OURS, file, signed
from tests.unit.test_acme import host as served
from tests.unit.test_acme_program import Host
from tests.unit.test_zone import FACTS

ASK = Callable[..., list[str]]
DNS = {**OURS, "acme_dns": "192.0.2.53", "acme_dns_key": "mailroom"}
SECRET = "c2VudGluZWwtb2YtdGhlLW5hbWVzZXJ2ZXI="


@pytest.fixture
def keyed(knobs: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """An inventory whose secrets_file has the key's secret."""
    return knobs | {"secrets_file": put(tmp_path / "with-key.json", {**SERVICES, "acme_dns": SECRET})}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("192.0.2.53", "192.0.2.53:53"),
        ("192.0.2.53:5353", "192.0.2.53:5353"),
        ("127.0.0.1", "127.0.0.1:53"),
        ("2001:DB8::53", "[2001:db8::53]:53"),
        ("[2001:db8::53]", "[2001:db8::53]:53"),
        ("[2001:db8::53]:65535", "[2001:db8::53]:65535"),
    ],
)
def test_a_nameserver_is_an_address(keyed: dict[str, Any], written: str, meant: str) -> None:
    assert good(keyed, **{**DNS, "acme_dns": written}).acme_dns == meant
    assert good(keyed, **{**DNS, "acme_dns": written, "acme_dns_key": "Acme.Example.ORG."}).acme_dns_key == (
        "acme.example.org"
    )


@pytest.mark.parametrize(
    "written",
    [
        *("", "ns1.example.org", "ns1.example.org:53", "192.0.2.53:", "192.0.2.53:0", "192.0.2.53:65536", "192.0.2.53:dns"),
        *("192.0.2.256", "192.0.2.53 ", "192.0.2.53\n", "[192.0.2.53", "2001:db8::53:53:", "fe80::1%eth0", "0.0.0.0", "::"),
        *("224.0.0.1", "mailroom:S3ntinel@192.0.2.53", 53, True, ["192.0.2.53"], "https://192.0.2.53"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused(keyed: dict[str, Any], written: Any) -> None:
    (problem,) = problems(keyed, **{**DNS, "acme_dns": written})
    assert problem.startswith("acme_dns") and "write it like '192.0.2.53'" in problem and "S3ntinel" not in problem
    assert ("certbot takes no name" in problem) is (isinstance(written, str) and "ns1" in written) or "." in written


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"acme": False}, "acme is False, and none is asked"),
        ({"acme_dns_key": None}, "acme_dns_key is not: no nameserver should take changes without a key"),
        ({"acme_dns": None}, "and acme_dns, the nameserver that knows the key, is not"),
        ({"acme_dns_key": ""}, "is not the name of a key"),
        ({"acme_dns_key": "two words"}, "is not the name of a key"),
        ({"acme_dns_key": "mailroom."}, ""),
        ({"acme_dns_key": "a..b"}, "is not the name of a key"),
        ({"acme_dns_key": "schlüssel"}, "is not the name of a key"),
        ({"acme_dns_key": "hmac-sha256:mailroom:S3ntinel"}, "is not the name of a key"),
        ({"acme_dns_key": "x" * 64}, "is not the name of a key"),
        ({"acme_dns_algorithm": "HMAC-MD5"}, "has to be one of HMAC-SHA1"),
        ({"acme_dns_algorithm": "sha256"}, "has to be one of HMAC-SHA1"),
        ({"acme_dns_wait": 0}, "a number of seconds from 1 to 3600"),
        ({"acme_dns_wait": None}, "a number of seconds from 1 to 3600"),
    ],
)
def test_what_cannot_be_is_refused(keyed: dict[str, Any], changed: dict[str, Any], said: str) -> None:
    if not said:
        assert good(keyed, **{**DNS, **changed})
        return
    (problem,) = problems(keyed, **{**DNS, **changed})
    assert said in problem and "S3ntinel" not in problem


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        (None, "'acme_dns' has no secret"),
        ("", "is empty"),
        ("not base64", "is not in base64"),
        ("c2VudGlu ZWwtb2Y=", "without blanks"),
        ("c2VudGluZWw", "is not in base64"),
        (f"{SECRET}\n", "is not in base64"),
        ("sentinel-sentinel-sentinel-aaaa", "is not in base64"),
        ("====", "is not in base64"),
        ("ÄÄÄÄ", "is not in base64"),
        ("QUJD" * 129, "is not in base64"),
    ],
)
def test_its_secret(knobs: dict[str, Any], tmp_path: Path, secret: str | None, says: str) -> None:
    found = SERVICES if secret is None else {**SERVICES, "acme_dns": secret}
    knobs["secrets_file"] = put(tmp_path / "secrets.json", json.dumps(found))
    (problem,) = problems(knobs, **DNS)
    problem = problem.replace(knobs["secrets_file"], "FILE")  # pytest's folder has the secret in its name
    assert says in problem and problem.startswith("FILE: ") and (not secret or secret not in problem)
    assert good(knobs, **OURS), "port 80 needs none"


def steps(**values: Any) -> dict[str, Told]:
    return by_step(mail_data(values, MX1, secrets_too=False), DEBIAN, MailHost())


def test_the_secret_is_in_one_file_of_roots(keyed: dict[str, Any]) -> None:
    known = good(keyed, **{**DNS, "acme_dns": "[2001:db8::53]:5353"})
    kept = by_step(known, DEBIAN, MailHost())["believed.certificate"]
    assert SECRET not in repr(known)
    (put_there,) = [given for given in each(kept, files.put) if SECRET in given["text"]]
    assert (put_there["dest"], put_there["mode"]) == (challenge.CREDENTIALS, "600")
    for line in (
        "server = 2001:db8::53",
        "port = 5353",
        "name = mailroom",
        "algorithm = HMAC-SHA256",
        f"secret = {SECRET}",
    ):
        assert f"dns_rfc2136_{line}\n" in put_there["text"]
    assert SECRET not in str([given for operation, given in kept if given is not put_there])
    (order,) = each(kept, acme.signed)
    assert order["way"] == acme.DNS and len(order["credentials"]) == 64
    installed = [name for given in each(kept, packages.packages) for name in given["packages"]]
    assert installed == ["certbot", "python3-certbot-dns-rfc2136"]


def test_port_80_is_closed_and_443_is_not() -> None:
    alone = steps(**DNS)["believed.web"]
    assert [operation for operation, _ in alone] == [services.withdrawn]
    both = steps(**DNS, mta_sts="enforce")["believed.web"]
    (text,) = [given["text"] for given in each(both, files.put) if given["dest"] == "/etc/nginx/mailroom.conf"]
    assert "listen 443 " in text and "listen 80 " not in text and "acme-challenge" not in text and "port 80" not in text
    assert [given["services"] for given in each(both, firewall.services)] == [("https",)]
    taken = MailHost(listeners={80: 'users:(("apache2",pid=1,fd=4))'})
    assert believed_web.ports(taken, mail_data(DNS, MX1, secrets_too=False), DEBIAN) == []


def test_without_it_nothing_of_it_is_left() -> None:
    on_80 = steps(**OURS)["believed.certificate"]
    gone = [given["path"] for given in each(on_80, files.file) if given["present"] is False]
    assert gone == [challenge.CREDENTIALS, acme.PROVED]
    (given,) = each(steps()["believed.certificate"], acme.withdrawn)
    assert {challenge.CREDENTIALS, acme.PROVED} <= set(given["files"])


def test_another_way_or_key_is_tried_once(ask: ASK) -> None:
    asked: dict[str, Any] = {"names": [MX1], "server": "https://ca.example.test/dir", "program": "/bin/ask"}
    asked |= {"certificate": "/etc/postfix/certs/cert.pem", "way": acme.DNS, "credentials": "a" * 64}
    there = served(signed(MX1), way=acme.DNS)
    assert len(ask(there, acme.signed, **asked)) == 1
    there.files[acme.PROVED] = file("a" * 64 + "\n")
    assert ask(there, acme.signed, **asked) == []
    assert len(ask(there, acme.signed, **{**asked, "credentials": "b" * 64})) == 1
    assert len(ask(there, acme.signed, **{**asked, "way": acme.HTTP, "credentials": ""})) == 1


@pytest.fixture
def program(tmp_path: Path) -> Host:
    made = Host(tmp_path, acme_dns="192.0.2.53", acme_dns_key="mailroom", acme_dns_wait=7)
    made.put("dns.ini", "dns_rfc2136_secret = x\n")
    return made


def test_the_program_answers_in_the_dns_and_tries_another_key(program: Host) -> None:
    program.make("new.pem", "new.key")
    assert program.run("order").returncode == 0
    (call,) = (program.folder / "calls").read_text().splitlines()
    assert f"--authenticator dns-rfc2136 --dns-rfc2136-credentials {program.folder}/dns.ini" in call
    assert "--dns-rfc2136-propagation-seconds 7" in call and "webroot" not in call
    assert (program.folder / "state/proved").stat().st_mode & 0o777 == 0o600
    assert program.run("order").returncode == 0 and program.calls == 1
    program.put("dns.ini", "dns_rfc2136_secret = y\n")
    (program.folder / "new.pem").unlink()
    assert program.run("order").returncode == 1 and program.calls == 2
    assert program.run("order").returncode == 1 and program.calls == 2, "the same one is not tried again so soon"
    program.put("dns.ini", "dns_rfc2136_secret = z\n")
    assert program.run("order").returncode == 1 and program.calls == 3
    program.put("dns.ini", "dns_rfc2136_secret = x\n")
    assert program.run("order").returncode == 0 and program.calls == 3, "that one is known to be right"
    assert not (program.folder / "state/failed").exists()


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("Encountered error when making query: The peer didn't know the key we used", "knows no key mailroom"),
        ("Encountered error adding TXT record: The peer didn't like the signature we sent", "has another secret"),
        ("Encountered error adding TXT record: The TSIG signature fails to verify.", "has another secret"),
        ("Encountered error when making query: The peer didn't like the time we sent", "clock"),
        ("Received response from server: REFUSED", "does not let it change these names; allow it TXT of each"),
        ("Received response from server: NOTAUTH", "does not let it change these names; allow it TXT of each"),
        (
            "Unable to determine base domain for _acme-challenge.mx1.example.test",
            "knows no key mailroom, or is not the primary server",
        ),
        ("Received response from server: SERVFAIL", "its own log says why"),
        ("Encountered error when making query: The DNS operation timed out.", "can this host reach 192.0.2.53:53"),
        ("Encountered error when making query: [Errno 111] Connection refused", "can this host reach 192.0.2.53:53"),
        ("Type:   unauthorized\nDetail: Incorrect TXT record", "acme_dns_wait = 7 seconds? _acme-challenge.mx1"),
        ("Type:   dns\nDetail: DNS problem: NXDOMAIN looking up TXT for _acme-challenge.mx1", "led for these names"),
        ("urn:ietf:params:acme:error:rateLimited :: too many", "takes no more orders for now"),
        ("Type:   caa\nDetail: CAA record for mx1 prevents issuance", "CAA record"),
    ],
)
def test_each_refusal_has_its_remedy(program: Host, said: str, remedy: str) -> None:
    (program.folder / "refusal").write_text(said)
    done = program.run("now")
    assert remedy in done.stderr and said.splitlines()[-1] in done.stderr, done.stderr
    assert "port 80" not in done.stderr and "the old one goes on serving, until" in done.stderr


def test_the_desk_prints_what_the_key_may_change_and_judges_caa_by_the_way() -> None:
    read = host.challenge(
        ["names='mx1.example.test imap.example.test'", "way=dns-rfc2136 # certbot's", "keyname=mailroom"]
    )
    facts = replace(FACTS, authority="https://acme-v02.api.letsencrypt.org/directory", **read)
    said = records.bind(facts)
    assert "the key mailroom" in said and said.endswith("; _acme-challenge.imap.example.test. IN TXT")
    assert (
        "_acme-challenge" not in records.bind(FACTS) and host.challenge(["names=mx1.example.test", "way=webroot"]) == {}
    )
    for value, way, right in (("dns-01", "dns-01", True), ("dns-01", "http-01", False), ("http-01", "dns-01", False)):
        found = (f'0 issue "letsencrypt.org; validationmethods={value}"',)
        assert caa.allowed(found, "letsencrypt.org", way) is right
