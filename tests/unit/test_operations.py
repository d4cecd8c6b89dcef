"""Facts in, commands out: whether an operation sees what is wrong. That its commands work is proved on live hosts."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from pyinfra.api.exceptions import OperationError

from facts.mail_host import File, MailHost, Unit
from operations import (
    accounts,
    base,
    certificate,
    dovecot,
    files,
    packages,
    passwords,
    postfix,
    postgresql,
    scram,
    services,
)

ASK = Callable[..., list[str]]


def file(text: str = "", mode: str = "644", owner: str = "root", mtime: float = 100.0) -> File:
    import hashlib

    return File(mode, owner, owner, mtime, "regular file", hashlib.sha256(text.encode()).hexdigest(), text)


def test_put(ask: ASK) -> None:
    right = MailHost(files={"/a": file("x\n")})
    assert ask(right, files.put, dest="/a", text="x") == []
    assert len(ask(right, files.put, dest="/a", text="y")) == 1
    assert len(ask(right, files.put, dest="/a", text="x", mode="600")) == 1
    assert len(ask(right, files.put, dest="/a", text="x", group="postfix")) == 1
    assert len(ask(MailHost(), files.put, dest="/a", text="x")) == 1


def test_a_secret_travels_on_standard_input_only() -> None:
    command = files.put_command("/etc/secret", "password = S3ntinel", "600")
    assert "S3ntinel" not in command.get_raw_value() and "S3ntinel" not in str(command)
    assert command.connector_arguments["_stdin"] == "password = S3ntinel\n"


def test_values_are_quoted() -> None:
    assert "'; reboot'" in base.shell("true", "; reboot").get_raw_value()


def test_packages(ask: ASK) -> None:
    assert ask(MailHost(packages={"postfix": "3"}), packages.packages, ("postfix",), ("apt-get",)) == []


def test_a_pg_hba_conf_that_was_not_read_is_not_written(ask: ASK, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would lose all lines but ours."""
    there = MailHost(
        sql={"hba_file": "/srv/hba.conf", "hba_loaded": 200.0}, files={"/else/hba.conf": file("local all all peer\n")}
    )
    monkeypatch.setattr(postgresql, "state", SimpleNamespace(is_executing=True))
    ask(there, postgresql.hba, lines=("host x",))  # a reading for what follows
    with pytest.raises(OperationError, match=r"/srv/hba\.conf"):
        list(postgresql.hba.__wrapped__(lines=("host x",)))
    there.files["/srv/hba.conf"] = file("local all all peer\n")
    (command,) = ask(there, postgresql.hba, lines=("host x",))
    assert command.endswith("# >>> mailroom\nhost x\n# <<< mailroom\nlocal all all peer\n")


def test_an_installation_that_was_cut_off_is_finished_first(ask: ASK) -> None:
    there = MailHost(unfinished={"postfix": "half-configured", "dpkg": "interrupted"})
    (command,) = ask(there, packages.packages, ("postfix",), ("apt-get",))
    assert command.endswith("mailroom 900 'postfix half-configured, dpkg interrupted' postfix")
    (command,) = ask(MailHost(), packages.packages, ("postfix",), ("apt-get",))
    assert command.endswith("mailroom 900 '' postfix")
    somebody_elses = MailHost(packages={"postfix": "3"}, unfinished={"exim4": "half-configured"})
    assert ask(somebody_elses, packages.packages, ("postfix",), ("apt-get",)) == []


@pytest.mark.parametrize(
    ("unit", "restarts"),
    [
        (Unit(True, "enabled", 200.0), 0),
        (Unit(True, "enabled", 99.0), 1),  # started before its file was changed: a run died in between
        (Unit(False, "enabled", 200.0), 1),
        (Unit(True, "disabled", 200.0), 1),
    ],
)
def test_a_service_is_started_when_it_has_to_be(ask: ASK, unit: Unit, restarts: int) -> None:
    there = MailHost(system={"now": "300"}, units={"dovecot": unit}, files={"/conf": file()})
    assert len(ask(there, services.service, service="dovecot", files=("/conf",))) == restarts


def test_a_file_from_the_future_restarts_nothing(ask: ASK) -> None:
    there = MailHost(
        system={"now": "300"}, units={"dovecot": Unit(True, "enabled", 200.0)}, files={"/conf": file(mtime=9e9)}
    )
    assert ask(there, services.service, service="dovecot", files=("/conf",)) == []


