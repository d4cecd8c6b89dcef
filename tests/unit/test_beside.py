"""What stands beside ours is named; what the chapters set, and what packages bring, never is."""

from typing import Any

import pytest

from checks.claims.postfix.restart import NEVER
from checks.claims.postfix.submission import OURS
from deploys.beside import DECIDING, TUNING, beside
from deploys.data import MailData
from deploys.platforms import PLATFORMS, Platform
from deploys.secrets import Secrets
from deploys.told import Told, each, told
from facts.mail_host import File, MailHost
from operations import accounts, dovecot, postfix
from operations.dovecot import CONF, with_block

SYSTEMS = [PLATFORMS["debian", "13"], PLATFORMS["debian", "12"], PLATFORMS["almalinux", "9"]]


def recorded(system: Platform) -> Told:
    """What all chapters of that system would say."""
    return told(known(), system, MailHost())


def known() -> Any:
    from deploys.knobs import Knobs, read

    knobs, wrong = read({})
    assert not wrong
    return MailData.model_construct(
        **{name: getattr(knobs, name) for name in Knobs.model_fields},
        hostname="mx1.example.test",
        domains=["example.test"],
        users={"foo@example.test": {"realname": "Foo", "maildir": "example.test/foo/"}},
        aliases={},
        postmaster="foo@example.test",
        scheme="ARGON2ID",
        secrets=Secrets({"foo@example.test": "a good password"}, {"mailreader": "password-of-the-role"}),
    )


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda one: one.name)
def test_a_host_as_the_chapters_make_it_has_nothing_beside(system: Platform) -> None:
    kept = recorded(system)
    there = MailHost(main_cf={"relayhost": "", "mailbox_command": "", "alias_maps": "hash:/etc/aliases"})
    text = "dovecot_config_version = 2.4.0\n!include_try /usr/share/dovecot/protocols.d/*.protocol\n"
    for given in each(kept, dovecot.block):
        text = with_block(text, given["block"], given["dialects"]["2.3"])
    there.files[CONF] = File("644", "root", "root", 1.0, "regular file", "", text)
    for given in each(kept, postfix.main_cf):
        there.main_cf |= given["settings"]
    for given in each(kept, postfix.master_cf):
        there.master_cf[given["service"]] = given["entry"]
    for given in each(kept, postfix.overrides):
        there.overrides |= {f"{given['service']}/{name}": value for name, value in given["settings"].items()}
    assert {"submission/inet", "submissions/inet"} <= set(there.master_cf) and "mailreader" in str(kept)
    assert beside(there, known(), kept) == []


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda one: one.name)
def test_the_checks_know_what_is_ours(system: Platform) -> None:
    kept = recorded(system)
    main = {name for given in each(kept, postfix.main_cf) for name in given["settings"]}
    assert not main & set(NEVER.split()), "checks/claims/postfix/restart.py calls a parameter of ours foreign"
    assert set(NEVER.split()) <= DECIDING
    services = {given["service"] for given in each(kept, postfix.master_cf)}
    assert services <= set(OURS), "a service of ours that OURS in checks/claims/postfix/submission.py does not know"
    for given in each(kept, postfix.overrides):
        ours = set(OURS[given["service"]].split())
        assert not [name for name in given["settings"] if name not in ours and not TUNING.match(name)], (
            f"add the override to OURS in checks/claims/postfix/submission.py: {given}"
        )
    transports = {given["transport"] for given in each(kept, accounts.transports)}
    assert transports <= {"virtual:", "lmtp:unix:private/dovecot-lmtp"}


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (MailHost(main_cf={"always_bcc": "spy@evil.example"}), "main.cf sets always_bcc"),
        (MailHost(master_cf={"smtps/inet": "smtps inet n - y - - smtpd"}), "a service smtps/inet"),
        (MailHost(master_cf={"smtp/inet": "smtp inet n - y - 1 postscreen"}), "runs postscreen as smtp/inet"),
        (
            MailHost(overrides={"smtp/inet/smtpd_relay_restrictions": "permit"}),
            "override smtp/inet/smtpd_relay_restrictions",
        ),
        (MailHost(members={"vmail": ("alice",)}), "alice is in the group vmail"),
        (MailHost(units_of_others=("/etc/systemd/system/dovecot.service",)), "overrules how its daemon runs"),
        (MailHost(system={"codename": "trixie", "suites": "trixie stable-updates"}), "name stable-updates"),
        (MailHost(welcomed=("/etc/spamassassin/local.cf:3",)), "local.cf:3 welcomes"),
        (MailHost(sql={"hidden": ["a trigger t on users"]}), "has a trigger t on users"),
        (
            MailHost(sql={"transports": {"example.test": {"transport": "smtp:[evil]:25"}}}),
            "sends mail for example.test elsewhere",
        ),
        (
            MailHost(sql={"tables": {"users": {"acl": "{postgres=r/postgres,spy=r/postgres}"}}}),
            "the role spy has rights",
        ),
        (
            MailHost(files={"/etc/amavis/conf.d/99-x": File("644", "root", "root", 1.0, "regular file")}),
            "overrules them",
        ),
    ],
)
def test_named(there: MailHost, said: str) -> None:
    (line,) = beside(there, known(), recorded(SYSTEMS[0]))
    assert said in line and "evil" not in line  # where, not what: a value may be a secret


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"database": ["all"], "address": None, "auth_method": "trust"}, "without a password"),
        ({"database": ["other"], "address": "127.0.0.1", "auth_method": "trust"}, "without a password"),
        ({"database": ["other"], "address": "10.0.0.0", "auth_method": "password"}, "unprotected password"),
        ({"database": ["all"], "address": None, "auth_method": "peer", "mapped": True}, "maps Unix users"),
        ({"database": ["all"], "address": "0.0.0.0", "auth_method": "scram-sha-256"}, "connect to the database mail"),
        ({"error": "no such method", "auth_method": None}, "cannot be read"),
        ({"database": ["other"], "address": "10.0.0.0", "auth_method": "scram-sha-256"}, ""),
        ({"database": ["all"], "address": "0.0.0.0", "auth_method": "reject"}, ""),
        ({"database": ["all"], "address": "127.0.0.1", "auth_method": "ident"}, ""),
        ({"database": ["all"], "address": None, "auth_method": "peer"}, ""),
        ({"database": ["replication"], "address": "::1", "auth_method": "scram-sha-256"}, ""),
    ],
)
def test_lines_of_pg_hba(rule: dict[str, Any], said: str) -> None:
    found = beside(MailHost(sql={"hba_file": "/hba", "hba": [{"line_number": 1, **rule}]}), known(), [])
    assert [said in line and "/hba, line 1" in line for line in found] == ([True] if said else []), found


def test_tuning_is_the_operators() -> None:
    there = MailHost(
        overrides={"smtp/inet/smtpd_client_connection_rate_limit": "10", "relay/unix/syslog_name": "x"},
        main_cf={"smtpd_soft_error_limit": "3", "maximal_queue_lifetime": "2d"},
        files={
            f"/etc/amavis/conf.d/{name}": File("644", "root", "root", 1.0, "regular file")
            for name in ("50-user", "50-user.dpkg-old", "15-av_scanners")
        },
    )
    assert beside(there, known(), recorded(SYSTEMS[0])) == []


def test_a_second_copy_of_a_block_goes() -> None:
    once = with_block("a = b\n", "tls", "ssl = required")
    twice = once + "\n# >>> mailroom: tls\nssl = no\n# <<< mailroom: tls\n"
    assert with_block(twice, "tls", "ssl = required").strip() == once.strip()
    assert "ssl = no" not in with_block(twice, "tls", "ssl = required")
