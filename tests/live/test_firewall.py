"""Where firewalld runs, our services come through it and nothing else does; a second run changes nothing."""

from collections.abc import Iterator

import pytest

from lab import Host, names
from tests.live.passports import postmaster
from tests.live.support import WHOLE, LabHost, applied, packages

SERVICES = {"smtp", "smtp-submission", "smtps", "imap", "imaps"}


@pytest.fixture
def walled(lab_host: LabHost) -> Iterator[Host]:
    """The mail server with Debian's firewalld in front, as its package starts it."""
    server = lab_host(names.DEFAULT_SUITE)
    applied(WHOLE)
    packages(server, "firewalld")
    server.run("systemctl is-active firewalld")
    yield server
    server.run(
        "systemctl stop firewalld; DEBIAN_FRONTEND=noninteractive apt-get -qq purge firewalld >/dev/null", timeout=300
    )


def reached(client: Host, port: int) -> bool:
    script = f"timeout 5 bash -c 'exec 3<>/dev/tcp/mx1.example.test/{port}'"
    return client.run(script, check=False).returncode == 0


def test_firewalld_lets_our_services_in(walled: Host, lab_host: LabHost) -> None:
    client = lab_host(names.DEFAULT_SUITE, "client")
    assert not reached(client, 587), "firewalld is up, and nobody has opened it"
    assert "firewalld on the host keeps out 993, 143, 465, 587" in postmaster("card").stdout
    run = applied(WHOLE)
    assert run.changes == 4 and all("firewall lets in" in name for name in run.changed)
    assert all(reached(client, port) for port in (25, 465, 587, 143, 993))
    assert "firewalld on the host lets all of them in" in postmaster("card").stdout
    for when in ("", "--permanent"):
        assert set(walled.run(f"firewall-cmd {when} --list-services").stdout.split()) >= SERVICES
    assert applied(WHOLE).changes == 0