def test_a_service_that_is_not_installed_is_left_out(ask: ASK) -> None:
    assert (
        ask(MailHost(system={"now": "1"}), services.service, service="dovecot", only_if_installed="dovecot-imapd") == []
    )


def test_main_cf(ask: ASK) -> None:
    there = MailHost(main_cf={"mynetworks": "127.0.0.0/8 [::1]/128", "inet_interfaces": "all"})
    assert ask(there, postfix.main_cf, {"mynetworks": "127.0.0.0/8\n  [::1]/128"}) == []
    (command,) = ask(there, postfix.main_cf, {"inet_interfaces": "all", "mynetworks": "127.0.0.1"})
    assert "'mynetworks = 127.0.0.1'" in command and "inet_interfaces = all" not in command


def test_master_cf_keeps_overrides_of_others(ask: ASK) -> None:
    there = MailHost(
        master_cf={"submission/inet": "submission inet n - y - - smtpd -o smtpd_sasl_type=dovecot"},
        overrides={"submission/inet/smtpd_sasl_type": "dovecot"},
    )
    assert ask(there, postfix.master_cf, "submission/inet", "submission inet n - y - - smtpd") == []
    assert len(ask(there, postfix.master_cf, "submission/inet", "submission inet n - n - - smtpd")) == 1
    assert ask(there, postfix.overrides, "submission/inet", {"smtpd_sasl_type": "dovecot"}) == []
    assert len(ask(there, postfix.overrides, "submission/inet", {"smtpd_sasl_type": "cyrus"})) == 1


def test_system_aliases(ask: ASK) -> None:
    there = MailHost(
        files={"/etc/aliases": file("# kept\npostmaster:    root\nroot: postmaster@old.example\nwww: x\n")}
    )
    assert ask(there, postfix.aliases, {"postmaster": "root"}) == []
    put, index = ask(there, postfix.aliases, {"root": "postmaster@example.test"})
    assert "# kept" in put and "www: x" in put and "root: postmaster@example.test" in put and "old.example" not in put
    assert "newaliases" in index


def test_the_operators_aliases_stay(ask: ASK) -> None:
    """A line that goes on is one entry: its second half must not fall to the alias before it."""
    wanted = {"postmaster": "root", "root": "postmaster@example.test"}
    there = MailHost(files={"/etc/aliases": file('postmaster: root\n"Root": alice,\n   bob@example.org\nwww: x\n')})
    assert ask(there, postfix.aliases, wanted) == []
    ours = MailHost(files={"/etc/aliases": file("www: x,\n   y\nroot:\n   postmaster@old.example\nlast: z\n")})
    put, _ = ask(ours, postfix.aliases, wanted)
    kept = "www: x,\n   y\nlast: z\npostmaster: root\nroot: postmaster@example.test\n"
    assert put.endswith(kept)


def test_dovecot_block_takes_the_language_of_the_host(ask: ASK) -> None:
    texts = {"2.3": "ssl_cert = <x", "2.4": "ssl_server_cert_file = x"}
    for version, line in (((2, 3, 19), "ssl_cert"), ((2, 4, 1), "ssl_server_cert_file")):
        there = MailHost(dovecot=version, files={dovecot.CONF: file("protocols = imap\n")})
        (command,) = ask(there, dovecot.block, "tls", texts)
        assert f"\n{line} = " in command
        done = MailHost(
            dovecot=version,
            files={dovecot.CONF: file(dovecot.with_block("a = b\n", "tls", texts[dovecot.dialect(version)]))},
        )
        assert ask(done, dovecot.block, "tls", texts) == []


def test_an_unknown_scheme_stops_the_run(ask: ASK) -> None:
    assert ask(MailHost(schemes=("ARGON2ID",)), dovecot.scheme, "ARGON2ID") == []
    assert len(ask(MailHost(schemes=("CRYPT",)), dovecot.scheme, "ARGON2ID")) == 1


ROLE = {"role": "mailreader", "super": False, "createdb": False, "createrole": False, "login": True}


