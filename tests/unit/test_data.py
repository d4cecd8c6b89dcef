"""Bad data is refused with a sentence that names the value, the rule and the remedy."""

import runpy
from pathlib import Path
from typing import Any

import pytest

from deploys import shown
from deploys.addresses import local_names
from deploys.data import mail_data
from deploys.knobs import defaults, table
from tests.unit.inventories import good, problems

ROOT = Path(__file__).parents[2]


def user(email: str) -> dict[str, str]:
    return {"email": email, "name": "Somebody"}


def test_the_defaults_are_good(knobs: dict[str, Any]) -> None:
    known = good(knobs)
    assert known.users["foo@example.test"] == {"realname": "Foo Lastname", "maildir": "example.test/foo/"}
    assert known.aliases["postmaster@example.test"] == ["foo@example.test"]
    assert known.aliases["abuse@example.test"] == ["foo@example.test"]
    assert known.mail_uid == 200


def test_the_table_of_the_docs_is_the_models() -> None:
    assert (ROOT / "docs/knobs.md").read_text() == table(), "run: python -m deploys.knobs > docs/knobs.md"


def test_pyinfra_reads_the_models_defaults() -> None:
    there = runpy.run_path(str(ROOT / "group_data/all.py"))
    assert {key: value for key, value in there.items() if not key.startswith("_")} == defaults()


@pytest.mark.parametrize(
    ("said", "meant"),
    [("no", False), ("Off", False), (0, False), ("0", False), ("false", False), ("yes", True), (1, True), ("1", True)],
)
def test_a_switch_on_the_command_line(knobs: dict[str, Any], said: Any, meant: bool) -> None:
    assert good(knobs, prune_accounts=said).prune_accounts is meant


@pytest.mark.parametrize(
    ("key", "near"), [("prune_acounts", "prune_accounts"), ("_sdo", "_sudo"), ("ssh_prt", "ssh_port"), ("nonsense", "")]
)
def test_a_knob_that_is_none(knobs: dict[str, Any], key: str, near: str) -> None:
    (problem,) = problems(knobs, **{key: "a value"})
    assert f"there is no knob {key!r}" in problem and near in problem and "a value" not in problem


def test_other_peoples_keys_pass(knobs: dict[str, Any]) -> None:
    theirs = {"ssh_user": "root", "_sudo": True, "docker_identifier": "x", "x_rack": 7, "_helper": []}
    assert mail_data({**knobs, **theirs, "my_connector": 1}, "mx1.example.test", {"my_connector": None}).mail_uid == 200


