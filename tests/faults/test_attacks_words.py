"""What is put in the place of a name or a password: SQL, paths, expansions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from checks.engine.target import Target
from lab import Host
from tests.faults.attacking import BAR, FOO, STRANGER, Family, Wire, batched, letter, log_in, plain, side_by_side, wire

Count = Callable[..., None]
QUOTES = (
    "' OR '1'='1",
    "' OR 1=1 --",
    "'; DROP TABLE users; --",
    "\\' OR 1=1 --",
    "''",
    "$$",
    "\\",
    "%s",
    "%u",
    "%%",
    "*",
)
# In the place of a user's name, with foo's right password: nobody but foo himself logs in with that.
USERS = (
    *(f"{FOO}' --", f"{FOO}'/*", f"x' UNION SELECT email, password, '', '' FROM users WHERE email='{FOO}", f"{FOO}\\"),
    *(
        "' OR '1'='1",
        "%u",
        "%{user}",
        "%{password}",
        "%{passdb:password}",
        "*",
        "%",
        BAR,
        f"{BAR}*{FOO}",
        f"{FOO}*{BAR}",
    ),
    *("../../etc/passwd", "/etc/passwd", f"{FOO}/../{BAR}", f"../example.test/{FOO}", "vmail", "root", "mailreader"),
    *("", " ", f"{FOO} ", f"{FOO}@example.test", "foo", "föö@example.test", "foo@example.test.", "x" * 900),
)
PASSWORDS = (
    "",
    "*",
    "' OR '1'='1",
    "x' OR password LIKE '%",
    "{PLAIN}x",
    "{CRYPT}*",
    "%{password}",
    "\\",
    "ü" * 200,
    "x" * 3000,
)
LOG = "cat /var/log/postgresql/*.log; journalctl -q --no-pager -o cat -u 'postgresql*'"
ERRORS = f"{{ {LOG}; }} | grep -ciE 'syntax error|unterminated|does not exist|invalid byte'"
ONE_ERROR = "cd /; runuser -u postgres -- psql -qX mail -c 'SELECT FROM WHERE'"


@pytest.fixture
def whole(mailserver: Host) -> Iterator[None]:
    """The tables are as they were, PostgreSQL never had to parse an attacker's words, and Dovecot forgets who failed."""
    ask = "cd /; runuser -u postgres -- psql -qAtX mail -c \"SELECT md5(string_agg(u::text, '' ORDER BY email)) FROM users u\""
    rows, errors = mailserver.run(ask).stdout, int(mailserver.run(ERRORS, check=False).stdout)
    yield
    mailserver.run("systemctl restart dovecot; sleep 0.5")
    assert mailserver.run(ask).stdout == rows
    mailserver.run(ONE_ERROR, check=False)  # so that there is one that has to be seen
    assert int(mailserver.run(ERRORS, check=False).stdout) == errors + 1


def imap_login(session: Wire, user: str, password: str) -> str:
    """LOGIN with literals, so that every byte may stand in them; one that the server does not want ends it."""
    name, secret = user.encode(), password.encode()
    session.put(b"a LOGIN {%d+}\r\n%s {%d+}\r\n%s\r\n" % (len(name), name, len(secret), secret))
    line = session.line()
    while line.startswith("*"):
        line = session.line()
    return line


@pytest.mark.usefixtures("whole")
def test_nobody_logs_in_by_words(mailserver: Host, target: Target, count: Count, long: bool) -> None:
    family, sentinel = Family(), f"sentinel-{uuid4().hex}"
    password = target.account(0)[1]
    tries = (
        [(user, password) for user in USERS] + [(FOO, one) for one in PASSWORDS] + [(FOO, sentinel), (sentinel, "x")]
    )

    def by_imap(user: str, secret: str) -> None:
        with wire(target, 993, "wrapped", 40) as session:
            reply = imap_login(session, user, secret)
        family.judge(f"IMAP {user[:40]!r} {secret[:20]!r}".replace(password, "…"), reply.startswith("a OK"), reply)

    def by_smtp(user: str, secret: str) -> None:
        with wire(target, 587, patience=40) as session:
            session.ask("EHLO client.example.net")
            reply = session.ask(f"AUTH PLAIN {plain(user, secret)}")
        family.judge(f"SMTP {user[:40]!r}", reply.startswith("235"), reply)

    for some in batched(tries if long else [*tries[::6], tries[-2]], 4):
        side_by_side(by_imap, some)
        mailserver.run("systemctl restart dovecot; sleep 0.5")  # or the penalty for each failure would grow
        side_by_side(by_smtp, some if long else some[:1])
        mailserver.run("systemctl restart dovecot; sleep 0.5")
    where = "/var/log /run/log /tmp /var/tmp /var/lib/postgresql /var/spool/postfix"
    leaks = mailserver.run(
        f"journalctl -q --no-pager -o cat | grep -F {sentinel} | grep -v '<{sentinel}>' ; grep -rslF -e {sentinel} {where}",
        check=False,
    ).stdout
    family.judge(
        "the password that failed stands in a log", f"password={sentinel}" in leaks or "given password" in leaks, leaks
    )
    rights = [secret for secret in [*target.accounts.values(), *target.secrets.values()] if secret]
    canary = f"canary-{uuid4().hex}"
    mailserver.run("logger", stdin=canary)
    mailserver.run(
        "umask 077; cat > /root/words", stdin="\n".join([*rights, canary])
    )  # not into grep's own command line
    seen = mailserver.run(
        f"journalctl -q --no-pager -o cat | grep -cFf /root/words; grep -rslFf /root/words --exclude-dir=journal {where}; "
        "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | grep -caFf /root/words; rm /root/words",
        check=False,
    ).stdout
    family.judge("a right password stands in a log or a process list", seen.split() != ["1", "0"], seen)  # the canary
    family.count(count, "logins by SQL, paths, expansions", mailserver.suite)