def test_role(ask: ASK) -> None:
    right = MailHost(sql={**ROLE, "verifier": scram.verifier("right"), "role_note": postgresql.NOTE})
    assert ask(right, postgresql.role, "mailreader", "right") == []
    (command,) = ask(right, postgresql.role, "mailreader", "n3w-password")
    assert "ALTER ROLE mailreader PASSWORD 'SCRAM-SHA-256$" in command and "n3w-password" not in command
    (command,) = ask(MailHost(sql={**right.sql, "super": True}), postgresql.role, "mailreader", "right")
    assert "NOSUPERUSER" in command
    (command,) = ask(MailHost(sql={**right.sql, "bypassrls": True}), postgresql.role, "mailreader", "right")
    assert "NOBYPASSRLS" in command
    member = MailHost(sql={**right.sql, "member_of": ["pg_execute_server_program"]})
    (command,) = ask(member, postgresql.role, "mailreader", "right")
    assert 'REVOKE "pg_execute_server_program" FROM mailreader' in command
    (command,) = ask(MailHost(sql={**right.sql, "role_note": None}), postgresql.role, "mailreader", "right")
    assert "COMMENT ON ROLE mailreader" in command and "PASSWORD" not in command
    assert "CREATE ROLE" in ask(MailHost(), postgresql.role, "mailreader", "right")[0]


def test_rights(ask: ASK) -> None:
    tables = {"users": "email text"}
    right = {"owner": "postgres", "acl": "{postgres=arwdDxt/postgres,mailreader=r/postgres}"}
    assert ask(MailHost(sql={"tables": {"users": right}}), postgresql.tables, "mail", tables, "mailreader") == []
    writer = {**right, "acl": "{mailreader=arwdDxt/postgres}"}
    (command,) = ask(MailHost(sql={"tables": {"users": writer}}), postgresql.tables, "mail", tables, "mailreader")
    assert "REVOKE ALL ON users FROM PUBLIC, mailreader" in command
    for more in (
        {"acl": right["acl"].replace("{", "{=r/postgres,")},
        {"column_acl": ["password {mailreader=w/postgres}"]},
    ):
        there = MailHost(sql={"tables": {"users": {**right, **more}}})
        assert len(ask(there, postgresql.tables, "mail", tables, "mailreader")) == 1, more
    theirs = MailHost(sql={"tables": {"users": {**right, "column_acl": ["realname {directory=r/postgres}"]}}})
    assert (
        ask(theirs, postgresql.tables, "mail", tables, "mailreader") == []
    )  # another role's rights are the operator's
    closed = {
        **{"database": "mail", "database_owner": "postgres", "public_may_connect": False},
        **{"database_acl": "{mailreader=c/postgres}", "database_note": postgresql.NOTE},
        "schema_acl": "{postgres=UC/postgres,mailreader=U/postgres}",
    }
    assert ask(MailHost(sql=closed), postgresql.database, "mail", "mailreader") == []
    for acl in ("{postgres=UC/postgres,=UC/postgres,mailreader=U/postgres}", "{mailreader=UC/postgres}"):
        (command,) = ask(MailHost(sql={**closed, "schema_acl": acl}), postgresql.database, "mail", "mailreader")
        assert "ON SCHEMA public FROM PUBLIC, mailreader" in command and "DATABASE" not in command


USER = {"realname": "Foo", "maildir": "example.test/foo/"}


def accounts_host(**user: str) -> MailHost:
    row = {"email": "foo@example.test", "password": passwords.stored("right password", "ARGON2ID"), **USER, **user}
    return MailHost(sql={"tables": {"users": {}}, "users": {"foo@example.test": row}, "transports": {}, "aliases": {}})


def test_only_the_row_that_differs_is_written(ask: ASK) -> None:
    assert ask(accounts_host(), accounts.mailboxes, {"foo@example.test": USER}) == []
    (command,) = ask(accounts_host(realname="O'Neill"), accounts.mailboxes, {"foo@example.test": USER})
    assert "SET realname = 'Foo' WHERE email = 'foo@example.test'" in command and "password" not in command


def test_sql_values_are_quoted(ask: ASK) -> None:
    (command,) = ask(accounts_host(), accounts.mailboxes, {"foo@example.test": {**USER, "realname": "O'Neill \\ é"}})
    assert "O''Neill" in command and "é" in command


