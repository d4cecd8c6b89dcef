"""A certificate from an authority: its knobs, when one is asked for, and who reads it. The program that asks: test_acme_program.py."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from deploys.chapters import believed_web
from deploys.data import mail_data
from deploys.foreign import foreign
from deploys.platforms import PLATFORMS
from deploys.told import by_step
from facts.mail_host import File, MailHost, Unit
from operations import acme, certificate, firewall, packages, services
from tests.unit.inventories import good, problems

DEBIAN = PLATFORMS["debian", "13"]
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
OURS = {"acme": True, "acme_directory": "https://ca.example.test/dir"}
MX1 = "mx1.example.test"
KEY = ec.generate_private_key(ec.SECP256R1())
ASK = Callable[..., list[str]]


def signed(*names: str, issuer: str = "An authority", age: int = 10, life: int = 90, key: Any = KEY) -> str:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    begin = datetime.now(UTC) - timedelta(days=age)
    made = x509.CertificateBuilder(
        name(issuer), name(names[0]), key.public_key(), 7, begin, begin + timedelta(days=life)
    )
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), False)
    return made.sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def public(key: Any = KEY) -> str:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize().hex()


def file(text: str | None = None, mtime: float = 1.0) -> File:
    return File("644", "root", "root", mtime, "regular file", "", text)


def host(
    pem: str | None, server: str = "https://ca.example.test/dir", keys: str = "", way: str = acme.HTTP
) -> MailHost:
    notes = f"x = 1\nauthenticator = {way}\nserver = {server}\ny = 2\n"
    there = {acme.INSTALLED: file(keys or f"{public()}\n"), acme.RENEWAL: file(notes)}
    if pem:
        there |= {"/etc/postfix/certs/cert.pem": file(pem), "/etc/postfix/certs/key.pem": file()}
    return MailHost(files=there, key_public=public(), system={"now": "9"})


def test_by_default_nobody_is_asked(knobs: dict[str, Any]) -> None:
    known = good(knobs)
    assert not known.acme and known.acme_directory == LETS_ENCRYPT and known.certificate_names == [MX1]
    told = by_step(known, DEBIAN, MailHost())
    assert [operation for operation, _ in told["believed.web"]] == [services.withdrawn]
    assert [operation for operation, _ in told["believed.certificate"]] == [acme.withdrawn]
    assert not [one for one in told["postfix.certificate"] if one[0] is certificate.pair and one[1]["instead"]]


@pytest.mark.parametrize(
    "url", ["", "http://ca.example.org/dir", "https://ca.example.org", "https:///dir", "https://a b/", "https://a/$(x)"]
)
def test_a_directory_is_a_url(knobs: dict[str, Any], url: str) -> None:
    (problem,) = problems(knobs, acme_directory=url)
    assert "is not the URL of an authority's directory" in problem and LETS_ENCRYPT in problem


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"acme_email": "nobody"}, "is not an address"),
        ({"acme_email": "-f@b.org"}, "is not an address"),
        ({"acme_email": "-a@b c.org"}, "is not an address"),
        ({"acme_names": ["ok.example.org", "a_b.example.org"]}, "is not a host name"),
        ({"acme_names": ["*.example.org"]}, "is not a host name"),
        ({"acme_names": ["münchen.example.org"]}, "is not a host name"),
        ({"acme_trust": "ca.pem"}, "acme_trust"),
        ({**OURS, "tls_self_signed": False}, "your own pair (tls_self_signed = False), which mailroom never replaces"),
        ({"acme": True}, "no public authority gives a certificate for mx1.example.test"),
        ({"acme": True, "mail_hostname": "mx.home.lan"}, "mx.home.lan, a name that is nobody's"),
        ({"mta_sts": "enforce"}, "mta_sts: this is fetched over https, and a self-signed certificate is refused there"),
        ({"mta_sts": "off"}, "mta_sts = 'off' has to be one of testing, enforce, or None"),
        ({"autoconfig": True}, "autoconfig: this is fetched over https"),
    ],
)
def test_what_cannot_be_is_refused_before_anybody_is_asked(
    knobs: dict[str, Any], changed: dict[str, Any], said: str
) -> None:
    (problem,) = problems(knobs, **changed)
    assert said in problem


def test_names_are_asked_for_in_lower_case_and_once(knobs: dict[str, Any]) -> None:
    known = good(knobs, **OURS, acme_names=["IMAP.example.org", "xn--mnchen-3ya.example.org", MX1, "imap.example.org"])
    assert known.certificate_names == [MX1, "imap.example.org", "xn--mnchen-3ya.example.org"]
    assert good(knobs, acme=True, mail_hostname="mx.attest.org").acme, "which ends in no reserved name"


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (host(None), "no authority has signed it"),
        (host(signed(MX1, issuer=MX1), keys="0" * 64), "no authority has signed it"),
        (host(signed(MX1)), ""),
        (host(signed(MX1, age=65)), ""),  # certbot's time has come, and it is certbot's
        (host(signed(MX1, age=70)), "its renewal is overdue"),
        (host(signed(MX1, age=100)), "its renewal is overdue"),
        (host(signed(MX1, age=2, life=6)), ""),  # of six days, as Let's Encrypt has them
        (host(signed(MX1, age=5, life=6)), "its renewal is overdue"),
        (host(signed(MX1, "imap.example.test")), "its names are others"),
        (host(signed("mx2.example.test")), "its names are others"),
        (host(signed(MX1), server="https://ca.example.test/dir2"), "it is of another authority"),
        (host(signed(MX1), way=acme.DNS), "it was asked for in another way, and would be renewed so"),
        (host("junk"), "no authority has signed it"),
    ],
)
def test_an_order_for_each_need_and_none_without(ask: ASK, there: MailHost, why: str) -> None:
    pem = there.text("/etc/postfix/certs/cert.pem")
    asked: dict[str, Any] = {"names": [MX1], "server": "https://ca.example.test/dir"}
    assert acme.need(pem, there.text(acme.INSTALLED), there.text(acme.RENEWAL), **asked) == why
    commands = ask(there, acme.signed, **asked, certificate="/etc/postfix/certs/cert.pem", program="/bin/ask")
    assert len(commands) == bool(why) and all("/bin/ask" in one and "order" in one for one in commands)


def test_the_self_signed_pair_does_not_come_back(ask: ASK) -> None:
    given = {
        "certificate": "/etc/postfix/certs/cert.pem",
        "key": "/etc/postfix/certs/key.pem",
        "names": [MX1, "example.test"],
    }
    there = host(signed(MX1, age=100))  # not even for one that has expired
    assert ask(there, certificate.pair, **given, instead=acme.INSTALLED) == []
    (command,) = ask(there, certificate.pair, **given)  # acme = False
    assert "openssl req -new -x509" in command
    there.key_public = "0" * 64  # half a pair: a run died between the two
    assert ask(there, certificate.pair, **given, instead=acme.INSTALLED)


def test_what_an_authority_signed_for_us_is_ours_and_the_operators_is_not() -> None:
    known = mail_data(OURS, MX1, secrets_too=False)
    assert foreign(host(signed(MX1)), known, DEBIAN) == []
    assert foreign(host(signed(MX1)), mail_data({}, MX1, secrets_too=False), DEBIAN) == []
    theirs = ec.generate_private_key(ec.SECP256R1())
    there = host(signed(MX1, key=theirs))
    there.key_public = public(theirs)
    (problem,) = foreign(there, known, DEBIAN)
    assert "issued by CN=An authority" in problem and "would replace it" in problem


@pytest.mark.parametrize(
    ("port", "changed", "do_without"),
    [
        (80, {}, "acme = False"),
        (443, {"mta_sts": "testing"}, "mta_sts = None"),
        (443, {"autoconfig": True}, "autoconfig = False"),
    ],
)
def test_a_taken_port_is_refused_by_name(port: int, changed: dict[str, Any], do_without: str) -> None:
    known = mail_data({**OURS, **changed}, MX1, secrets_too=False)
    taken = MailHost(listeners={port: 'users:(("apache2",pid=1,fd=4))'})
    (problem,) = believed_web.ports(taken, known, DEBIAN)
    assert f"port {port}" in problem and "apache2" in problem and do_without in problem
    assert believed_web.ports(taken, mail_data({}, MX1, secrets_too=False), DEBIAN) == []
    assert believed_web.ports(MailHost(), known, DEBIAN) == []
    assert "chapter 6" in believed_web.ports(MailHost(), known, PLATFORMS["rocky", "9"])[0]
    taken.units["mailroom-web"] = Unit(True, "enabled", 1.0)
    assert believed_web.ports(taken, known, DEBIAN), "ours runs, and not on this port"
    taken.files["/etc/nginx/mailroom.conf"] = file(f"http {{\n listen {port} default_server;\n}}")
    assert believed_web.ports(taken, known, DEBIAN) == []


def test_the_web_opens_no_more_than_is_asked_for() -> None:
    pair = {"tls_self_signed": False, "mta_sts": "enforce"}
    for changed, listens in ((OURS, {"80"}), (pair, {"443"}), ({**OURS, "autoconfig": True}, {"80", "443"})):
        kept = by_step(mail_data(changed, MX1, secrets_too=False), DEBIAN, MailHost())["believed.web"]
        (text,) = [given["text"] for _, given in kept if given.get("dest") == "/etc/nginx/mailroom.conf"]
        assert set(re.findall(r"listen (\d+)", text)) == listens and "[::]" not in text
        (given,) = [given for operation, given in kept if operation is firewall.services]
        assert set(given["services"]) == {{"80": "http", "443": "https"}[port] for port in listens}


def test_the_certificate_has_the_names_that_are_asked_for() -> None:
    more = {"mta_sts": "testing", "autoconfig": True, "mail_domains": ["example.test", "second.test"]}
    assert mail_data({**OURS, **more}, MX1, secrets_too=False).certificate_names == [
        MX1,
        *(f"{name}.example.test" for name in ("mta-sts", "autoconfig", "autodiscover")),
        *(f"{name}.second.test" for name in ("mta-sts", "autoconfig", "autodiscover")),
    ]


def test_the_distributions_site_never_starts_and_another_administrators_is_left_alone(ask: ASK) -> None:
    given = {"service": "nginx", "running": False, "unless_installed": "nginx"}
    (command,) = ask(MailHost(), services.service, **given)
    assert "systemctl mask" in command
    assert (
        ask(
            MailHost(packages={"nginx": "1.26"}, units={"nginx": Unit(True, "enabled", 1.0)}), services.service, **given
        )
        == []
    )
    kept = by_step(mail_data(OURS, MX1, secrets_too=False), DEBIAN, MailHost())["believed.web"]
    order = [given.get("service") or given.get("dest") or operation for operation, given in kept]
    assert (
        order.index("nginx")
        < order.index(packages.packages)
        < order.index("/etc/nginx/mailroom.conf")
        < order.index("mailroom-web")
    )


def test_a_renewed_pair_restarts_nobody_who_has_read_it(ask: ASK) -> None:
    pair = {"/c.pem": file(mtime=50.0), "/main.cf": file(mtime=5.0), "/shown": file(mtime=51.0)}
    given = {"service": "postfix", "files": ("/c.pem", "/main.cf"), "read_again": ("/c.pem",), "told_by": "/shown"}
    there = MailHost(files=pair, units={"postfix": Unit(True, "enabled", 10.0)}, system={"now": "99"})
    assert ask(there, services.service, **given) == []
    pair["/shown"] = file(mtime=49.0)  # of the pair before
    assert len(ask(there, services.service, **given)) == 1
    pair["/shown"], pair["/main.cf"] = file(mtime=51.0), file(mtime=11.0)
    assert len(ask(there, services.service, **given)) == 1
    del pair["/shown"]
    assert len(ask(there, services.service, **given)) == 1
