"""What mailroom did not make, it refuses by name; what it made, whole or half, it never takes for somebody else's."""

import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploys import foreign as asked
from deploys.foreign import foreign
from deploys.platforms import PLATFORMS
from facts.mail_host import File, MailHost, Place
from operations import certificate, postgresql, scram
from operations.dovecot import CONF, foreign_settings

DEBIAN = PLATFORMS["debian", "13"]
PASSWORD = "the-role's-own-password"


def data(**changed: Any) -> Any:
    values = {
        **{"mail_owner": "vmail", "mail_uid": 200, "mail_gid": 200, "mail_home": "/home/mail"},
        **{"tls_self_signed": True, "tls_certificate": "/c.pem", "tls_key": "/k.pem"},
        "secrets": SimpleNamespace(services={"mailreader": PASSWORD}),
    }
    return SimpleNamespace(**{**values, **changed})


def file(text: str | None = None, owner: str = "root:root", mode: str = "755", kind: str = "regular file") -> File:
    user, _, group = owner.partition(":")
    return File(mode, user, group, 1.0, kind, "", text)


def folder(owner: str = "root:root", mode: str = "755") -> File:
    return file(owner=owner, mode=mode, kind="directory")


def home(place: Place, there: File | None) -> MailHost:
    return MailHost(places={"/home/mail": place}, files={"/home/mail": there} if there else {})


@pytest.mark.parametrize(
    "there",
    [
        MailHost(),
        home(Place(0, "/home/mail"), folder()),  # a fresh mount point
        home(Place(0, "/home/mail", inside=("lost+found",)), folder(mode="700")),
        home(Place(0, "/disk/mail"), folder()),  # a link to an empty directory
        home(Place(200, "/home/mail", inside=("example.test",)), folder("vmail:vmail", "750")),
        home(Place(200, "/home/mail", inside=("example.test",)), folder("UNKNOWN:UNKNOWN", "750")),  # a disk moved here
    ],
)
def test_a_mail_home_that_may_be_taken(there: MailHost) -> None:
    assert foreign(there, data(), DEBIAN) == []


@pytest.mark.parametrize(
    ("place", "there", "said"),
    [
        (Place(0, "/srv/data", inside=("photos",)), folder(), "with photos in it), and mailroom did not make it"),
        (Place(0, "/etc", "base-files", ("aliases",)), folder(), "is a directory of the system (package base-files)"),
        (Place(0, "/srv", "base-files"), folder(), "is a directory of the system"),
        (Place(0, "/scratch"), folder(mode="1777"), "with mode 1777"),
        (Place(1000, "/home/alice"), folder("alice:alice"), "alice:alice's"),
        (Place(0, "/var/mail"), folder("root:mail", "2775"), "root:mail's"),
        (Place(0, "/home/mail"), file(), "is a regular file, not a directory"),
        (Place(None, "/disk/mail"), None, "is a symbolic link to /disk/mail, which does not exist"),
    ],
)
def test_a_mail_home_that_is_somebody_elses(place: Place, there: File | None, said: str) -> None:
    (problem,) = foreign(home(place, there), data(), DEBIAN)
    assert said in problem and "set mail_home" in problem


def test_a_group_of_somebody_else() -> None:
    there = MailHost(groups={"vmail": 200}, members={"vmail": ("alice",), "amavis": ("x",)})
    (problem,) = foreign(there, data(), DEBIAN)
    assert "would read all mail: alice" in problem and "choose another mail_owner" in problem
    assert foreign(MailHost(groups={"vmail": 200}), data(), DEBIAN) == []  # a run that died before the user