def test_rows_that_left_the_data_stay_until_asked(ask: ASK) -> None:
    assert ask(accounts_host(), accounts.mailboxes, {}) == []
    (command,) = ask(accounts_host(), accounts.mailboxes, {}, prune=True)
    assert "DELETE FROM users WHERE email = 'foo@example.test'" in command


def test_dovecot_forgets_whom_a_run_changes_and_nobody_else(ask: ASK) -> None:
    """It may answer for them from memory while PostgreSQL is away. Who is new was never asked about."""
    forgets = "doveadm auth cache flush"
    there = accounts_host(realname="O'Neill")
    there.sql["users"]["left@example.test"] = {**there.sql["users"]["foo@example.test"], "email": "left@example.test"}
    (command,) = ask(there, accounts.mailboxes, {"foo@example.test": USER})
    assert forgets in command and "foo@example.test" in command and "left@example.test" not in command
    (command,) = ask(
        there, accounts.mailboxes, {"foo@example.test": there.sql["users"]["foo@example.test"]}, prune=True
    )
    assert forgets in command and "left@example.test" in command.partition("DELETE")[0]
    (command,) = ask(accounts_host(), accounts.mailboxes, {"foo@example.test": USER, "new@example.test": USER})
    assert forgets not in command
    (command,) = ask(
        MailHost(sql={**there.sql, "users": {f"u{n}@example.test": {**USER, "realname": "Old"} for n in range(101)}}),
        accounts.mailboxes,
        {f"u{n}@example.test": USER for n in range(101)},
    )
    assert forgets in command and "u7@example.test" not in command.partition("UPDATE")[0], "everybody: no word has room"


def test_a_transport_that_chapter_5_changed_stays(ask: ASK) -> None:
    there = accounts_host()
    there.sql["transports"] = {
        "example.test": {"domain": "example.test", "transport": "lmtp:unix:private/dovecot-lmtp"}
    }
    assert ask(there, accounts.transports, ["example.test"], "virtual:") == []


def test_certificate(ask: ASK) -> None:
    assert not certificate.covers(None, ["mx1.example.test"])
    assert not certificate.covers("garbage", ["mx1.example.test"])
    (command,) = ask(MailHost(), certificate.pair, "/c", "/k", ["mx1.example.test", "example.test"])
    assert "DNS:mx1.example.test,DNS:example.test" in command
    assert len(ask(MailHost(files={"/k": file(mode="644")}), files.file, "/k", mode="600")) == 1
    assert ask(MailHost(files={"/k": file(mode="600")}), files.file, "/k", mode="600") == []


def test_an_alias_that_became_a_mailbox_no_longer_hides_it(ask: ASK) -> None:
    """Seen on a live host: the user root@ never got a letter, as every domain once had an alias of that name."""
    rows = {name: {"alias": name, "email": "foo@example.test"} for name in ("root@example.test", "old@example.test")}
    there = MailHost(sql={"tables": {"users": {}}, "aliases": rows})
    (command,) = ask(there, accounts.aliases, {}, mailboxes=["foo@example.test", "root@example.test"])
    assert "DELETE FROM aliases WHERE alias = 'root@example.test'" in command and "old@" not in command
    assert ask(there, accounts.aliases, {}, mailboxes=["foo@example.test"]) == []


def test_one_command_at_a_time() -> None:
    """A command that a killed controller left running is waited for."""
    assert base.shell("true").get_raw_value().startswith("flock -o -w 960 /run/mailroom.command sh -euc ")


def test_a_killed_run_leaves_names_that_the_next_one_knows() -> None:
    """operations/hold.py removes *.mailroom.??????*: nothing of an operator's has such a name."""
    import fnmatch

    from operations import files, hold

    assert 'name "*.mailroom.??????*"' in hold.HOLD and 'mktemp "$path.mailroom.XXXXXX"' in files.PUT
    for name in ("main.cf.mailroom.a1b2c3", "spam.sieve.mailroom.a1b2c3.svbin", "pg_hba.conf.mailroom.before"):
        assert fnmatch.fnmatch(name, "*.mailroom.??????*")
    for name in ("main.cf.backup", "60-mailroom", "mailroom.conf", "mailroom.conf.backup", "mailroom.sources"):
        assert not fnmatch.fnmatch(name, "*.mailroom.??????*")
