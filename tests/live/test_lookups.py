"""Each lookup answers for what its words say: no other server's domain, and every way to write one of ours."""

import pytest

from lab import Host
from tests.live import traffic
from tests.live.stranger import VICTIM, ask, bring, mark, raw
from tests.live.test_strangers import SQL

FOO = "<foo@example.test>"
OTHERS = (
    "news@lists.example.test",
    "a@b.c.example.test",
    "x@sub.mx1.example.test",
    "x@notexample.test",
    "x@example.test.example.org",
    "example.test@example.org",
    '"foo@example.test"@example.org',
    "foo%example.test@example.org",
    "",
)
OURS = (
    "foo@example.test",
    "FOO@Example.TEST",
    "foo+news@example.test",
    "no-such-user@example.test",
    '"foo"@example.test',
    '"f\\oo"@example.test',
    '" "@example.test',
    "foo@example.test.",
    "foo%example.test@mx1.example.test",
    "foo%example.test",
    "example.test!foo",
    "@example.org:foo@example.test",
    "foo",
    "root",
    "root@mx1.example.test",
    "foo@MX1.example.test.",
    "foo@localhost",
    "foo@localhost.example.test",
    "foo@[{address}]",
    "foo@[127.0.0.1]",
    "MAILER-DAEMON@example.test",
)
UNKNOWN = (
    *("daemon", "vmail", "amavis", "www-data", "postgres", "nobody", "clamav", "DAEMON", "daemon+x", "double-bounce"),
    *("webmaster", "foo", '"www-data"', "double-bounce+x"),
)
HOST = ("mx1.example.test", "MX1.Example.Test", "[{address}]", "localhost", "localhost.example.test")


def filled(host: Host, text: str) -> str:
    return text.format(address=host.record["address"])


@pytest.mark.parametrize("sender", OTHERS)
def test_who_writes_from_elsewhere_is_heard(mailserver: Host, sender: str) -> None:
    assert ask(mailserver, FOO, f"<{sender}>").startswith("250 2.1.5")


@pytest.mark.parametrize("sender", OURS)
def test_no_stranger_writes_as_one_of_us(mailserver: Host, sender: str) -> None:
    reply = ask(mailserver, FOO, f"<{filled(mailserver, sender)}>")
    assert reply.startswith("553 5.7.1"), reply


@pytest.mark.parametrize("at", HOST)
def test_the_world_reaches_three_names_of_the_host(mailserver: Host, at: str) -> None:
    at = filled(mailserver, at)
    for name in ("postmaster", "abuse", "root", "PostMaster", "root+x", '"root"'):
        assert ask(mailserver, f"<{name}@{at}>").startswith("250 2.1.5"), name
    for name in UNKNOWN:
        reply = ask(mailserver, f"<{name}@{at}>")
        assert reply.startswith(("550 5.1.1", "554 5.7.1")), f"{name}@{at}: {reply}"


def test_recipients(mailserver: Host) -> None:
    for there in ("foo", "FOO", "foo+a", "foo+a+b", '"foo"', "sales.", "postmaster+x", "abuse"):
        reply = ask(mailserver, f"<{there}@example.test>")
        assert reply.startswith("550" if there == "sales." else "250"), f"{there}: {reply}"
    for away in ("foo@lists.example.test", "foo@notexample.test", "foo@sub.mx1.example.test", "postmaster@[192.0.2.1]"):
        assert ask(mailserver, f"<{away}>").startswith("554 5.7.1"), away
    for ours in (
        "<foo@example.test.>",
        "<FOO@EXAMPLE.TEST>",
        "foo@example.test",
        "<postmaster>",
        "<@example.test:foo@example.test>",
    ):
        assert ask(mailserver, ours).startswith("250"), ours
    for odd in ("%", "' OR '1'='1", "foo'--", "*", "foo\\\\", "%s", "_oo"):
        assert ask(mailserver, f'<"{odd}"@example.test>')[:3] in ("550", "554", "501"), odd


def test_spam_by_the_hosts_own_name_is_marked_too(mailserver: Host, world: Host) -> None:
    """Whoever is written to at the host's name or address is one of us: the workers write their headers there as well."""
    for recipient in ("root@mx1.example.test", filled(mailserver, "postmaster@[{address}]")):
        which, text = traffic.spam(recipient)
        assert bring(mailserver, text.replace("\n", "\r\n").encode(), f"<{recipient}>").startswith("250")
        assert traffic.folder(traffic.delivered(mailserver, which)) == "Junk"


def test_as_whom_a_user_may_write(mailserver: Host) -> None:
    address = mailserver.record["address"]
    allowed = ("foo@example.test", "FOO@Example.Test", "foo+news@example.test", '"foo"@example.test', "foo")
    elsewhere = (
        "foo@lists.example.test",
        "foo@mx1.example.test",
        "foo@localhost",
        f"foo@[{address}]",
        "foo@example.org",
    )
    others = (
        "bar@example.test",
        "bar+foo@example.test",
        "root@mx1.example.test",
        "foo%bar@example.test",
        "bar",
        "x+foo@example.test",
    )
    for sender in (*allowed, "postmaster@example.test", *elsewhere, *others):
        with traffic.submission(mailserver, "foo@example.test") as client:  # one each: who errs too often is hung up on
            client.docmd("MAIL", f"FROM:<{sender}>")
            code, text = client.docmd("RCPT", f"TO:<{VICTIM}>")
            assert code == (553 if sender in (*elsewhere, *others) else 250), (sender, code, text)
            client.rset()


def test_who_an_alias_of_an_alias_leads_to_writes_as_it(mailserver: Host) -> None:
    rows = {"sales": "team@example.test, x@example.org", "team": "foo@example.test", "round": "round2@example.test"}
    rows |= {"round2": "round@example.test", "away": "somebody@example.org"}
    values = ", ".join(f"('{alias}@example.test', '{target}')" for alias, target in rows.items())
    mailserver.run(SQL, stdin=f"INSERT INTO aliases (alias, email) VALUES {values};")
    try:
        for user, allowed in (("foo@example.test", ("sales", "team", "Sales+x")), ("bar@example.test", ())):
            for alias in (*rows, "Sales+x"):  # a session each: it ends after some refusals
                with traffic.submission(mailserver, user) as client:
                    client.docmd("MAIL", f"FROM:<{alias}@example.test>")
                    code, text = client.docmd("RCPT", f"TO:<{VICTIM}>")
                    assert code == (250 if alias in allowed else 553), (user, alias, code, text)
    finally:
        mailserver.run(SQL, stdin="DELETE FROM aliases WHERE alias ~ '^(sales|team|round2?|away)@';")


def test_a_letter_from_a_subdomain_arrives(mailserver: Host) -> None:
    which = mark()
    assert bring(mailserver, raw(which), FOO, sender="news@lists.example.test").startswith("250")
    traffic.delivered(mailserver, which)