@pytest.mark.usefixtures("whole")
def test_sql_in_addresses_is_a_name_like_any_other(mailserver: Host, target: Target, count: Count) -> None:
    family = Family()
    forms = [f'"{one}"@example.test'.replace("\\", "\\\\") for one in QUOTES]
    forms += [f"{one}@example.test" for one in ("'", "x'--", "foo'||'", "foo%27", "foo'", "%s", "%d", "%u")]
    forms += [f"foo@{one}" for one in ("example.test'--", "'", "example.test'", "'or'1'='1", "%s", "example.test\\")]

    def recipients(some: list[str]) -> None:
        with wire(target, 25) as session:
            session.ask("EHLO client.example.net")
            for form in some:
                session.ask(f"MAIL FROM:<{STRANGER}>")
                reply = session.ask(f"RCPT TO:<{form}>")
                family.judge(f"to {form}", reply.startswith("2"), reply)
                session.ask("RSET")

    def as_senders(some: list[str]) -> None:
        with wire(target, 587) as session:
            log_in(session, target)
            for form in some:
                session.ask(f"MAIL FROM:<{form}>")
                reply = session.ask(f"RCPT TO:<{BAR}>")
                family.judge(f"from {form}", reply.startswith("2"), reply)
                session.ask("RSET")

    for attack in (recipients, as_senders):
        side_by_side(attack, ((some,) for some in batched(forms, 5)))
    family.count(count, "SQL in addresses", mailserver.suite)


SENDERS: tuple[str, ...] = (
    BAR,
    "his@example.org",
    "nobody-here@example.test",
    "root@mx1.example.test",
    "bar+x@example.test",
    "@example.test",
)
SENDERS += (
    "BAR@example.test",
    '"bar"@example.test',
    "<@example.net:bar@example.test>",
    "bar",
    "foo@[127.0.0.1]",
)
SENDERS += ("foo@lists.example.test", "foo@localhost", "foo@example.test@example.org", "foo%example.test@example.org")


def senders(target: Target) -> Family:
    family = Family()

    def by(port: int, some: list[str]) -> None:
        with wire(target, port) as session:
            log_in(session, target)
            for sender in some:
                first = session.ask(f"MAIL FROM:{sender if sender.startswith('<') else f'<{sender}>'}")
                reply = session.ask(f"RCPT TO:<{BAR}>") if first.startswith("2") else first
                family.judge(f"{port} {sender}", reply.startswith("2"), reply)
                session.ask("RSET")

    side_by_side(by, ((port, some) for port in (587, 465) for some in batched(SENDERS, 6)))
    return family


def test_who_logs_in_sends_as_himself_on_the_envelope(mailserver: Host, target: Target, count: Count) -> None:
    senders(target).count(count, "MAIL FROM of another, logged in", mailserver.suite)


@pytest.mark.usefixtures("no_mail")
def test_the_null_sender_forges_no_header(mailserver: Host, world: Host, target: Target, count: Count) -> None:
    """MAIL FROM:<> belongs to nobody, and reports are sent with it; the From in the letter is his own all the same."""
    family = Family()
    with wire(target, 587) as session:
        log_in(session, target)
        for command in ("MAIL FROM:<>", f"RCPT TO:<{BAR}>", "DATA"):
            reply = session.ask(command)
        if reply.startswith("3"):
            session.put(letter(sender=BAR)[1] + b".\r\n")
            reply = session.reply()
    family.judge("<> and another's From", not reply.startswith("5"), reply)
    family.count(count, "null sender, logged in", mailserver.suite)


def enumeration(target: Target, host: Host) -> Family:
    family, said = Family(), {}
    nobody = f"{uuid4().hex[:8]}@example.test"
    for who in (BAR, nobody):
        for port in (587, 465):
            with wire(target, port) as session:
                session.ask("EHLO client.example.net")
                session.ask(f"MAIL FROM:<{STRANGER}>")
                said[f"RCPT at {port}", who] = session.ask(f"RCPT TO:<{who}>")
                said[f"VRFY at {port}", who] = session.ask(f"VRFY {who}")
        with wire(target, 25) as session:
            session.ask("EHLO client.example.net")
            for word in ("VRFY", "EXPN"):
                said[f"{word} at 25", who] = session.ask(f"{word} {who}")
            said["MAIL as him at 25", who] = session.ask(f"MAIL FROM:<{who}>") + session.ask(f"RCPT TO:<{FOO}>")
        with wire(target, 993, "wrapped", 40) as session:
            said["LOGIN", who] = imap_login(session, who, "wrong")
        with wire(target, 587, patience=40) as session:
            session.ask("EHLO client.example.net")
            said["AUTH", who] = session.ask(f"AUTH PLAIN {plain(who, 'wrong')}")
        # each failure makes the next answer slower, and for an answer that takes 10 s Postfix does not wait
        host.run("systemctl restart dovecot; sleep 0.5")
    for way in dict.fromkeys(way for way, _ in said):
        known, unknown = (said[way, who].replace(who, "somebody") for who in (BAR, nobody))
        family.judge(way, known != unknown, f"{known} / {unknown}")
    return family


def test_who_has_a_mailbox_is_not_told(mailserver: Host, target: Target, count: Count) -> None:
    """Known and unknown get the same answer, word by word, where no letter has to be taken: submission, IMAP, AUTH."""
    enumeration(target, mailserver).count(count, "enumeration by words", mailserver.suite)
