"""Log lines of real hosts as passports: Debian 13 after the queue, Debian 12 before it, with long queue ids."""

from __future__ import annotations

from pathlib import Path

from postmaster.follow import graph
from postmaster.model import Passport
from postmaster.read import events, lines, log, settings

FIXTURES = Path(__file__).parent / "unit/fixtures"
SETTINGS = settings.read(
    log.sections(
        """--- postconf
content_filter = smtp-amavis:[127.0.0.1]:10024
transport_maps = proxy:pgsql:/etc/postfix/pgsql/transport.cf
--- services
smtp/inet/smtpd_proxy_filter = 127.0.0.1:10028
submission/inet/syslog_name = postfix/submission
submission/inet/content_filter = smtp-amavis:[127.0.0.1]:10026
pickup/unix/content_filter = smtp-amavis:[127.0.0.1]:10027
pickup/unix/receive_override_options =
127.0.0.1:10025/inet/syslog_name = postfix/reinject
127.0.0.1:10025/inet/content_filter =
--- amavis
$final_virus_destiny = D_DISCARD;
$virus_scanners_failure_is_fatal = 1;
$sa_tag2_level_deflt = 5.0;  # a remark
$policy_bank{'ORIGINATING'} = {
  spam_tag2_level_maps => [2 * 5.0],
  final_virus_destiny => D_REJECT,
--- sieve
sieve_script spam {
  path = /etc/dovecot/sieve/spam.sieve
  type = before
--- transports
example.test lmtp:unix:private/dovecot-lmtp
"""
    )
)


def passport(release: int, asked: str, more: str = "", without: str = "") -> Passport:
    rows = (FIXTURES / f"mail-debian{release}.txt").read_text() + more
    told = events.read(lines.parse(row for row in rows.splitlines() if not without or without not in row))
    mine = asked if "@" in asked else ""
    hops, notes = graph.build(told, SETTINGS, asked, mine)
    return Passport(asked, mine, "mx1.example.test", "the journal", hops, notes)


def stations(found: Passport) -> list[tuple[str, str]]:
    return [(hop.station, hop.verdict) for _, hop in found.walked()]


def settings_of(found: Passport, station: str) -> list[str]:
    return [hop.setting for _, hop in found.walked() if hop.station == station]


def hundred() -> str:
    """A hundred recipients as Postfix and Amavis log them: 50 at a time, Amavis's line in two pieces."""
    people = [f"u{n:03}@example.test" for n in range(100)]
    rows = [
        "1795360000.1 mx1 postfix/smtpd[1]: AAAAAA1: client=a.example.net[198.18.0.9]",
        "1795360000.2 mx1 postfix/cleanup[1]: AAAAAA1: message-id=<hundred@example.net>",
        "1795360000.3 mx1 postfix/qmgr[1]: AAAAAA1: from=<alice@example.net>, size=400, nrcpt=100 (queue active)",
    ]
    for job, half in enumerate((people[:50], people[50:]), 1):
        at, queue = 1795360000 + job, f"BBBBBB{job}"
        to = ",".join(f"<{one}>" for one in half)
        rows += [
            f"{at}.4 mx1 amavis[7]: (7-0{job}) Passed CLEAN {{RelayedInbound}}, [198.18.0.9]:1 <alice@example.net> -> {to[:900]}...",
            f"{at}.400001 mx1 amavis[7]: (7-0{job}) ...{to[900:]}, Queue-ID: AAAAAA1, Message-ID: <hundred@example.net>, "
            f"mail_id: x{job}, Hits: 1.2, size: 400, queued_as: {queue}, 90 ms",
            f"{at}.3 mx1 postfix/reinject/smtpd[2]: {queue}: client=localhost[127.0.0.1], orig_queue_id=AAAAAA1",
            f"{at}.31 mx1 postfix/cleanup[2]: {queue}: message-id=<hundred@example.net>",
            f"{at}.5 mx1 postfix/qmgr[1]: {queue}: from=<alice@example.net>, size=900, nrcpt=50 (queue active)",
        ]
        for one in half:
            sent = f"to=<{one}>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent"
            lost = f"to=<{one}>, relay=mx1[private/dovecot-lmtp], delay=1, delays=0/0/0/1, dsn=5.2.2, status=bounced"
            rows.append(f"{at}.45 mx1 postfix/amavis/smtp[3]: AAAAAA1: {sent} (250 2.0.0 Ok: queued as {queue})")
            if one in ("u007@example.test", "u077@example.test"):
                rows.append(
                    f"{at}.6 mx1 postfix/lmtp[4]: {queue}: {lost} (host mx1 said: 552 5.2.2 <{one}> Quota exceeded)"
                )
            else:
                rows.append(
                    f"{at}.6 mx1 postfix/virtual[4]: {queue}: to=<{one}>, relay=virtual, dsn=2.0.0, status=sent (to maildir)"
                )
    return "\n" + "\n".join(rows) + "\n"
