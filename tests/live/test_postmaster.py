"""The postmaster's desk as a command: quarantine, and what is not there."""

from __future__ import annotations

import json
import time
from uuid import uuid4

import checks
from checks.clients.mail import imap, smtp
from checks.engine.target import Target
from lab import Host
from postmaster import quarantine
from tests.live.passports import ALICE, BAR, FOO, path_to, postmaster, sent, told
from tests.live.support import MAILSERVER, applied


def test_a_virus_and_its_release(target: Target, mailserver: Host, world: Host) -> None:
    mark = sent(world, FOO, BAR, virus=True)
    found = told(target, mark)
    blocked = found.hops[-1]
    assert (blocked.verdict, found.folders) == ("Blocked INFECTED", {})
    assert blocked.setting == "$final_virus_destiny = D_DISCARD" and set(blocked.recipients) == {FOO, BAR}
    item = next(item for item in quarantine.held(target) if item.message_id == mark)
    assert item.id in blocked.what and set(item.recipients) == {FOO, BAR} and "INFECTED" in item.reason
    for wrong in ("virus-nosuchthing", "$(touch /tmp/injected)", "../../../etc/passwd", item.id[:-1]):
        assert postmaster("quarantine", "release", wrong, "--host", mailserver.name).returncode == 1
    assert mailserver.run("ls /tmp/injected", check=False).returncode
    done = postmaster("quarantine", "release", item.id, "--host", mailserver.name)
    assert done.returncode == 0, done.stderr
    found = told(target, mark, lambda found: found.ended and len(found.folders) == 2)
    held_against_release = [hop.station for hop in path_to(found, FOO, "INBOX")]
    assert held_against_release[3:6] == ["Amavis", "Quarantine", "Re-injection"]
    with imap(target, 0, port=993) as client:
        client.select_folder("INBOX", readonly=True)
        assert len(client.search(["HEADER", "Message-ID", mark])) == 1


def test_what_is_not_there(target: Target, mailserver: Host) -> None:
    with smtp(target) as session:
        session.mail(ALICE)
        session.rcpt(f"nobody-{uuid4().hex[:6]}@example.test")
    done = postmaster("passport", "<never@example.net>", "--host", mailserver.name)
    assert done.returncode == 1 and not done.stdout
    assert all(
        word in done.stderr
        for word in ("No line of the log has", "the journal", "Refused in the last 24 hours", "5.1.1")
    )
    assert postmaster("passport", "<a@b>", "--host", "nosuch").returncode == 2


def test_a_syslogds_file_and_json(target: Target, mailserver: Host) -> None:
    """Where the journal has nothing, /var/log/maillog is read, in the old form without a year."""
    rows = (
        "client=a.example.net[198.18.0.9]",
        "message-id=<filed@example.net>",
        "from=<a@example.net>, size=1, nrcpt=1 (queue active)",
    )
    daemons = ("smtpd", "cleanup", "qmgr")
    lines = "".join(
        f"$(date '+%b %e %T') mx1 postfix/{daemon}[1]: FEDCBA98: {row}\n"
        for daemon, row in zip(daemons, rows, strict=True)
    )
    mailserver.run(f"cat > /var/log/maillog <<EOF\n{lines}EOF\n")
    try:
        done = postmaster("passport", "filed@example.net", "--host", mailserver.name, "--json")
    finally:
        mailserver.run("rm -f /var/log/maillog")
    found = json.loads(done.stdout)
    assert [hop["station"] for hop in found["hops"]] == ["Postfix smtpd, port 25", "Postfix cleanup", "Postfix qmgr"], (
        done.stderr
    )
    assert "maillog" in found["source"] and abs(found["began"] - time.time()) < 60


def test_whoever_is_the_postmaster_gets_the_mail_and_the_checks_see_it(mailserver: Host) -> None:
    """The data may name another one than the first user."""
    try:
        applied(MAILSERVER, "--data", f"mail_postmaster={BAR}")
        found = {one.id.rpartition(".")[2]: one for one in checks.run(only=["postgresql.restart"])}
        assert {name: found[name].verdict for name in ("postmaster", "host_mail")} == {
            "postmaster": "pass",
            "host_mail": "pass",
        }
        assert found["postmaster"].evidence.endswith(f"reach {BAR}")
    finally:
        applied(MAILSERVER)