def test_addresses_become_lower_case(knobs: dict[str, Any]) -> None:
    assert "foo@example.test" in good(knobs, mail_users=[user("Foo@Example.Test"), user("bar@example.test")]).users


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"mail_hostname": "mx1"}, "'mx1' is not a full host name"),
        ({"mail_hostname": "10.0.0.1"}, "not a full host name"),
        ({"mail_hostname": "mx1.example.test; reboot"}, "not a full host name"),
        ({"mail_domains": []}, "mail_domains is empty"),
        ({"mail_domains": "example.test"}, "mail_domains has to be a list"),
        ({"mail_domains": ["example.test", "Example.Test"]}, "'example.test' is listed twice"),
        ({"mail_domains": ["example.test", "mx1.example.test"]}, "also mail_hostname"),
        ({"mail_domains": ["example.test", "-bad.test"]}, "'-bad.test' is not a domain name"),
        ({"mail_users": []}, "mail_users is empty"),
        ({"mail_users": [user("foo@example.test"), user("FOO@example.test")]}, "foo@example.test is listed twice"),
        ({"mail_users": [user("foo")]}, "'foo' is not an address"),
        ({"mail_users": [user("../../etc@example.test")]}, "is not an address that this server can keep mail for"),
        ({"mail_users": [user("a'b@example.test")]}, "is not an address that this server can keep mail for"),
        ({"mail_users": [user("-rf@example.test")]}, "is not an address that this server can keep mail for"),
        ({"mail_users": [user("foo@other.test")]}, "the domain of foo@other.test is not in mail_domains"),
        ({"mail_users": [user("baz@example.test")]}, "has no password for baz@example.test"),
        ({"mail_aliases": {"sales@example.test": "nobody@example.test"}}, "neither a user nor an alias"),
        ({"mail_aliases": {"sales@example.test": []}}, "has no target"),
        ({"mail_aliases": {"sales@example.test": ["not an address"]}}, "which is not an address"),
        ({"mail_aliases": {"sales@example.test": ["-f@example.net"]}}, "begins with a hyphen"),
        ({"mail_postmaster": "-f@example.net"}, "mail_postmaster: '-f@example.net' which Postfix takes for bad syntax"),
        (
            {"mail_aliases": {"sales@other.test": "foo@example.test"}},
            "not an address that this server can keep mail for, in one of mail_domains",
        ),
        ({"mail_aliases": {"foo@example.test": "bar@example.test"}}, "also a user"),
        ({"mail_aliases": {"a@example.test": "b@example.test", "b@example.test": "a@example.test"}}, "back to itself"),
        ({"mail_uid": 0}, "mail_uid = 0 is reserved"),
        ({"mail_uid": 99}, "mail_uid = 99 is reserved"),
        ({"mail_gid": "200"}, "mail_gid = '200'"),
        ({"mail_owner": "root"}, "has to be a user of its own"),
        ({"mail_home": "home/mail"}, "has to be an absolute path"),
        ({"tls_key": "/etc/key; rm"}, "has to be an absolute path"),
        ({"password_scheme": "SHA512"}, "'SHA512' has to be one of ARGON2ID"),
        ({"message_size_limit": 12}, "message_size_limit = 12"),
        ({"message_size_limit": 1e12}, "has to be a number of bytes from 65536 to 536870911"),
        ({"message_size_limit": 104857600.0}, "has to be a number of bytes"),
        ({"message_size_limit": 10**5000}, "(int) has to be a number of bytes"),
        ({"spam_score": float("nan")}, "spam_score = nan has to be a number from 1 to 100"),
        ({"spam_refuse_score": float("inf")}, "spam_refuse_score = inf has to be"),
        ({"spam_score": True}, "spam_score = True has to be"),
        ({"mail_uid": True}, "mail_uid = True is reserved or no number"),
        ({"prune_accounts": "maybe"}, "prune_accounts = 'maybe' has to be True or False"),
        ({"prune_accounts": 2}, "prune_accounts = 2 has to be True or False"),
        ({"prune_accounts": None}, "prune_accounts = None has to be True or False"),
        ({"prune_accounts": ["no"]}, "has to be True or False"),
        (
            {"time_sources": [None]},
            "time_sources: None is neither a host name, like ntp.example.org, nor an IP address",
        ),
        ({"time_sources": ["ntp.example.org\n"]}, "neither a host name"),
        ({"time_sources": ["1.2.3"]}, "neither a host name"),
        ({"time_sources": ["fe80::1%eth0"]}, "neither a host name"),
        ({"mail_domains": ["example.test", "localhost.example.test"]}, "is the host itself"),
        ({"mail_domains": ["localhost.example.test"]}, "is the host itself"),
        ({"mail_domains": ["mail.localhost"]}, "is the host itself"),
        ({"mail_domains": ["example.test", "MX1.Example.Test."]}, "leave out the dot at its end"),
        ({"mail_domains": ["example.test", "MX1.Example.Test"]}, "also mail_hostname"),
        ({"mail_domains": ["localhost"]}, "'localhost' is not a domain name"),
        ({"mail_domains": ["example.test\n"]}, "is not a domain name"),
        ({"mail_domains": ["b\u00fccher.example"]}, "in the DNS it is 'xn--bcher-kva.example'"),
        ({"mail_domains": ["example.\u212aom"]}, "is not a domain name"),  # the sign for kelvin, whose lower case is k
        ({"mail_domains": ["xn--a.example"]}, "decodes to no name"),
        ({"mail_domains": ["192.0.2.1"]}, "it is an IP address"),
        ({"mail_domains": ["2001:db8::1"]}, "it is an IP address"),
        ({"mail_domains": [".".join(["a" * 61] * 4)]}, "it has 247 characters"),
        ({"mail_domains": [None]}, "None is not a domain name"),
        ({"mail_domains": {"example.test": 1}}, "mail_domains has to be a list"),
        ({"mail_hostname": "m" * 60 + ".example.test"}, "Linux and certificates take 64"),
        ({"mail_hostname": b"mx1.example.test"}, "has to be a full host name"),
        ({"mail_users": [user("double-bounce@example.test")]}, "is Postfix's own, and mail to it is refused"),
        ({"mail_aliases": {"double-bounce@example.test": "foo@example.test"}}, "is Postfix's own, and mail to it is"),
        ({"mail_users": [None]}, "an entry is a NoneType"),
        ({"mail_users": [{"email": "foo@example.test", "nam": "x"}]}, "did you mean 'name'?"),
        ({"mail_users": [{"email": "foo@example.test", "name": ["x"]}]}, "control character"),
        ({"mail_users": [user("foo@example.test\n")]}, "is not an address that this server can keep mail for"),
        ({"mail_users": [user("f\u00f6@example.test")]}, "is not an address that this server can keep mail for"),
        ({"mail_users": "foo@example.test"}, "mail_users has to be a list"),
        ({"mail_aliases": ["sales@example.test"]}, "mail_aliases has to be a table"),
        ({"mail_aliases": {"a@example.test": 3}}, "has to lead to an address"),
        ({"mail_aliases": {"a@example.test": [None]}}, "has to lead to an address"),
        ({"mail_aliases": {"a@example.test": "root@mx1.example.test"}}, "an account of the host itself"),
        ({"mail_aliases": {"a@example.test": "x@b\u00fccher.example"}}, "in the DNS it is"),
        (
            {"mail_aliases": {"a@example.test": [f"u{n}@example.net" for n in range(1001)]}},
            "Postfix follows at most 1000",
        ),
        ({"mail_postmaster": ""}, "mail_postmaster: '' which is not an address"),
        ({"mail_hostname": ""}, "mail_hostname '' is not a full host name"),
        ({"mail_postmaster": "nobody"}, "mail_postmaster: 'nobody' which is not an address"),
        *(
            ({"mail_owner": name}, "an account of the system or of a package")
            for name in (
                "dovenull",
                "daemon",
                "www-data",
                "amavis",
                "_chrony",
                "systemd-network",
                "debian-spamd",
                "nobody",
            )
        ),
        ({"mail_owner": "vmail\n"}, "has to be a user of its own"),
        ({"mail_owner": "VMail"}, "has to be a user of its own"),
        *(
            ({"mail_home": home}, "a directory of the system;")
            for home in (
                "/etc",
                "/etc/mail",
                "/home",
                "/var",
                "/var/mail",
                "/usr/local/mail",
                "/var/lib/dovecot",
                "/tmp/mail",
            )
        ),
        ({"mail_home": "//"}, "has to be an absolute path"),
        ({"mail_home": "//etc"}, "has to be written as '/etc'"),
        ({"mail_home": "/home/mail/"}, "has to be written as '/home/mail'"),
        ({"mail_home": "/home/mail\n"}, "has to be an absolute path"),
        ({"mail_home": "/home/../etc"}, "has to be an absolute path"),
        ({"mail_home": "/srv/" + "x" * 200}, "has to be an absolute path"),
        ({"tls_key": "/etc/postfix/certs/cert.pem"}, "one would overwrite the other"),
        ({"tls_key": "/home/mail/key.pem"}, "is inside mail_home"),
        ({"tls_certificate": "/etc/cert.pem"}, "a directory of the system;"),
        ({"virus_signatures": ["0" * 32 + ":*:Name"]}, "neither a line of a .hdb file"),
        ({"virus_signatures": ["0" * 32 + ":1:Name\n"]}, "neither a line of a .hdb file"),
        ({"password_scheme": ["ARGON2ID"]}, "has to be one of ARGON2ID"),
        (
            {"accounts_file": {"foo@example.test": "a good password"}},
            "accounts_file = (dict) has to be the path of a file",
        ),
        ({"accounts_file": "a\0b"}, "has to be the path of a file"),
    ],
)
def test_refused(knobs: dict[str, Any], changed: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in problems(knobs, **changed))


def test_all_problems_are_said_at_once(knobs: dict[str, Any]) -> None:
    assert len(problems(knobs, mail_uid=0, mail_hostname="x", password_scheme="MD5")) == 3


def test_what_is_local_is_what_the_text_of_chapter_1_says() -> None:
    identity = shown.shown(mail_data({}, "mx1.example.test", secrets_too=False))["postfix.identity"].today[""]
    (line,) = [line for line in identity.splitlines() if line.startswith("mydestination = ")]
    told = line.partition(" = ")[2].replace("$myhostname", "mx1.example.test").replace("$mydomain", "example.test")
    assert set(told.split(", ")) == set(local_names("mx1.example.test", "example.test"))
