"""What is put in the place of a name, a password or a mailbox: SQL, paths, expansions, and far too much of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from checks.engine.target import Target
from lab import Host
from tests.faults.attacking import BAR, FOO, STRANGER, Family, Wire, batched, broken, letter, log_in, plain, wire
from tests.live import traffic

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


@pytest.fixture
def whole(mailserver: Host) -> Iterator[None]:
    """The tables are as they were, PostgreSQL never had to parse an attacker's words, and Dovecot forgets who failed."""
    ask = "cd /; runuser -u postgres -- psql -qAtX mail -c \"SELECT md5(string_agg(u::text, '' ORDER BY email)) FROM users u\""
    rows, errors = mailserver.run(ask).stdout, mailserver.run(ERRORS, check=False).stdout
    yield
    mailserver.run("systemctl restart dovecot; sleep 0.5")
    assert mailserver.run(ask).stdout == rows
    assert mailserver.run(ERRORS, check=False).stdout == errors


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
    for some in batched(tries if long else [*tries[::6], tries[-2]], 4):
        for user, secret in some:
            with wire(target, 993, "wrapped", 40) as session:
                reply = imap_login(session, user, secret)
                family.judge(
                    f"IMAP {user[:40]!r} {secret[:20]!r}".replace(password, "…"), reply.startswith("a OK"), reply
                )
        mailserver.run("systemctl restart dovecot; sleep 0.5")  # or the penalty for each failure would grow
        for user, secret in some if long else some[:1]:
            with wire(target, 587, patience=40) as session:
                session.ask("EHLO client.example.net")
                reply = session.ask(f"AUTH PLAIN {plain(user, secret)}")
                family.judge(f"SMTP {user[:40]!r}", reply.startswith("235"), reply)
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
    mailserver.run("umask 077; cat > /root/words", stdin="\n".join(rights))  # not into grep's own command line
    seen = mailserver.run(
        f"journalctl -q --no-pager -o cat | grep -cFf /root/words; grep -rslFf /root/words {where}; "
        "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | grep -caFf /root/words; rm /root/words",
        check=False,
    ).stdout
    family.judge("a right password stands in a log or a process list", any(line != "0" for line in seen.split()), "yes")
    family.count(count, "logins by SQL, paths, expansions", mailserver.suite)


@pytest.mark.usefixtures("whole")
def test_sql_in_addresses_is_a_name_like_any_other(mailserver: Host, target: Target, count: Count) -> None:
    family = Family()
    forms = [f'"{one}"@example.test'.replace("\\", "\\\\") for one in QUOTES]
    forms += [f"{one}@example.test" for one in ("'", "x'--", "foo'||'", "foo%27", "foo'", "%s", "%d", "%u")]
    forms += [f"foo@{one}" for one in ("example.test'--", "'", "example.test'", "'or'1'='1", "%s", "example.test\\")]
    for some in batched(forms, 5):
        with wire(target, 25) as session:
            session.ask("EHLO client.example.net")
            for form in some:
                session.ask(f"MAIL FROM:<{STRANGER}>")
                reply = session.ask(f"RCPT TO:<{form}>")
                family.judge(f"to {form}", reply.startswith("2"), reply)
                session.ask("RSET")
        with wire(target, 587) as session:
            log_in(session, target)
            for form in some:
                session.ask(f"MAIL FROM:<{form}>")
                reply = session.ask(f"RCPT TO:<{BAR}>")
                family.judge(f"from {form}", reply.startswith("2"), reply)
                session.ask("RSET")
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


def test_who_logs_in_sends_as_himself_on_the_envelope(mailserver: Host, target: Target, count: Count) -> None:
    family = Family()
    for port in (587, 465):
        for some in batched(SENDERS, 6):
            with wire(target, port) as session:
                log_in(session, target)
                for sender in some:
                    first = session.ask(f"MAIL FROM:{sender if sender.startswith('<') else f'<{sender}>'}")
                    reply = session.ask(f"RCPT TO:<{BAR}>") if first.startswith("2") else first
                    family.judge(f"{port} {sender}", reply.startswith("2"), reply)
                    session.ask("RSET")
    family.count(count, "MAIL FROM of another, logged in", mailserver.suite)


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


