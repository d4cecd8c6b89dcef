"""What the host's own programs write reaches a person: whoever they write as, whoever to, and when it bounces too."""

import pytest

from lab import Host
from tests.live import traffic
from tests.live.stranger import mark

READ = "/home/mail/example.test/foo"  # the postmaster's
TO = (
    *(
        "root",
        "www-data",
        "daemon",
        "postgres",
        "vmail",
        "WWW-data",
        "www-data+x",
        "root@localhost",
        "amavis@mx1.example.test",
    ),
    *("daemon@example.test", "postmaster", "webmaster@localhost"),
)


def letter(host: Host, user: str, to: str, *, sender: str = "") -> str:
    which = mark()
    text = f"From: {user} (Cron Daemon)\nTo: {to}\nSubject: cron\nMessage-ID: <{which}@example.net>\n\nIt failed.\n"
    options = f"-f '{sender}' " if sender else ""
    host.run(f"cd /; runuser -u {user} -- /usr/sbin/sendmail -i {options}'{to}'", stdin=text)
    return which


def seen(host: Host, which: str) -> str:
    """The postmaster has the letter, or a notice with it inside."""
    found = f"grep -rlF -- {which} {READ}/new {READ}/cur"
    return traffic.until(lambda: host.run(found, check=False).stdout, f"the postmaster has {which}")


def unread(host: Host) -> str:
    return host.run("find /var/mail/ /var/spool/mail/ -type f -size +0 | sort -u", check=False).stdout


@pytest.mark.usefixtures("no_mail")
class TestLocal:
    def test_every_account_s_mail(self, mailserver: Host) -> None:
        before = unread(mailserver)
        for to in TO:
            seen(mailserver, letter(mailserver, "www-data", to))
        for user in ("root", "postgres", "nobody"):
            seen(mailserver, letter(mailserver, user, user))
        traffic.settled(mailserver)
        assert unread(mailserver) == before

    def test_nobody_of_that_name(self, mailserver: Host) -> None:
        """The bounce goes to who wrote it, and he is the postmaster's business again."""
        seen(mailserver, letter(mailserver, "www-data", "no-such-account"))
        seen(mailserver, letter(mailserver, "www-data", "x@nowhere.invalid"))
        seen(mailserver, letter(mailserver, "nobody", "x@nowhere.invalid", sender="never-was@example.test"))
        seen(mailserver, letter(mailserver, "root", "x@nowhere.invalid", sender="<>"))
        traffic.settled(mailserver)

    def test_a_users_mail_stays_the_users(self, mailserver: Host) -> None:
        for to in ("bar", "bar@example.test", "bar+x@example.test"):
            assert "/bar/" in traffic.delivered(mailserver, letter(mailserver, "root", to))

    def test_a_line_of_the_operators_is_kept(self, mailserver: Host) -> None:
        mailserver.run(
            "cp -a /etc/aliases /root/aliases; echo 'www-data: bar@example.test' >> /etc/aliases; newaliases"
        )
        try:
            for to in ("www-data", "www-data@localhost"):
                assert "/bar/" in traffic.delivered(mailserver, letter(mailserver, "root", to))
        finally:
            mailserver.run("mv /root/aliases /etc/aliases; newaliases")

    def test_a_nul_in_what_cron_says(self, mailserver: Host) -> None:
        which = mark()
        mailserver.run(
            f"printf 'Subject: x\\nMessage-ID: <{which}@example.net>\\n\\na\\0b\\n' | /usr/sbin/sendmail root"
        )
        seen(mailserver, which)