def pair(subject: dict[Any, str], days: int = 3650, usage: bool = True, issuer: str = "") -> tuple[str, str]:
    """A certificate, and the sum by which its key is known."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject.items()])
    signed_by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]) if issuer else name
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(signed_by).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=days))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("mx1.example.test")]), critical=False)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    import hashlib

    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return pem, hashlib.sha256(public).hexdigest()


MARKED = {NameOID.ORGANIZATION_NAME: "mailroom", NameOID.COMMON_NAME: "mx1.example.test"}
PLAIN = {NameOID.COMMON_NAME: "mx1.example.test"}


def pairs(certificate: str | None, key: str | None, beside: str | None = None) -> MailHost:
    files = {"/c.pem": certificate, "/c.pem.new": beside}
    there = MailHost(files={path: file(text) for path, text in files.items() if text is not None}, key_public=key or "")
    if key:
        there.files["/k.pem"] = file()
    return there


def test_our_own_pairs_are_ours() -> None:
    now, earlier, other = pair(MARKED), pair(PLAIN), pair(MARKED)
    for there in (
        pairs(*now),
        pairs(*earlier),  # before certificates were marked
        pairs(None, now[1], beside=now[0]),  # a first run that died between the two
        pairs(other[0], now[1], beside=now[0]),  # a renewal that died there
    ):
        assert foreign(there, data(), DEBIAN) == []


def test_the_operators_pair_is_not_overwritten() -> None:
    for subject, more in (
        ({NameOID.ORGANIZATION_NAME: "Operator", **PLAIN}, {}),
        (PLAIN, {"issuer": "R11"}),
        (MARKED, {"issuer": "R11"}),
        (PLAIN, {"days": 90}),
        (PLAIN, {"usage": False}),
    ):
        mine = pair(subject, **more)
        (problem,) = foreign(pairs(*mine), data(), DEBIAN)
        assert "tls_self_signed = True would replace it; set tls_self_signed = False" in problem
        assert foreign(pairs(*mine), data(tls_self_signed=False), DEBIAN) == []
    for there in (pairs(None, "0" * 64), pairs(pair(MARKED)[0], "0" * 64), pairs("junk", "0" * 64)):
        (problem,) = foreign(there, data(), DEBIAN)
        assert "tls_self_signed = True would replace it" in problem


def test_a_renewal_that_died_is_finished(ask: Any) -> None:
    old, (pem, key) = pair(MARKED), pair(MARKED)
    (command,) = ask(pairs(old[0], key, beside=pem), certificate.pair, "/c.pem", "/k.pem", ["mx1.example.test"])
    assert 'mv -f "$1.new" "$1"' in command
    assert ask(pairs(pem, key), certificate.pair, "/c.pem", "/k.pem", ["mx1.example.test"]) == []
    assert not certificate.belongs(old[0], key) and "itself" in certificate.described(pem)


def test_files_of_others_where_ours_would_stand() -> None:
    path = f"{asked.MAPS}/mailboxes.cf"
    there = MailHost(places={asked.MAPS: Place(0, asked.MAPS)}, files={asked.MAPS: folder(), path: file()})
    (problem,) = foreign(there, data(), DEBIAN)
    assert path in problem and "mailroom did not make" in problem
    there.made = frozenset(
        {f"{asked.MAPS}/virtual.cf"}
    )  # in a directory of ours, the operator may have files of his own
    assert foreign(there, data(), DEBIAN) == []
    scripts = MailHost(
        places={asked.SCRIPTS: Place(0, asked.SCRIPTS)},
        files={asked.SCRIPTS: folder("vmail:vmail"), f"{asked.SCRIPTS}/spam.sieve": file()},
    )
    assert "spam.sieve" in asked.scripts(scripts)[0]
    scripts.files[f"{asked.SCRIPTS}/spam.svbin"] = file()
    scripts.made = frozenset({f"{asked.SCRIPTS}/spam.sieve"})
    assert asked.scripts(scripts) == []
    held = MailHost(places={asked.QUARANTINE: Place(108, "", inside=("virus-x",))})
    assert "quarantine_days would delete it" in asked.held_before_us(held)[0]
    held.files["/etc/amavis/conf.d/63-mailroom-quarantine"] = file()
    assert asked.held_before_us(held) == []
    linked = MailHost(links={"/etc/aliases": "/opt/config/aliases"})
    assert "is a symbolic link to /opt/config/aliases" in foreign(linked, data(), DEBIAN)[0]


def test_programs_that_ours_would_push_off() -> None:
    assert "remove it first" in foreign(MailHost(packages={"msmtp-mta": "1"}), data(), DEBIAN)[0]
    assert "ntpsec is installed" in asked.clocks(MailHost(packages={"ntpsec": "1"}), DEBIAN)[0]


@pytest.mark.parametrize(
    ("main", "overrides", "refused"),
    [
        ({"virtual_alias_maps": "hash:/etc/postfix/virtual"}, {}, True),
        ({"content_filter": "scan:[127.0.0.1]:10025"}, {}, True),
        ({"virtual_alias_maps": "proxy:pgsql:/etc/postfix/pgsql/virtual.cf", "content_filter": ""}, {}, False),
        ({}, {"submission/inet/smtpd_relay_restrictions": "permit_mynetworks,reject"}, True),
        ({}, {"submission/inet/smtpd_relay_restrictions": "permit_sasl_authenticated,reject"}, False),
    ],
)
def test_a_postfix_that_serves_somebody(main: dict[str, str], overrides: dict[str, str], refused: bool) -> None:
    there = MailHost(
        main_cf=main, overrides=overrides, master_cf={"submission/inet": "submission inet n - y - - smtpd"}
    )
    assert bool(foreign(there, data(), DEBIAN)) == refused
    there.made = frozenset({f"{asked.MAPS}/virtual.cf"})  # a finished host: steps put their settings back
    assert foreign(there, data(), DEBIAN) == []


def test_a_dovecot_of_somebody_else() -> None:
    packaged = "# x\ndovecot_config_version = 2.4.0\n!include conf.d/*.conf\n!include_try local.conf\ndict {\n  #quota = x\n}\n"
    fresh = MailHost(files={CONF: file(packaged)})
    assert foreign(fresh, data(), DEBIAN) == []  # only just installed
    fresh.edited = ("/etc/dovecot/conf.d/10-mail.conf",)
    assert "10-mail.conf" in foreign(fresh, data(), DEBIAN)[0]
    theirs = MailHost(files={CONF: file(f"{packaged}ssl = no\n")})
    assert f"{CONF} (line 8: ssl)" in foreign(theirs, data(), DEBIAN)[0]


def test_settings_of_dovecot_that_are_in_no_block_of_ours() -> None:
    ours = "# >>> mailroom: tls\nssl = required\n# <<< mailroom: tls\n"
    assert foreign_settings(ours) == []
    assert foreign_settings(f"{ours}\nssl = no\n") == ["line 5: ssl"]
    assert foreign_settings(f"{ours}passdb static {{\n  fields = x\n}}\n") == ["line 4: passdb static {"]
    assert foreign_settings("# >>> mailroom: tls\nssl = no\n") == ["line 2: ssl"]  # a mark that is never closed


ROLE: dict[str, Any] = {
    "role": "mailreader",
    "super": False,
    "createdb": False,
    "createrole": False,
    "login": True,
    "owns": 0,
}
USERS = {"owner": "postgres", "columns": ["email", "password", "realname", "maildir", "created"]}


def test_a_role_and_a_database_of_somebody_else() -> None:
    mine = {**ROLE, "verifier": scram.verifier(PASSWORD)}
    theirs = {**ROLE, "verifier": scram.verifier("another-password-of-theirs")}
    base: dict[str, Any] = {"database": "mail", "database_owner": "postgres", "tables": {}}
    for answer in (
        mine,  # a run that died behind it
        {**theirs, "role_note": postgresql.NOTE},  # secrets.json has changed
        {**theirs, **base, "tables": {"users": USERS}},  # built before there were comments
        {**mine, **base},
        {**mine, **base, "database_owner": "alice", "database_note": postgresql.NOTE},  # ours, and put back
    ):
        assert foreign(MailHost(sql=answer), data(), DEBIAN) == [], answer
    for answer, said in (
        (theirs, "it has another password"),
        ({**mine, "super": True}, "it is super"),
        ({**mine, "owns": 3}, "it owns something"),
        ({**base, "database_owner": "alice"}, "belongs to alice"),
        ({**base, "tables": {"letters": {"owner": "postgres", "columns": ["x"]}}}, "did not make (letters)"),
        ({**base, "database_note": "x", "tables": {"users": {**USERS, "columns": ["id"]}}}, "users (id)"),
    ):
        (problem,) = foreign(MailHost(sql=answer), data(), DEBIAN)
        assert said in problem and "rename" in problem, problem