def test_who_has_a_mailbox_is_not_told(mailserver: Host, target: Target, count: Count) -> None:
    """Known and unknown get the same answer, word by word, where no letter has to be taken: submission, IMAP, AUTH."""
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
        mailserver.run("systemctl restart dovecot; sleep 0.5")
    for way in dict.fromkeys(way for way, _ in said):
        known, unknown = (said[way, who].replace(who, "somebody") for who in (BAR, nobody))
        family.judge(way, known != unknown, f"{known} / {unknown}")
    family.count(count, "enumeration by words", mailserver.suite)


NAMES = (
    *(
        "../../bar",
        "../bar/INBOX",
        "../../../../etc",
        "INBOX/../../bar",
        "INBOX.../...bar",
        "/etc/passwd",
        "/home/mail/example.test/bar",
    ),
    *(
        "~",
        "~root",
        "~bar",
        "~/../bar",
        "&AC8-etc",
        "..&AC8-bar",
        "&-",
        "#shared/bar",
        "shared/bar",
        "user.bar",
        "user/bar/INBOX",
    ),
    *(
        f"{BAR}/INBOX",
        "Public",
        "*",
        "%",
        "INBOX.%{user}",
        ".",
        "..",
        "...",
        "a/../../b",
        "a//b",
        "\\..\\bar",
        "x" * 300,
        "new",
        "cur",
    ),
    *("tmp/../../bar", "dovecot.index", ".dovecot.sieve", "sieve/../../x", "\u00fc/../..", "a" + "/b" * 120),
)


@pytest.mark.usefixtures("no_mail")
def test_no_mailbox_name_leads_out_of_ones_own(mailserver: Host, world: Host, target: Target, count: Count) -> None:
    """Judged by the files: nothing new outside of foo's own folders, and nothing of bar's is shown."""
    family = Family()
    mark, text = traffic.message(BAR)
    traffic.send(world, text, BAR)
    traffic.delivered(mailserver, mark)
    mailserver.run("sleep 1; touch /root/stamp; sleep 1")
    elsewhere = ("/proc", "/sys", "/run", "/var/lib", "/var/log", "/var/spool", "/var/cache", "/tmp", "/dev", "/root")
    own = ("/home/mail/example.test/foo", "/home/mail/.home/example.test/foo")
    prune = " -o ".join(f"-path {path}" for path in (*elsewhere, *own))
    outside = f"find / -xdev '(' {prune} ')' -prune -o -newer /root/stamp -not -path /home/mail/example.test -print"
    user, password = target.account(0)
    for some in batched(NAMES, 12):
        with wire(target, 993, "wrapped", 40) as session:
            assert "a OK" in session.tagged(f'LOGIN {user} "{password}"')
            for name in some:
                data = name.encode()
                said = []
                for command in (
                    b"SELECT",
                    b"CREATE",
                    b"SELECT",
                    b"STATUS",
                    b"LIST",
                    b"SUBSCRIBE",
                    b"GETACL",
                    b"DELETE",
                ):
                    words = [b'LIST ""'] if command == b"LIST" else [command]
                    tail = b" (MESSAGES)" if command == b"STATUS" else b""
                    said.append(session.tagged(words[0] + b" {%d+}\r\n%s" % (len(data), data) + tail))
                    if command == b"SELECT" and "a OK" in said[-1]:
                        said.append(session.tagged("FETCH 1:* BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"))
                        session.tagged("UNSELECT")
                session.tagged(b"UNSUBSCRIBE {%d+}\r\n%s" % (len(data), data))
                family.judge(f"mailbox {name[:40]!r}", mark in "".join(said), "shows bar's letter")
    left = mailserver.run(outside).stdout.split()
    family.judge("files outside of foo's own folders", bool(left), " ".join(left[:5]))
    family.count(count, "mailbox names", mailserver.suite)


