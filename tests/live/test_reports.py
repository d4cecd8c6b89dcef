"""DMARC reports that the world mails to the server appear in the table; their mailbox stays as it is."""

from __future__ import annotations

import gzip
import json
from email.message import EmailMessage
from email.utils import formatdate
from uuid import uuid4

import pytest

from lab import Host
from tests.live.passports import postmaster
from tests.live.traffic import delivered, send, until
from tests.unit.test_reports import feedback, record

pytestmark = pytest.mark.usefixtures("no_mail")


def mailed(world: Host, host: Host, content: bytes, kind: str = "application/gzip") -> str:
    """A report as a receiver mails it to the address that `dns print` publishes; where it has arrived."""
    mark, made = uuid4().hex, EmailMessage()
    made["From"], made["To"], made["Date"] = "dmarc@example.net", "postmaster@example.test", formatdate()
    made["Subject"], made["Message-ID"] = (
        f"Report domain: example.test Submitter: example.net Report-ID: <{mark}>",
        f"<{mark}@example.net>",
    )
    made.set_content("A report.")
    made.add_attachment(content, *kind.split("/"), filename="example.net!example.test!1796083200!1796169599.xml.gz")
    send(world, made.as_string(), "postmaster@example.test", sender="dmarc@example.net")
    return delivered(host, mark)


def test_a_report_that_the_world_mails_is_in_the_table(mailserver: Host, world: Host) -> None:
    address = mailserver.run("hostname -I").stdout.split()[0]
    said = postmaster("reports")
    assert said.returncode == 0 and "No DMARC report in foo@example.test" in said.stdout, said
    first = feedback(record(address, "5", "pass", "pass", "none"), record("198.51.100.7", "2"), name="example.net")
    paths = [
        mailed(world, mailserver, gzip.compress(first.encode())),
        mailed(world, mailserver, first.encode(), "application/octet-stream"),
        mailed(world, mailserver, gzip.compress(first[:-300].encode())),
        mailed(world, mailserver, gzip.compress(first.replace("example.test", "example.org").encode())),
    ]
    done = until(lambda: postmaster("reports", "--json"), "an answer")
    found = json.loads(done.stdout)
    rows = {one["address"]: one for one in found["sources"]}
    assert (rows[address]["kind"], rows[address]["letters"], rows[address]["name"]) == ("ours", 5, "mx1.example.test")
    assert (rows["198.51.100.7"]["kind"], rows["198.51.100.7"]["letters"]) == ("stranger", 2)
    assert found["counted_once"] == 1 and len(found["reports"]) == 1
    assert ["XML is broken" in one["why"] for one in found["passed_over"]].count(True) == 1
    assert ["example.org" in one["why"] for one in found["passed_over"]].count(True) == 1
    shown = postmaster("reports")
    assert shown.returncode == 0 and "this server" in shown.stdout and "Traceback" not in shown.stderr
    assert all("/new/" in path for path in paths) and mailserver.run(["ls", *paths]).returncode == 0, "it was only read"
    assert "leads to no mailbox" in postmaster("reports", "--mailbox", "nobody@example.test").stderr
