"""What speaks against a host, before anything on it is changed."""

from types import SimpleNamespace
from typing import Any

import pytest

from deploys.platforms import PLATFORMS
from deploys.preflight import refusals
from facts.mail_host import File, MailHost

DEBIAN = PLATFORMS["debian", "13"]
SYSTEM = {"uid": "0", "init": "systemd", "resolves": "198.18.0.10 ", "free_mb": "9000"}


def data(**changed: Any) -> Any:
    values = {
        "hostname": "mx1.example.test",
        "mail_owner": "vmail",
        "mail_uid": 200,
        "mail_gid": 200,
        "tls_self_signed": True,
        "tls_certificate": "/c.pem",
        "tls_key": "/k.pem",
        "mail_home": "/home/mail",
    }
    return SimpleNamespace(**{**values, **changed})


def host(system: dict[str, str] | None = None, **changed: Any) -> MailHost:
    return MailHost(system={**SYSTEM, **(system or {})}, **changed)


def test_a_bare_host_and_a_finished_one_are_welcome() -> None:
    assert refusals(host(), data(), DEBIAN) == []
    done = host(
        packages=dict.fromkeys(("postfix", "postgresql", "dovecot-imapd"), "1"),
        listeners=dict.fromkeys((25, 465, 587, 143, 993, 5432), ""),
        passwd={"vmail": (200, 200, "/home/mail", "/usr/sbin/nologin")},
        groups={"vmail": 200},
    )
    assert refusals(done, data(), DEBIAN) == []


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (host({"uid": "1000"}), "the SSH user is not root"),
        (host({"init": "bash"}), "process 1 of this host is bash"),
        (host({"resolves": ""}), "mx1.example.test does not resolve on this host"),
        (host({"free_mb": "100"}), "only 100 MB are free"),
        (host(listeners={25: 'users:(("exim4",pid=7,fd=3))'}), 'port 25 is taken by users:(("exim4"'),
        (host(passwd={"backup": (200, 34, "/", "/bin/sh")}), "mail_uid 200 belongs to the user backup"),
        (host(passwd={"vmail": (5000, 200, "/", "/bin/sh")}), "set mail_uid = 5000"),
        (host(groups={"games": 200}), "mail_gid 200 belongs to the group games"),
        (host(groups={"vmail": 5000}), "set mail_gid = 5000"),
    ],
)
def test_refused(there: MailHost, said: str) -> None:
    (problem,) = refusals(there, data(), DEBIAN)
    assert said in problem


def test_the_operators_own_certificate_has_to_be_there() -> None:
    assert len(refusals(host(), data(tls_self_signed=False), DEBIAN)) == 2
    files = dict.fromkeys(("/c.pem", "/k.pem"), File("600", "root", "root", 1.0, "regular file"))
    assert refusals(host(files=files), data(tls_self_signed=False), DEBIAN) == []


def test_a_daemon_that_is_half_configured_is_ours() -> None:
    """A power cut during apt: Postfix runs, and dpkg has not finished with it."""
    cut_off = host(listeners={25: "master"}, unfinished={"postfix": "half-configured"})
    assert refusals(cut_off, data(), DEBIAN) == []
    (problem,) = refusals(host(listeners={25: "master"}, unfinished={"exim4": "half-configured"}), data(), DEBIAN)
    assert "port 25 is taken by master" in problem


def test_a_pair_that_no_daemon_could_load_is_refused() -> None:
    """facts/judge_pair.sh says why; what mailroom made itself is made anew instead (test_foreign.py)."""
    pair = {path: File("644", "root", "root", 1.0, "regular file") for path in ("/c.pem", "/k.pem")}
    there = host(files=pair, pair={"problem": "/c.pem does not belong to the key /k.pem"})
    (problem,) = refusals(there, data(tls_self_signed=False), DEBIAN)
    assert problem.startswith("/c.pem does not belong to the key /k.pem") and "fix the pair" in problem
    assert refusals(host(files=pair, pair={"problem": ""}), data(tls_self_signed=False), DEBIAN) == []