HUGE = {
    "IMAP, a line without end": (993, "wrapped", b"a LOGIN " + b"x" * 1_000_000),
    "IMAP, a literal of 4 GB": (993, "wrapped", b"a LOGIN {4294967290}\r\n"),
    "IMAP, a literal of -1": (993, "wrapped", b"a LOGIN {-1}\r\n"),
    "IMAP, 100,000 arguments": (993, "wrapped", b"a ID (" + b'"x" "y" ' * 100_000 + b")\r\n"),
    "IMAP, 10,000 brackets": (993, "wrapped", b"a SEARCH " + b"(" * 10_000 + b"\r\n"),
    "SMTP, a line without end": (25, "", b"EHLO " + b"x" * 1_000_000 + b"\r\n"),
    "SMTP, an address of 100 kB": (25, "", b"HELO x\r\nMAIL FROM:<" + b"x" * 100_000 + b"@example.net>\r\n"),
    "SMTP, AUTH of 100 kB": (587, "starttls", b"EHLO x\r\nAUTH PLAIN " + b"A" * 100_000 + b"\r\n"),
    "SMTP, BDAT of 2^63": (
        25,
        "",
        b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<foo@example.test>\r\nBDAT 9223372036854775807 LAST\r\nx",
    ),
    "SMTP, SIZE of 2^64": (25, "", b"EHLO x\r\nMAIL FROM:<> SIZE=18446744073709551616\r\n"),
    "ManageSieve, a line without end": (4190, "", b"AUTHENTICATE " + b"x" * 1_000_000),
    "ManageSieve, a literal of 4 GB": (4190, "", b'AUTHENTICATE "PLAIN" {4294967290+}\r\n'),
}


def test_far_too_much_is_turned_away(mailserver: Host, target: Target, count: Count) -> None:
    """The connection may end; the daemon is the same one before and after, and answers the next."""
    family = Family()
    pids = "cat /run/dovecot/master.pid /var/spool/postfix/pid/master.pid"
    before = mailserver.run(pids).stdout
    for name, (port, tls, data) in HUGE.items():
        with wire(target, port, tls, 20) as session:
            session.put(data)
            session.put(b"\r\nz NOOP\r\n")
            heard = session.rest(2)
        # ID is answered whatever stands in it (RFC 2971)
        ok = any(line.startswith(("a OK Log", "a OK Sea", "250 2.0.0 Ok: queued")) for line in heard.splitlines())
        with wire(target, port, tls, 20):
            pass
        family.judge(name, ok, heard[:200])
    family.judge("a daemon died", mailserver.run(pids).stdout != before)
    crashed = mailserver.run(
        "journalctl -q --no-pager -o cat --since -2min | grep -E 'killed with signal|dumped core|panic'", check=False
    )
    family.judge("a process crashed", bool(crashed.stdout), crashed.stdout[:300])
    family.count(count, "huge commands and literals", mailserver.suite)


WRONG = {
    "anybody sends as anybody": (
        "postconf -P submission/inet/smtpd_sender_restrictions=permit submissions/inet/smtpd_sender_restrictions=permit",
        test_who_logs_in_sends_as_himself_on_the_envelope,
    ),
    "VRFY": ("postconf -e disable_vrfy_command=no", test_who_has_a_mailbox_is_not_told),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_judge_sees_who_gets_in(mailserver: Host, target: Target, long: bool, name: str) -> None:
    """The same attacks on a server that was broken for them: somebody gets in, and it is seen."""
    if not long:
        pytest.skip("with make faults")
    done, attack = WRONG[name]
    with broken(mailserver, done), pytest.raises(AssertionError):
        attack(mailserver, target, lambda *_, **__: None)
