"""The reading of a host: what the script prints becomes a MailHost, and nothing there is an empty one."""

import base64
import gzip
import json
import re
from pathlib import Path

import pytest
from pyinfra.api.exceptions import FactProcessError

from deploys import platforms
from facts.mail_host import MailHost, ReadMailHost

ROWS = [
    {"hba_file": "/etc/postgresql/17/main/pg_hba.conf", "hba_loaded": 1795337087.5},
    {"role": "mailreader", "verifier": "SCRAM-SHA-256$…"},
    {"table": "users", "owner": "postgres", "acl": "{postgres=arwdDxtm/postgres,mailreader=r/postgres}"},
    {
        "row": "users",
        "email": "foo@example.test",
        "password": "{CRYPT}*",
        "realname": "Foo",
        "maildir": "example.test/foo/",
    },
    {"row": "transports", "domain": "example.test", "transport": "virtual:"},
    {"row": "aliases", "alias": "abuse@example.test", "email": "foo@example.test"},
]
CONF = "protocols = imap\n# a line with == in it\n"
PRINTED = f"""== system
id=debian
version=13
pretty=Debian GNU/Linux 13 (trixie)
fqdn=mx1.example.test
uid=0
now=1795337090
== packages
postfix 3.10.13-0+deb13u1
== unfinished
libpq5 unpacked
dpkg interrupted
== dpkg_holder
1234 apt-get
== units
Id=dovecot.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled
ActiveEnterTimestamp=Sun 2026-11-22 08:45:00.340828 UTC
Id=nonsense.service
LoadState=not-found
ActiveState=inactive
UnitFileState=
ActiveEnterTimestamp=
== listeners
0.0.0.0:25 users:(("master",pid=1,fd=2))
[::]:25 users:(("master",pid=1,fd=3))
127.0.0.1:5432
== owners
passwd:vmail:x:200:200::/home/mail:/usr/sbin/nologin
group:vmail:x:200:
== files
644 root root 1795337087.498492717 regular file|/etc/dovecot/dovecot.conf
700 root root 1795337087.1 directory|/etc/a b
== sums
0123abcd  /etc/dovecot/dovecot.conf
== texts
/etc/dovecot/dovecot.conf {base64.b64encode(CONF.encode()).decode()}
== postfix_main
myhostname = mx1.example.test
smtpd_tls_protocols = >=TLSv1.2
== postfix_services
smtp       inet  n       -       y       -       -       smtpd
submission inet  n       -       y       -       -       smtpd -o syslog_name=postfix/submission
== postfix_overrides
submission/inet/syslog_name = postfix/submission
== dovecot
2.4.1-4 (7d8c0e5759)
ARGON2ID SHA512-CRYPT
== sql
{base64.encodebytes(gzip.compress(chr(10).join(map(json.dumps, ROWS)).encode())).decode().rstrip()}
"""


@pytest.fixture
def found() -> MailHost:
    return ReadMailHost().process(PRINTED.splitlines())


def test_what_is_there(found: MailHost) -> None:
    assert found.packages == {"postfix": "3.10.13-0+deb13u1"}
    assert found.unfinished == {"libpq5": "unpacked", "dpkg": "interrupted"} and found.dpkg_holder == "1234 apt-get"
    assert found.units["dovecot"].active and found.units["dovecot"].started == pytest.approx(1795337100.340828)
    assert "nonsense" not in found.units
    assert set(found.listeners) == {25, 5432} and found.listeners[5432] == ""
    assert found.passwd == {"vmail": (200, 200, "/home/mail", "/usr/sbin/nologin")} and found.groups == {"vmail": 200}
    assert found.text("/etc/dovecot/dovecot.conf") == CONF
    assert found.files["/etc/dovecot/dovecot.conf"].sha256 == "0123abcd"
    assert found.files["/etc/a b"].kind == "directory" and found.text("/etc/a b") is None
    assert found.main_cf["smtpd_tls_protocols"] == ">=TLSv1.2"
    assert found.master_cf["smtp/inet"] == "smtp inet n - y - - smtpd"
    assert found.overrides["submission/inet/syslog_name"] == "postfix/submission"
    assert found.dovecot == (2, 4, 1) and found.schemes == ("ARGON2ID", "SHA512-CRYPT")


def test_the_database(found: MailHost) -> None:
    assert found.sql["role"] == "mailreader" and found.sql["tables"]["users"]["owner"] == "postgres"
    assert set(found.sql["users"]) == {"foo@example.test"}
    assert set(found.sql["transports"]) == {"example.test"} and set(found.sql["aliases"]) == {"abuse@example.test"}


def test_a_bare_host_is_empty() -> None:
    bare = ReadMailHost().process(["== system", "id=debian", "version=13", "== packages", "== sql"])
    assert bare == MailHost(system={"id": "debian", "version": "13"})


def test_a_stopped_database_is_no_empty_database() -> None:
    assert ReadMailHost().process(["== system", "== sql"]).sql == {}


def test_output_of_something_else_is_refused() -> None:
    with pytest.raises(FactProcessError, match="POSIX sh"):
        ReadMailHost().process(["This account is currently not available."])


@pytest.mark.parametrize(
    ("system", "name"),
    [
        ({"id": "debian", "version": "13"}, "Debian 13"),
        ({"id": "debian", "version": "12.7"}, "Debian 12"),
        ({"id": "debian", "version": "11"}, None),
        ({"id": "ubuntu", "version": "24.04"}, None),
        ({"id": "centos", "version": "7"}, None),
        ({"pretty": "CentOS release 6.10 (Final)"}, None),
        ({}, None),
    ],
)
def test_platforms(system: dict[str, str], name: str | None) -> None:
    found = platforms.find(system)
    assert (found.name if found else None) == name


def test_what_is_asked_of_the_system_is_read() -> None:
    """A line that the script no longer prints would be taken for one that this host has nothing to say in."""
    root = Path(__file__).parents[2]
    asked = {
        name
        for folder in ("deploys", "operations", "facts")
        for path in (root / folder).rglob("*.py")
        for name in re.findall(r"""system(?:\.get\(|\[)["']([a-z_]+)""", path.read_text())
    }
    printed = re.findall(r"(?:\\n|')([a-z_]+)=%s", (root / "facts/read_host.sh").read_text())
    assert len(asked) > 15 and asked <= set(printed)
