"""Run pyinfra as a user types it, and read what it said."""

import imaplib
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploys.chapters import dovecot, postfix, postgresql
from lab import Host, names

LabHost = Callable[..., Host]  # the fixture lab_host: a suite and a name
ROOT = Path(__file__).parents[2]
WHOLE = "deploys/dovecot.py"
MAILSERVER = "deploys/mailserver.py"  # the same with chapters 3 and 5
STEPS = [f"{step.__module__}.{step.__name__}" for chapter in (postfix, postgresql, dovecot) for step in chapter.STEPS]

# For a test that says the same on every release.
ON_ONE = pytest.mark.parametrize("mx", [names.DEFAULT_SUITE], indirect=True)
ON_ONE_WITH_WORLD = pytest.mark.parametrize("world_mx", [names.DEFAULT_SUITE], indirect=True)


@dataclass(frozen=True)
class Run:
    """What a run of pyinfra ended with; counts are None where it printed no totals."""

    code: int
    output: str
    operations: int | None
    changes: int | None

    @property
    def commands(self) -> int:
        """How many remote commands it took; with --debug only."""
        return self.output.count("Running command on ")

    @property
    def changed(self) -> list[str]:
        """The names of the operations that changed something."""
        return re.findall(r"Starting operation: (.+?)\s*\n\s+\[\S+\] Success", self.output)


def pyinfra(*arguments: str, **environment: str) -> Run:
    """`pyinfra inventory.py …` from the repository's root, -y unless it is a --dry run."""
    words = [sys.executable, "-m", "pyinfra", "inventory.py", *arguments]
    if "--dry" not in words:
        words.append("-y")
    return ran(words, ROOT, **environment)


def ran(words: list[str], folder: Path, **environment: str) -> Run:
    """What pyinfra says, started with these words."""
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
    )
    total = re.search(r"Grand total\s+(\d+)\s+(\S+)", done.stdout)
    numbers = [int(total[1]), 0 if total[2] == "-" else int(total[2])] if total else [None, None]
    return Run(done.returncode, done.stdout, *numbers)


def applied(*arguments: str, **environment: str) -> Run:
    """The same, and it has to succeed."""
    run = pyinfra(*arguments, **environment)
    assert run.code == 0, run.output[-4000:]
    return run


@contextmanager
def main_cf(host: Host, *settings: str) -> Iterator[None]:
    """Postfix with these settings. Afterwards its file is the old one, date and all: a newer one would ask for a restart."""
    host.run(["sh", "-c", 'cp -a /etc/postfix/main.cf /root && postconf -e "$@" && postfix reload', "-", *settings])
    try:
        yield
    finally:
        host.run("mv /root/main.cf /etc/postfix/main.cf && postfix reload")


@contextmanager
def sending(host: Host, *settings: str) -> Iterator[None]:
    """While what brings mail to others does so; Amavis gets it as before. Then it is as it was."""
    words = " ".join(f"smtp/unix/{one}" for one in settings)
    host.run(f"cp -a /etc/postfix/master.cf /root/master.cf && postconf -P {words} && postfix reload")
    try:
        yield
    finally:
        host.run("mv /root/master.cf /etc/postfix/master.cf && postfix reload")


def packages(host: Host, *names: str) -> None:
    """Debian's packages on a host, each looked for by itself: another test may have brought a part of them."""
    apt = "DEBIAN_FRONTEND=noninteractive apt-get -qq"
    install = f"{apt} update && {apt} install --no-install-recommends {' '.join(names)} >/dev/null"
    host.run(f"dpkg --status {' '.join(names)} >/dev/null 2>&1 || {{ {install}; }}", timeout=300)


def fingerprint(host: Host) -> str:
    """What a refused run must leave as it was: packages, users, and the files of /etc."""
    return host.run(
        "dpkg-query -W 2>/dev/null; rpm -qa 2>/dev/null; cat /etc/passwd /etc/group;"
        " find /etc -xdev -type f -not -name mtab -exec sha256sum {} + | sort;"
        " ls -la /home /var/lib"
    ).stdout


def login(server: Host, user: str, password: str) -> str:
    """LOGIN and SELECT over imaps: "OK", or what the server answered. The certificate is the host's own, over SSH."""
    context = ssl.create_default_context(cadata=server.run("cat /etc/postfix/certs/cert.pem").stdout)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # an authority's, too, for itself
    context.check_hostname = False  # the lab's port is published on loopback; the checks look at the name
    with imaplib.IMAP4_SSL("127.0.0.1", server.record["ports"]["993"], ssl_context=context, timeout=30) as client:
        try:
            client.login(f"{user}@example.test", password)
        except imaplib.IMAP4.error as error:
            return str(error)
        return client.select()[0]


def asked(server: Host, sql: str) -> str:
    """What the database answers to postgres."""
    return server.run("cd /; runuser -u postgres -- psql -XAtq -d mail", stdin=sql).stdout


def hashes(server: Host) -> dict[str, str]:
    """The stored passwords, by address."""
    return dict(line.split("|", 1) for line in asked(server, "SELECT email, password FROM users").splitlines())
