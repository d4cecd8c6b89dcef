"""The passport of real messages, held against what their readers have: headers and folders over IMAP, and files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from checks.clients.mail import smtp
from checks.clients.managesieve import NAME, session
from checks.engine.target import Target
from lab import Host
from tests.live.passports import BAR, FOO, GTUBE, held_against, hops, letter, sent, told


@contextmanager
def transports(host: Host, value: str) -> Iterator[None]:
    """Another transport for a while. qmgr remembers its last lookup for half a minute; a reload makes it forget."""
    sql = "cd /; runuser -u postgres -- psql -qd mail -c \"UPDATE transports SET transport = '{}'\"; postfix reload"
    host.run(sql.format(value))
    try:
        yield
    finally:
        host.run(sql.format("lmtp:unix:private/dovecot-lmtp"))


def test_a_clean_letter(target: Target, world: Host) -> None:
    found = told(target, sent(world, FOO))
    held_against(target, found, FOO, "INBOX")
    assert world.fqdn in found.hops[0].what and found.hops[0].station == "Postfix smtpd, port 25"
    assert [hop.setting for hop in hops(found, "Postfix qmgr")] == [
        "content_filter = smtp-amavis:[127.0.0.1]:10024",
        "transports: example.test → lmtp:unix:private/dovecot-lmtp",
    ]
    by_queue_id = told(target, hops(found, "Re-injection")[0].queue)
    assert [hop.verdict for hop in by_queue_id.hops] == [hop.verdict for hop in found.hops]


def test_spam_and_an_alias(target: Target, world: Host) -> None:
    found = told(target, sent(world, "abuse@example.test", body=GTUBE))
    held_against(target, found, FOO, "Junk")
    assert "spam.sieve" in hops(found, "Sieve")[0].setting
    rows = [hop.setting for hop in hops(found, "Postfix cleanup")]
    assert rows[0] == "receive_override_options = no_address_mappings"
    assert any("aliases abuse@example.test → foo@example.test" in row for row in rows), rows


def test_a_login(target: Target) -> None:
    mark, text = letter(FOO, BAR)
    with smtp(target, 587) as session:
        session.login(*target.account(0))
        session.sendmail(FOO, [BAR], text)
    found = told(target, mark)
    headers = held_against(target, found, BAR, "INBOX")
    assert "ESMTPSA" in str(headers) and "logged in as foo@example.test" in found.hops[0].what
    assert "10026" in hops(found, "Postfix qmgr")[0].setting


def test_ones_own_script(target: Target, mailserver: Host, world: Host) -> None:
    script = 'require ["fileinto", "mailbox"]; fileinto :create "Lists";'
    with session(target, 1) as client:
        assert client.putscript(NAME, script) and client.setactive(NAME), client.words()
        found = told(target, sent(world, BAR))
    held_against(target, found, BAR, "Lists")
    assert hops(found, "Sieve")[0].setting.startswith("the recipient's own script")


def test_without_chapter_5_postfix_delivers(target: Target, mailserver: Host, world: Host) -> None:
    with transports(mailserver, "virtual:"):
        found = told(target, sent(world, BAR))
        held_against(target, found, BAR, "INBOX")
    assert hops(found, "Postfix virtual")[0].recipients == (BAR,)
    assert hops(found, "Postfix qmgr")[-1].setting == "transports: example.test → virtual:"


def test_a_dead_scanner_and_the_second_try(target: Target, mailserver: Host, world: Host) -> None:
    mailserver.run("systemctl stop clamav-daemon.socket clamav-daemon")
    try:
        mark = sent(world, FOO)
        waiting = told(target, mark, lambda found: any(hop.verdict == "deferred" for hop in found.hops), 90)
        assert hops(waiting, "Amavis")[0].setting == "$virus_scanners_failure_is_fatal = 1" and not waiting.folders
    finally:
        mailserver.run("systemctl start clamav-daemon.socket clamav-daemon; sleep 2; postqueue -f")
    found = told(target, mark, lambda found: bool(found.folders), 120)
    held_against(target, found, FOO, "INBOX")
    assert hops(found, "Amavis")[0].verdict == "deferred"


def test_a_hundred_recipients(target: Target, mailserver: Host, world: Host) -> None:
    sql = 'cd /; runuser -u postgres -- psql -qd mail -c "{}"'
    rows = (
        "SELECT 'p' || n || '@example.test', '{{PLAIN}}x', 'example.test/p' || n || '/' FROM generate_series(1, 100) n"
    )
    mailserver.run(
        sql.format(f"INSERT INTO users (email, password, maildir) {rows}".replace("{{", "{").replace("}}", "}"))
    )
    try:
        mark = sent(world, *(f"p{n}@example.test" for n in range(1, 101)))
        found = told(target, mark, lambda found: len(found.folders) == 100, 120)
    finally:
        mailserver.run(sql.format("DELETE FROM users WHERE email LIKE 'p%@example.test' AND password = '{PLAIN}x'"))
    files = mailserver.run(f"grep -rlF '{mark}' /home/mail/example.test/p*/new | wc -l").stdout
    assert int(files) == 100 and set(map(tuple, found.folders.values())) == {("INBOX",)}
    assert len(found.hops) <= 25, "a tree, not a hundred branches"
